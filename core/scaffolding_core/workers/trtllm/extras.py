"""What `generate_async` is told beside prompt and sampling parameters, as far as its version takes it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from scaffolding_core.errors import BackendUnavailableError, InvalidRequestError, UnsupportedParameterError
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.hints import agent_hierarchy, scheduler_priority
from scaffolding_core.workers.trtllm.llm_api import Llm, found, named_parameters, takes

__all__ = ["request_extras"]


def request_extras(llm: Llm, task: GenerationTask) -> dict[str, Any]:  # Any: as generate_async takes them
    """The further keywords of a task's request.

    What a user has set must be taken; what the request knows of itself is told to whoever takes it.

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
    return {**extras, **_hints(llm, task)}


def _hints(llm: Llm, task: GenerationTask) -> dict[str, Any]:
    scope, named = task.scope, named_parameters(llm.generate_async)
    if scope is None:
        return {}
    hints: dict[str, Any] = {}
    priority = getattr(scope, "priority", 0)
    if priority and "priority" in named:
        hints["priority"] = scheduler_priority(priority)
    with suppress(BackendUnavailableError):  # a version without them
        if "scheduling_params" in named and takes(scheduling := found("SchedulingParams"), "agent_hierarchy"):
            hints["scheduling_params"] = scheduling(agent_hierarchy=agent_hierarchy(scope))
        if "conversation_params" in named:
            hints["conversation_params"] = found("ConversationParams")(conversation_id=str(scope.request_id))
    return hints


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
