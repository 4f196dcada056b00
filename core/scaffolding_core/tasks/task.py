"""Tasks: one piece of work for a worker, its inputs, and, once it ran, its results.

A task's fields are None until somebody sets them: the caller first, then a controller's defaults, then the
worker's own. Tasks are plain data: they know no backend and no event loop.
"""

from __future__ import annotations

import enum
import functools
import operator
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeVar, cast

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import (
    AssistantMessage,
    JsonObject,
    RoleMessage,
    SystemMessage,
    TokenLogprob,
    ToolCall,
    ToolDescription,
    Usage,
    UserMessage,
)
from scaffolding_core.results import ScaffoldingOutput

if TYPE_CHECKING:
    from scaffolding_core.answers import Acceptance

__all__ = [
    "SAMPLING_PARAMETERS",
    "ChatTask",
    "ComputeTask",
    "Delta",
    "GenerationTask",
    "MCPCallTask",
    "RewardTask",
    "Scope",
    "StreamGenerationTask",
    "StreamHandle",
    "Task",
    "TaskStatus",
    "TokenLogprob",
    "result_fields",
]


class TaskStatus(enum.Enum):
    """What a worker's handler may return instead of raising.

    Here errors are raised; these are understood so that workers written for TensorRT-LLM's scaffolding run.
    """

    SUCCESS = "success"
    WORKER_NOT_SUPPORTED = "worker_not_supported"
    WORKER_EXECEPTION = "worker_exception"  # the misspelt name is the public one


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer as it is written."""

    text: str = ""
    reasoning: str = ""


class Scope(Protocol):
    """What a running task may know of the request it belongs to; the driver provides it."""

    @property
    def request_id(self) -> int:
        """Number of the request, unique in this process."""

    @property
    def branch(self) -> tuple[int, ...]:
        """Path of the branch that yielded the task; `()` is the request's own generator."""

    @property
    def deadline(self) -> float | None:
        """When the request ends at the latest, on the running loop's clock (`loop.time()`)."""

    @property
    def listening(self) -> bool:
        """Whether anybody listens to `emit`."""

    def emit(self, delta: Delta) -> None:
        """Hand on a piece of the answer."""


class StreamHandle(Protocol):
    """An open stream that a `StreamGenerationTask` goes on reading; closing it aborts at the backend."""

    async def aclose(self) -> None:
        """Abort, and free what the stream holds."""


T = TypeVar("T", bound="Task")


@dataclass(slots=True, eq=False, repr=False)
class Task:
    """One piece of work for a worker.

    Args:
        worker_tag: which worker runs it: a key of the `workers` given to `ScaffoldingLlm`.
        custom_input_params: whatever a worker and a controller of yours agree on.
        custom_output_params: as above, filled by the worker.

    Attributes:
        usage: what it cost; None until it ran.
        error: why it failed, where it did.
        scope: the request it runs in; set by the driver.
    """

    is_sample: ClassVar[bool] = False
    """Whether a budget of samples counts it."""
    goes_on: ClassVar[bool] = False
    """Whether it is run again to go on where it stopped."""
    needs_worker: ClassVar[bool] = True
    """Whether a worker runs it."""

    worker_tag: Hashable = None
    custom_input_params: dict[str, object] | None = None
    custom_output_params: dict[str, object] | None = field(default=None, kw_only=True)
    usage: Usage | None = field(default=None, kw_only=True)
    error: Exception | None = field(default=None, kw_only=True)
    scope: Scope | None = field(default=None, kw_only=True, repr=False)

    def copy(self) -> Self:
        """A task with the same inputs and no results; what the inputs refer to is shared."""
        new: Self = _copier(type(self))(self)  # type: ignore[arg-type]  # a class is hashable
        return new

    @property
    def streaming_output_flag(self) -> bool:
        """Whether text is wanted as it is written: whenever somebody listens, whatever is set here."""
        return self.scope is not None and self.scope.listening

    @streaming_output_flag.setter
    def streaming_output_flag(self, wanted: bool) -> None:
        pass  # accepted for TensorRT-LLM's call shape

    def create_scaffolding_output(self) -> ScaffoldingOutput:
        """What the task holds as the output of a method."""
        return ScaffoldingOutput()

    def __init_subclass__(cls) -> None:
        own_init = "__init__" in vars(cls) and "__dataclass_fields__" not in vars(cls)
        if own_init:  # it may not call this one's, and then sets no defaults
            cls.__getattr__ = _default_of_field  # type: ignore[attr-defined]  # only here: it slows every read

    def __repr__(self) -> str:
        given = (f"{f.name}={v!r}" for f in fields(self) if f.repr and (v := getattr(self, f.name)) is not None)
        return f"{type(self).__name__}({', '.join(given)})"


