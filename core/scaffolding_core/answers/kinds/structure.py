"""Structures in JSON, of which some fields may not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.json_answer import Json
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.refusal import is_refusal
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage

__all__ = ["JsonValueIn", "SameFields", "checked_names"]


class JsonValueIn(Extractor):
    """The JSON value in a text, or what a path leads to in it; a text without one may be a refusal.

    Args:
        key: a path, as `Json` takes it; empty for the whole value.

    Raises:
        InvalidRequestError: a path that cannot be read.
    """

    def __init__(self, key: str = "") -> None:
        if not isinstance(key, str):
            raise InvalidRequestError(f"key must be a path such as 'answer' or 'items[0].name', got {key!r}")
        self._key = key
        self._json = Json(key)

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The value; None if there is none."""
        return self._json.extract(message)

    def read(self, message: AssistantMessage) -> Reading:
        """The value, read as `json`, with its path."""
        found = self._json.extract(message)
        if found is None:
            return Reading(None, REFUSAL if is_refusal(message) else "")
        return Reading(found, f"json:{self._key}" if self._key else "json")


class SameFields(KeyEquivalence):
    """Structures are the same if the fields that count are, value by value as `Normalised` has them.

    Args:
        only: names of the fields that count; None for all.
        ignore: names of fields that do not, however deep they stand.
        unordered: lists are the same in any order.

    Raises:
        InvalidRequestError: names that are none, or both `only` and `ignore`.
    """

    def __init__(
        self, *, only: Sequence[str] | None = None, ignore: Sequence[str] = (), unordered: bool = False
    ) -> None:
        self.only, self.ignore = checked_names(only, ignore)
        if not isinstance(unordered, bool):
            raise InvalidRequestError(f"unordered must be True or False, got {unordered!r}")
        self.unordered = unordered
        self._values = Normalised()

    def key(self, answer: Answer) -> Hashable:
        """The keys of the fields that count."""
        if isinstance(answer, Mapping) and self.only is not None:
            answer = {name: value for name, value in answer.items() if name in self.only}
        return self._key(answer)

    def _key(self, value: Answer) -> Hashable:
        if isinstance(value, Mapping):
            counted = ((str(name), self._key(item)) for name, item in value.items() if name not in self.ignore)
            return "mapping", frozenset(counted)
        if isinstance(value, list | tuple):
            keys = [self._key(item) for item in value]
            return ("any order", frozenset(Counter(keys).items())) if self.unordered else ("list", tuple(keys))
        return self._values.key(value)


def checked_names(
    only: Sequence[str] | None, ignore: Sequence[str]
) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Which fields or arguments count, and which do not.

    Raises:
        InvalidRequestError: names that are none, none at all in `only`, or both `only` and `ignore`.
    """
    for name, given in (("only", only), ("ignore", ignore)):
        if isinstance(given, str) or not all(isinstance(each, str) and each for each in given or ()):
            raise InvalidRequestError(f"{name} must be a list of names, got {given!r}")
    if only is not None and (not only or ignore):
        raise InvalidRequestError("only names the fields that count, at least one; leave out ignore beside it")
    return None if only is None else frozenset(only), frozenset(ignore)
