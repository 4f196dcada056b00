"""What a task sets of a request beside prompt and sampling parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffolding_core.errors import InvalidRequestError, UnsupportedParameterError
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.trtllm.llm_api import Llm, found, takes

__all__ = ["request_extras"]


# Any, in this file: as generate_async takes them.
def request_extras(llm: Llm, task: GenerationTask) -> dict[str, Any]:
    """The further keywords that a task sets.

    Raises:
        UnsupportedParameterError: this version lacks what the task sets.
        InvalidRequestError: no LoRA adapter can be made of what is given.
    """
    extras: dict[str, Any] = {}
    if task.cache_salt is not None:
        _check_taken(llm, "cache_salt")
        extras["cache_salt"] = task.cache_salt
    if task.lora_request is not None:
        _check_taken(llm, "lora_request")
        extras["lora_request"] = _adapter(task.lora_request)
    return extras


def _check_taken(llm: Llm, name: str) -> None:
    if not takes(llm.generate_async, name):
        raise UnsupportedParameterError(f"this TensorRT-LLM takes no {name!r}: leave it out, or update it")


def _adapter(given: object) -> object:
    if not isinstance(given, Mapping):
        return given  # a LoRARequest already
    try:
        return found("LoRARequest")(**given)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"lora_request names no LoRA adapter: {error}") from error