_RESULTS = frozenset(
    {
        "custom_output_params", "usage", "error", "scope",
        "output_str", "output_tokens", "finish_reason", "logprobs", "context_logits", "reasoning",
        "tool_calls", "customized_result_fields", "original", "request_handle", "end_flag", "cancel_flag",
        "reward", "step_rewards", "result_str", "result", "group",
    }
)  # fmt: skip


def _default_of_field(task: Task, name: str) -> object:
    for f in fields(task):
        if f.name == name and f.default is not MISSING:
            return f.default
    raise AttributeError(f"{type(task).__name__!r} object has no attribute {name!r}")


@functools.cache
def result_fields(cls: type) -> frozenset[str]:
    """Names of the fields of a kind of task that a worker fills, and that a copy does not have."""
    return frozenset(f.name for f in fields(cls) if f.name in _RESULTS)


@functools.cache
def _inputs(cls: type[Task]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls) if f.name not in _RESULTS)


@functools.cache
def _copier(cls: type[T]) -> Callable[[T], T]:
    inputs = _inputs(cls)  # type: ignore[arg-type]  # a class is hashable
    copied = ["new.__dict__.update(task.__dict__)"] if cls.__dictoffset__ else []  # a subclass without slots
    copied += [f"new.{name} = task.{name}" for name in inputs]
    return _maker(cls, copied, inputs)


def _maker(cls: type[T], lines: list[str], taken: Collection[str]) -> Callable[..., T]:
    """A function that makes tasks of a class: a line for each field, as in the `__init__` of a dataclass.

    It takes a third of the time of a constructor with so many arguments.
    """
    unset = [f"new.{f.name} = {f.default!r}" for f in fields(cls) if f.name not in taken]
    body = ["def make(task=None):", "new = create(cls)", *lines, *unset, "return new"]
    namespace: dict[str, Callable[..., T]] = {}
    exec("\n ".join(body), {"cls": cls, "create": object.__new__}, namespace)
    return namespace["make"]


