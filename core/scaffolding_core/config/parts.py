"""Parts of methods that a file names: stop rules, kinds of answer, extractors, equivalences."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import scaffolding_core.answers as answers
from scaffolding_core.answers import KINDS, Answers, Equivalence, Extractor, FirstOf
from scaffolding_core.config.options import Option, options_of
from scaffolding_core.config_text import Where, near_miss
from scaffolding_core.voting import STOP_RULES

__all__ = ["NAMES", "check_complete", "checked_plain", "named_part"]

Names: TypeAlias = "Mapping[str, Callable[..., object]]"


def _classes(base: type) -> Names:
    """The extractors or equivalences that nothing but texts make, by their names."""
    public: list[Any] = [getattr(answers, name) for name in answers.__all__]
    found: list[Any] = [
        each for each in public if inspect.isclass(each) and base in each.__mro__ and each is not FirstOf
    ]
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", each.__name__).lower(): each
        for each in found
        if not inspect.isabstract(each)
        and all(option.schema.get("type") == "string" for option in options_of(each).values() if option.needed)
    }


_KINDS: Names = {name: kind.make for name, kind in KINDS.items()}

NAMES: Mapping[str, Names] = {
    "stop_rule": STOP_RULES,
    "answers": _KINDS,
    "extractor": {**_classes(Extractor), **_KINDS},
    "equivalence": {**_classes(Equivalence), **_KINDS},
}
"""What makes a part, by its name in a file; a kind of answer names its extractor and its equivalence too."""


def named_part(part: str, value: object, where: Where) -> object:
    """The part that a value names; what is neither a text, a mapping nor a list is the part itself.

    Args:
        part: one of `NAMES`.
        value: a name, a mapping with it in `kind` and with options, or a list of extractors to try in turn.
        where: it is written.

    Raises:
        InvalidRequestError: no such name, or options that it does not take.
    """
    if part == "extractor" and isinstance(value, list):
        return FirstOf(*(named_part(part, each, where / place) for place, each in enumerate(value)))  # type: ignore[arg-type]  # extractors
    if not isinstance(value, str | Mapping):
        return value
    what = "kind of answer" if part == "answers" else part.replace("_", " ")
    options = {"kind": value} if isinstance(value, str) else where.mapping(value, f"the {what}")
    if "kind" not in options:
        raise where.error(f"the {what} needs its kind;{near_miss('', NAMES[part])[1:]}")
    kind = str(options.pop("kind")).replace("-", "_")
    make = NAMES[part].get(kind)
    if make is None:
        raise where.error(f"no {what} is named {kind!r}{near_miss(kind, NAMES[part])}")
    given = checked_plain(make, options, f"the {what} {kind!r}", where)
    with where():
        return (
            getattr(Answers(kind, **given), part, None) or Answers(kind, **given)
            if kind in KINDS
            else make(**given)
        )


def check_complete(given: Collection[str], known: Mapping[str, Option], named: str, where: Where) -> None:
    """Refuse options among which one is lacking.

    Raises:
        InvalidRequestError: one that has no default.
    """
    for name, option in known.items():
        if option.needed and name not in given:
            raise where.error(f"{named} needs {name!r}")


def checked_plain(make: Callable[..., object], given: object, named: str, where: Where) -> dict[str, Any]:
    """Options of plain values, as the constructor takes them.

    Raises:
        InvalidRequestError: one that it does not have, or of the wrong type, or one that is lacking.
    """
    known = options_of(make)
    options = where.mapping(given, named, known)
    for name, value in options.items():
        if (wrong := known[name].wrong(value)) is not None:
            raise (where / name).error(f"{name} must be {wrong}, got {value!r}")
    check_complete(options, known, named, where)
    return {known[name].argument: value for name, value in options.items()}
