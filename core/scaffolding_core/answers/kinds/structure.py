"""Structures in JSON, of which some fields may not count."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from scaffolding_core.answers.counted_fields import CountedFields
from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.json_answer import Json
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.refusal import is_refusal
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage

__all__ = ["JsonValueIn", "SameFields"]


class JsonValueIn(Extractor):
    """The JSON value in a text, or what a path leads to in it; a text without one may be a refusal.

    Args:
        key: a path, as `Json` takes it; empty for the whole value.

    Raises:
        InvalidRequestError: a path that cannot be read.
    """

    costly = False

    def __init__(self, key: str = "") -> None:
        if not isinstance(key, str):
            raise InvalidRequestError(f"key must be a path such as 'answer' or 'items[0].name', got {key!r}")
        self._json = Json(key)

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The value; None if there is none."""
        return self._json.extract(message)

    def read(self, message: AssistantMessage) -> Reading:
        """The value, read as `json`, with its path."""
        found = self._json.extract(message)
        if found is None:
            return Reading(None, REFUSAL if is_refusal(message) else "")
        return Reading(found, self._json.how)


class SameFields(KeyEquivalence):
    """Structures are the same if the fields that count are, value by value as `Normalised` has them.

    Args:
        counted: which fields count.
        unordered: lists are the same in any order.

    Raises:
        InvalidRequestError: `unordered` is neither True nor False.
    """

    costly = False

    def __init__(self, counted: CountedFields, *, unordered: bool = False) -> None:
        if not isinstance(unordered, bool):
            raise InvalidRequestError(f"unordered must be True or False, got {unordered!r}")
        self.unordered = unordered
        self._counted = counted
        self._values = Normalised()

    def key(self, answer: Answer) -> Hashable:
        """The keys of the fields that count."""
        return self._key(self._counted.of(answer) if isinstance(answer, dict | list) else answer)

    def _key(self, value: Answer) -> Hashable:
        if isinstance(value, Mapping):
            return "mapping", frozenset((str(name), self._key(item)) for name, item in value.items())
        if isinstance(value, list | tuple):
            keys = [self._key(item) for item in value]
            return ("any order", tuple(sorted(keys, key=repr))) if self.unordered else ("list", tuple(keys))
        return self._values.key(value)