@dataclass(slots=True, eq=False, repr=False)
class _SampledTask(Task):
    """The sampling parameters of every backend, each None until somebody sets it.

    Names and meanings are those of OpenAI's API and of TensorRT-LLM's `SamplingParams`.
    """

    max_tokens: int | None = field(default=None, kw_only=True)
    min_tokens: int | None = field(default=None, kw_only=True)
    temperature: float | None = field(default=None, kw_only=True)
    top_p: float | None = field(default=None, kw_only=True)
    top_k: int | None = field(default=None, kw_only=True)
    min_p: float | None = field(default=None, kw_only=True)
    top_p_min: float | None = field(default=None, kw_only=True)
    top_p_decay: float | None = field(default=None, kw_only=True)
    top_p_reset_ids: int | None = field(default=None, kw_only=True)
    seed: int | None = field(default=None, kw_only=True)
    n: int | None = field(default=None, kw_only=True)
    best_of: int | None = field(default=None, kw_only=True)
    use_beam_search: bool | None = field(default=None, kw_only=True)
    beam_search_diversity_rate: float | None = field(default=None, kw_only=True)
    length_penalty: float | None = field(default=None, kw_only=True)
    early_stopping: bool | int | str | None = field(default=None, kw_only=True)
    frequency_penalty: float | None = field(default=None, kw_only=True)
    presence_penalty: float | None = field(default=None, kw_only=True)
    repetition_penalty: float | None = field(default=None, kw_only=True)
    no_repeat_ngram_size: int | None = field(default=None, kw_only=True)
    logit_bias: Mapping[str, float] | None = field(default=None, kw_only=True)
    stop: str | Sequence[str] | None = field(default=None, kw_only=True)
    stop_token_ids: Sequence[int] | None = field(default=None, kw_only=True)
    bad: str | Sequence[str] | None = field(default=None, kw_only=True)
    bad_token_ids: Sequence[int] | None = field(default=None, kw_only=True)
    include_stop_str_in_output: bool | None = field(default=None, kw_only=True)
    ignore_eos: bool | None = field(default=None, kw_only=True)
    echo: bool | None = field(default=None, kw_only=True)
    suffix: str | None = field(default=None, kw_only=True)
    num_logprobs: int | None = field(default=None, kw_only=True)
    prompt_logprobs: int | None = field(default=None, kw_only=True)
    return_context_logits: bool | None = field(default=None, kw_only=True)
    return_generation_logits: bool | None = field(default=None, kw_only=True)
    skip_tokenizer: bool | None = field(default=None, kw_only=True)
    skip_detokenizer: bool | None = field(default=None, kw_only=True)
    skip_special_tokens: bool | None = field(default=None, kw_only=True)
    spaces_between_special_tokens: bool | None = field(default=None, kw_only=True)
    add_special_tokens: bool | None = field(default=None, kw_only=True)
    truncate_prompt_tokens: int | None = field(default=None, kw_only=True)
    prompt_ignore_length: int | None = field(default=None, kw_only=True)
    reasoning_effort: str | None = field(default=None, kw_only=True)
    thinking_token_budget: int | None = field(default=None, kw_only=True)
    response_format: JsonObject | None = field(default=None, kw_only=True)
    tool_choice: str | JsonObject | None = field(default=None, kw_only=True)
    parallel_tool_calls: bool | None = field(default=None, kw_only=True)
    chat_template_kwargs: JsonObject | None = field(default=None, kw_only=True)
    lora_request: JsonObject | None = field(default=None, kw_only=True)
    cache_salt: str | None = field(default=None, kw_only=True)
    user: str | None = field(default=None, kw_only=True)
    extra_body: JsonObject | None = field(default=None, kw_only=True)


SAMPLING_PARAMETERS = frozenset(f.name for f in fields(_SampledTask)) - {f.name for f in fields(Task)}
"""Names of the parameters that a caller or a controller may set on a `GenerationTask`."""


