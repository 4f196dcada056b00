"""What may be written for an option of a method or a reward: told by its constructor, so that no list is kept."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, Union, Unpack, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import (
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticUndefinedAnnotation,
)

from scaffolding_core.answers import Answers, Equivalence, Extractor
from scaffolding_core.controller import Controller
from scaffolding_core.voting import StopRule

__all__ = ["PARTS", "Option", "options_of"]

PARTS: Mapping[type, str] = {
    Controller: "method",
    StopRule: "stop_rule",
    Answers: "answers",
    Extractor: "extractor",
    Equivalence: "equivalence",
}
"""The parts of methods that a file names, by their class."""

_SPELT = {"AnswersLike": Answers}
"""Aliases whose text is no expression."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option, as a file has it.

    Args:
        name: in the file.
        argument: of the constructor.
        part: which of `PARTS` it is; None for a plain value.
        many: whether it is a list or a mapping of such parts.
        needed: whether it has no default.
        plain: checks a plain value; None takes any.
    """

    name: str
    argument: str
    part: str | None
    many: bool
    needed: bool
    plain: TypeAdapter[object] | None

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a plain value."""
        try:
            return {} if self.plain is None else self.plain.json_schema()
        except PydanticInvalidForJsonSchema:
            return {}

    def wrong(self, value: object) -> str | None:
        """What is wrong with a plain value; None if nothing is."""
        try:
            if self.plain is not None:
                self.plain.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            return error.errors()[0]["msg"].removeprefix("Input should be ")
        except TypeError:  # it holds an object that a user gave
            pass
        return None


@cache
def options_of(constructor: Callable[..., object]) -> Mapping[str, Option]:
    """The options of a constructor, by their names in a file.

    The controller of a role, `reward_controller`, is named after the role: `reward`.
    """
    function = constructor.__init__ if inspect.isclass(constructor) else constructor
    names = {**getattr(inspect.unwrap(function), "__globals__", {}), **_SPELT}
    options: list[Option] = []
    for each in inspect.signature(constructor).parameters.values():
        hint = _hint(each.annotation, names)
        if each.kind is each.VAR_KEYWORD:
            options += _unpacked(hint)
        elif each.kind is not each.VAR_POSITIONAL:
            options.append(_option(each.name, hint, needed=each.default is each.empty))
    return MappingProxyType({option.name: option for option in options})


def _unpacked(hint: object) -> list[Option]:
    """The options of a `TypedDict` that keywords are said to have."""
    kinds = get_args(hint) if get_origin(hint) is Unpack else ()
    return [
        _option(
            name, _hint(annotation.__forward_arg__, {**vars(sys.modules[kind.__module__]), **_SPELT}), needed=False
        )
        for kind in kinds
        for name, annotation in kind.__annotations__.items()
    ]


def _option(argument: str, hint: object, *, needed: bool) -> Option:
    part, many = _part(hint)
    plain = _adapter(hint) if part is None else None
    return Option(argument.removesuffix("_controller"), argument, part, many, needed, plain)


def _hint(annotation: object, names: dict[str, object]) -> object:
    """What an annotation means; anything, where it names what only a type checker sees."""
    try:
        return eval(annotation, names) if isinstance(annotation, str) else annotation
    except (NameError, TypeError):
        return object


def _part(hint: object) -> tuple[str | None, bool]:
    """Which part a hint names, and whether several of them."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        found = (_part(each) for each in inner if each is not NoneType)
        part, many = next((each for each in found if each[0] is not None), (None, False))
        named = any(each is str or get_origin(each) is Literal for each in inner)
        return (None, False) if part == "method" and named else (part, many)  # a text there names no method
    if isinstance(origin, type) and issubclass(origin, Sequence | Mapping):
        return _part(inner[-1] if inner[-1] is not Ellipsis else inner[0])[0], True
    return PARTS.get(hint) if isinstance(hint, type) else None, False


def _adapter(hint: Any) -> TypeAdapter[object] | None:
    try:
        adapter: TypeAdapter[object] = TypeAdapter(hint)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, TypeError):
        return None
    return adapter if adapter.pydantic_complete else None
