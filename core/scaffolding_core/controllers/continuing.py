"""Answers that are written in parts, each of which goes on where the one before has stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scaffolding_core.controller import Controller, Steps, parts_of
from scaffolding_core.controllers.native_generation import NativeGenerationController
from scaffolding_core.controllers.samples import derived_seed
from scaffolding_core.errors import InvalidRequestError, UnsupportedTaskError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = [
    "checked_continuable",
    "joined",
    "part_of",
    "stopped_at",
    "stops_of",
    "thoughts_apart",
    "tokens_of",
    "tokens_within",
    "total_tokens",
    "written",
]


def checked_continuable(tasks: Sequence[GenerationTask]) -> GenerationTask:
    """The one task, if its answer can be gone on with.

    Raises:
        InvalidRequestError: not one task, or one of token ids.
    """
    if len(tasks) != 1:
        raise InvalidRequestError(f"one answer is written part by part: give one task, not {len(tasks)}")
    task = tasks[0]
    if not isinstance(task, ChatTask) and task.input_str is None:
        raise InvalidRequestError("an answer to token ids cannot be gone on with as text: give input_str")
    return task


def part_of(
    task: GenerationTask, before: str, *, place: Sequence[int], stop: str | None = None, tokens: int | None = None
) -> GenerationTask:
    """A task that goes on with what was written before, and stops where the answer itself would, too.

    Args:
        task: that is answered.
        before: what was written of the answer.
        place: of the part, which its seed depends on.
        stop: where else it stops.
        tokens: at most; None for no limit of the part's own.
    """
    part = task.continued(before)
    if task.seed is not None:
        for number in place:
            part.seed = derived_seed(part.seed or 0, number)
    if stop is not None:
        part.stop = [*stops_of(task), stop]
    if tokens is not None:
        part.max_tokens = tokens
    return part


def written(
    controller: Controller, part: GenerationTask, options: Mapping[str, object] | None = None
) -> Steps[AssistantMessage]:
    """What a method writes for a part, whole.

    Raises:
        BudgetExceededError: time was up in the midst of it.
    """
    yield from controller.clone().process([part], **(options or {}))
    if part.finish_reason == "cancelled" and part.error is not None:
        raise part.error
    return part.message()


def stops_of(task: GenerationTask) -> list[str]:
    """Where the answer to a task stops by its own parameters."""
    return [task.stop] if isinstance(task.stop, str) else list(task.stop or ())


def stopped_at(part: GenerationTask) -> str | None:
    """The text at which a part has stopped, which it may lack; empty where none did; None where nobody tells."""
    told = part.customized_result_fields or {}
    if "stop_reason" not in told:
        return None
    reason = told["stop_reason"]
    return reason if isinstance(reason, str) else ""


def tokens_of(part: GenerationTask) -> int:
    """Tokens written for a part, thoughts included; its words where nobody tells."""
    if part.usage is not None and part.usage.completion_tokens:
        return part.usage.completion_tokens
    said = part.message()
    return len(said.output_tokens or ()) or len(f"{said.reasoning or ''} {said.text}".split())


def total_tokens(controller: Controller, task: GenerationTask) -> int | None:
    """Tokens that an answer may have, by the task or by the defaults of what writes it, at whatever depth."""
    if task.max_tokens is not None:
        return task.max_tokens
    lone = controller.as_task(task.copy())
    if lone is not None:
        return lone.max_tokens
    writes = NativeGenerationController.WorkerTag.GENERATION
    deeper = [part.as_task(task.copy()) for part in parts_of(controller) if writes in part.needs]
    return tokens_within(*(part.max_tokens for part in deeper if part is not None))


def tokens_within(*limits: int | None) -> int | None:
    """The lowest of the limits that there are."""
    return min((limit for limit in limits if limit is not None), default=None)


def joined(parts: Sequence[AssistantMessage], text: str, finish_reason: str | None) -> AssistantMessage:
    """The parts as one message.

    Args:
        parts: in their order.
        text: theirs, with what was put between them.
        finish_reason: of the whole.
    """
    tokens = [token for part in parts for token in part.output_tokens or ()]
    told = all(part.output_tokens for part in parts) and "".join(part.text for part in parts) == text
    logprobs = [logprob for part in parts for logprob in part.logprobs or ()]
    return AssistantMessage(
        text,
        "".join(part.reasoning or "" for part in parts) or None,
        [call for part in parts for call in part.tool_calls or ()] or None,
        finish_reason=finish_reason,
        logprobs=logprobs or None,
        output_tokens=tokens if tokens and told else None,
    )


def thoughts_apart() -> UnsupportedTaskError:
    """The error where a server tells thoughts apart that would have to be gone on with."""
    return UnsupportedTaskError(
        "the server tells thoughts apart from the text, and a chat cannot go on with a thought: serve the model "
        "without a reasoning parser, give a text prompt, or turn its thinking off"
    )