@dataclass(slots=True, eq=False, repr=False)
class GenerationTask(_SampledTask):
    """Complete a prompt.

    Args:
        input_str: the prompt as text.
        input_tokens: the prompt as token ids, instead of a text.
        acceptance: what whoever acts on the answer accepts of it; a method gives no vote to anything else. None
            accepts anything but calls that a chat's `tools` refuse.

    Attributes:
        output_str: the text.
        output_tokens: its token ids, where the backend tells them.
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, or `cancelled`.
        logprobs: of each token, where `num_logprobs` asked for them.
        context_logits: as the backend returns them.
        reasoning: thoughts that the backend tells apart from the text.
        tool_calls: tools that the model wants called.
        customized_result_fields: whatever a worker of yours adds.
        original: the answer as a wrapped library gave it, whole.
        group: shared by siblings (same prompt, same parameters, made together): a worker may answer
            those that start together with one request.
    """

    is_sample: ClassVar[bool] = True

    input_str: str | None = None
    input_tokens: Sequence[int] | None = field(default=None, kw_only=True)
    acceptance: Acceptance | None = field(default=None, kw_only=True, repr=False)
    output_str: str | None = field(default=None, kw_only=True)
    output_tokens: list[int] | None = field(default=None, kw_only=True)
    finish_reason: str | None = field(default=None, kw_only=True)
    logprobs: list[TokenLogprob] | None = field(default=None, kw_only=True)
    context_logits: object = field(default=None, kw_only=True)
    reasoning: str | None = field(default=None, kw_only=True)
    tool_calls: list[ToolCall] | None = field(default=None, kw_only=True)
    customized_result_fields: dict[str, object] | None = field(default=None, kw_only=True)
    original: object = field(default=None, kw_only=True, repr=False)
    group: object = field(default=None, kw_only=True, repr=False)

    @classmethod
    def create_from_prompt(cls, prompt: str) -> Self:
        """A task for a prompt."""
        if cls is not GenerationTask:  # it may have an `__init__` of its own
            return cls(input_str=prompt)
        task = _unset_task()
        task.input_str = prompt
        return cast("Self", task)

    def sampling(self) -> dict[str, object]:
        """The sampling parameters that are set, by name."""
        values = _read_sampling(self)
        return {name: value for name, value in zip(_SAMPLING, values, strict=True) if value is not None}

    def fill(self, parameters: Mapping[str, object]) -> None:
        """Set each parameter that nobody has set yet.

        Raises:
            InvalidRequestError: a name that is no sampling parameter.
        """
        for name, value in parameters.items():
            if name not in SAMPLING_PARAMETERS:
                raise InvalidRequestError(
                    f"{name!r} is no sampling parameter; known ones: {', '.join(sorted(SAMPLING_PARAMETERS))}"
                )
            if getattr(self, name) is None:
                setattr(self, name, value)

    def take_results(self, other: GenerationTask) -> None:
        """Take over the results of another task, whole: text, thoughts, tool calls, log probabilities."""
        for name in _TEXT_RESULTS:
            setattr(self, name, getattr(other, name))

    def create_scaffolding_output(self) -> ScaffoldingOutput:
        """The result as the output of a method."""
        return ScaffoldingOutput(self.message(), self.output_tokens, finish_reason=self.finish_reason)

    def message(self) -> AssistantMessage:
        """The result as a message."""
        message = AssistantMessage(self.output_str, self.reasoning, self.tool_calls)
        message.original = self.original
        return message


_unset_task = _maker(GenerationTask, [], ())
_SAMPLING = tuple(sorted(SAMPLING_PARAMETERS))
_read_sampling = operator.attrgetter(*_SAMPLING)
_TEXT_RESULTS = (
    "output_str", "output_tokens", "finish_reason", "logprobs", "context_logits", "reasoning", "tool_calls",
    "customized_result_fields", "custom_output_params", "original",
)  # fmt: skip


@dataclass(slots=True, eq=False, repr=False)
class StreamGenerationTask(GenerationTask):
    """Complete a prompt step by step: each time it is yielded it goes on by `streaming_step` tokens.

    Args:
        streaming_step: tokens per step, at least 1.

    Attributes:
        cancel_flag: set it and yield the task once more to abort at the backend.
        end_flag: True once there is no more.
        request_handle: the open stream; the driver closes it with the request.
    """

    goes_on: ClassVar[bool] = True

    streaming_step: int = field(default=1, kw_only=True)
    cancel_flag: bool = field(default=False, kw_only=True)
    end_flag: bool = field(default=False, kw_only=True)
    request_handle: StreamHandle | None = field(default=None, kw_only=True, repr=False)

    @classmethod
    def create_from_generation_task(cls, task: GenerationTask, streaming_step: int) -> StreamGenerationTask:
        """A task with the inputs of another."""
        new = cls(streaming_step=streaming_step)
        for name in _inputs(GenerationTask):
            setattr(new, name, getattr(task, name))
        return new


