"""What a ScaffoldingLLM is made of as plain data, without credentials, and a wrapped LLM back."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from llama_index.core.llms import LLM

from scaffolding_core import Answers, InvalidRequestError

__all__ = ["check_complete", "llm_from_dict", "llm_to_dict", "to_plain"]

_MODULE = "llm_module"
_CLASS = "llm_class"
_OBJECT = "python_object"
_SECRETS = ("api_key", "secret", "password", "credential", "access_token", "headers", "authorization")


def to_plain(value: object) -> Any:  # Any: whatever JSON can hold
    """A value as JSON has it; an object that JSON cannot hold is told by its class alone.

    Whatever may be a credential, by its name, is left out.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Answers) and value.kind:
        return to_plain({"kind": value.kind, **value.parameters})
    if isinstance(value, Mapping):
        return {str(name): to_plain(part) for name, part in value.items() if not _is_secret(str(name))}
    if isinstance(value, list | tuple):
        return [to_plain(part) for part in value]
    return {_OBJECT: type(value).__name__}


def check_complete(fields: Mapping[str, object]) -> None:
    """Check that no field holds an object that the data only name.

    Raises:
        InvalidRequestError: one does.
    """
    for name, value in fields.items():
        kind = _object_in(value)
        if kind is not None:
            raise InvalidRequestError(f"the {kind} in {name!r} is not in the data: pass {name}= to from_dict()")


def llm_to_dict(llm: LLM) -> dict[str, Any]:
    """The LLM's fields and its class; whatever may be a credential is left out."""
    return {**to_plain(llm.to_dict()), _MODULE: type(llm).__module__, _CLASS: type(llm).__qualname__}


def llm_from_dict(data: Mapping[str, Any]) -> LLM:
    """The LLM that the data describe; credentials come from wherever its class looks for them.

    Its class must be imported already, or be LlamaIndex's own: data name no other code to run.

    Raises:
        InvalidRequestError: no such class.
    """
    fields = dict(data)
    module, name = str(fields.pop(_MODULE, "")), str(fields.pop(_CLASS, ""))
    if module.startswith(("llama_index.", "llamaindex_scaffolding.")):
        importlib.import_module(module)
    for cls in _subclasses(LLM):  # type: ignore[type-abstract]  # only its subclasses are built
        if (cls.__module__, cls.__qualname__) == (module, name):
            return cls.from_dict(fields)
    raise InvalidRequestError(f"the class {module}.{name} of the wrapped LLM is not imported: import it first")


def _object_in(value: object) -> str | None:
    if isinstance(value, list):
        return next(filter(None, map(_object_in, value)), None)
    if not isinstance(value, Mapping):
        return None
    if value.keys() == {_OBJECT}:
        return str(value[_OBJECT])
    return next(filter(None, map(_object_in, value.values())), None)


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRETS)


def _subclasses(cls: type[LLM]) -> Iterator[type[LLM]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
