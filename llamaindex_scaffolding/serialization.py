"""A wrapped LLM as plain data, without its credentials, and back."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from llama_index.core.llms import LLM

from scaffolding_core import InvalidRequestError

__all__ = ["llm_from_dict", "llm_to_dict"]

_MODULE = "llm_module"
_CLASS = "llm_class"
_SECRETS = ("api_key", "secret", "password", "credential", "access_token", "headers", "authorization")


def llm_to_dict(llm: LLM) -> dict[str, Any]:
    """The LLM's fields and its class; whatever may be a credential is left out."""
    fields = {name: value for name, value in llm.to_dict().items() if not _is_secret(name)}
    return {**fields, _MODULE: type(llm).__module__, _CLASS: type(llm).__qualname__}


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


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRETS)


def _subclasses(cls: type[LLM]) -> Iterator[type[LLM]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