@dataclass(slots=True, eq=False, repr=False)
class ChatTask(GenerationTask):
    """Answer a chat.

    Args:
        messages: the chat so far.
        tools: what the model may call; ours, or dicts in OpenAI's shape.
    """

    messages: list[RoleMessage] = field(default_factory=list, kw_only=True)
    tools: Sequence[ToolDescription | JsonObject] | None = field(default=None, kw_only=True)

    @classmethod
    def create_from_prompt(
        cls,
        user_prompt: str,
        system_prompts: Sequence[SystemMessage] | None = None,
        tools: Sequence[ToolDescription] | None = None,
    ) -> Self:
        """A chat of one question, behind system prompts where there are any."""
        return cls(messages=[*(system_prompts or ()), UserMessage(user_prompt)], tools=tools)

    @classmethod
    def create_from_messages(
        cls, messages: Sequence[RoleMessage], tools: Sequence[ToolDescription] | None = None
    ) -> Self:
        """A task for a chat."""
        return cls(messages=list(messages), tools=tools)

    def tools_to_dict(self) -> list[dict[str, object]]:
        """The tools as OpenAI writes them."""
        return [dict(tool.to_dict() if isinstance(tool, ToolDescription) else tool) for tool in self.tools or ()]

    def add_message(self, message: RoleMessage) -> None:
        """Append a message, in a list of this task's own."""
        self.messages = [*self.messages, message]

    def add_messages(self, messages: Sequence[RoleMessage]) -> None:
        """Append messages, in a list of this task's own."""
        self.messages = [*self.messages, *messages]

    def messages_to_dict_content(self, start_index: int = 0) -> list[dict[str, object]]:
        """The messages from an index on, as OpenAI writes them."""
        return [dict(message.to_dict()) for message in self.messages[start_index:]]


@dataclass(slots=True, eq=False, repr=False)
class RewardTask(Task):
    """Score an answer.

    Args:
        input_str: the prompt as text.
        input_tokens: the prompt as token ids.
        messages: the prompt as a chat.
        response: the answer to score.

    Attributes:
        reward: the score; higher is better.
        step_rewards: a score for each step, from a process reward model.
    """

    input_str: str | None = None
    input_tokens: Sequence[int] | None = field(default=None, kw_only=True)
    messages: list[RoleMessage] | None = field(default=None, kw_only=True)
    response: AssistantMessage | None = field(default=None, kw_only=True)
    reward: float | None = field(default=None, kw_only=True)
    step_rewards: list[float] | None = field(default=None, kw_only=True)

    @classmethod
    def for_answer(cls, task: GenerationTask) -> RewardTask:
        """A task that scores the result of another."""
        return cls(
            input_str=task.input_str,
            input_tokens=task.input_tokens,
            messages=task.messages if isinstance(task, ChatTask) else None,
            response=task.message(),
        )


@dataclass(slots=True, eq=False, repr=False)
class MCPCallTask(Task):
    """Call a tool.

    Args:
        tool_call_id: ties it to the `ToolCall` that asked for it.
        tool_name: of the tool.
        args: its arguments, a JSON object as text.

    Attributes:
        result_str: what the tool answered.
    """

    tool_call_id: str | None = field(default=None, kw_only=True)
    tool_name: str | None = field(default=None, kw_only=True)
    args: str | None = field(default=None, kw_only=True)
    result_str: str | None = field(default=None, kw_only=True)

    @classmethod
    def create_mcptask(
        cls, tool_call_id: str, tool_name: str, args: str, worker_tag: Hashable = None
    ) -> MCPCallTask:
        """A task for a tool call."""
        return cls(worker_tag, tool_call_id=tool_call_id, tool_name=tool_name, args=args)


@dataclass(slots=True, eq=False, repr=False)
class ComputeTask(Task):
    """Run a function off the event loop, or an async one on it: no worker is needed.

    Nothing is charged, unless the function sets the task's usage.

    For what a method has to compute itself and what may take longer than a few milliseconds, such as
    comparing answers mathematically. It goes on for as long as the request has time, and for a moment after, so
    that what is quick can still be chosen from what is there; then `BudgetExceededError` is thrown where it is
    waited for.

    Args:
        function: takes nothing; must be pure, since a replayed run calls it again.

    Attributes:
        result: what it returned.
    """

    needs_worker: ClassVar[bool] = False

    function: Callable[[], object] | None = field(default=None, kw_only=True)
    result: object = field(default=None, kw_only=True)
