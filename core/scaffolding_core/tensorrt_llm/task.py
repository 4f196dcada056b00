"""Tasks as TensorRT-LLM's programs use them: open objects, with all fields in `vars(task)` and plain defaults.

Each is a task of the core, so that any worker of the core can run it.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from types import MemberDescriptorType
from typing import Any, ClassVar, Self, TypeVar

import scaffolding_core.messages as core_messages
import scaffolding_core.tasks as core
from scaffolding_core.messages import OpenAIToolDescription, Part, ToolDescription
from scaffolding_core.tasks import SAMPLING_PARAMETERS
from scaffolding_core.tasks.roles import OF_RUN, RESULT, inputs_of
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope
from scaffolding_core.tensorrt_llm.logprobs import TokenLogprobs
from scaffolding_core.tensorrt_llm.message import (
    AssistantMessage,
    RoleMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput
from scaffolding_core.tensorrt_llm.task_result import PARTS, Completion, TaskResult

__all__ = [
    "AssistantMessage",
    "ChatTask",
    "DropKVCacheTask",
    "GenerationTask",
    "MCPCallTask",
    "OpenAIToolDescription",
    "RewardTask",
    "RoleMessage",
    "ScaffoldingOutput",
    "StreamGenerationTask",
    "SystemMessage",
    "Task",
    "TaskStatus",
    "TokenizeTask",
    "ToolDescription",
    "ToolMessage",
    "UserMessage",
]

C = TypeVar("C", bound=type[core.Task])

_PARTS: Mapping[str, str] = {
    name: part.name for name, part in vars(core.GenerationTask).items() if isinstance(part, Part)
}
"""The attributes of a generation that are parts of what the model said, and what they are called there."""


class TaskStatus(enum.Enum):
    """How a worker says that a task ended."""

    SUCCESS = "success"
    WORKER_NOT_SUPPORTED = "worker_not_supported"
    WORKER_EXECEPTION = "worker_exception"  # the misspelt name is the public one


def _open(cls: C) -> C:
    """Let all that a task holds live in its `__dict__`, by hiding the core's slots and parts behind defaults."""
    hidden: dict[str, object] = {name: None for name in _PARTS if isinstance(getattr(cls, name, None), Part)}
    for f in fields(cls):
        if isinstance(getattr(cls, f.name, None), MemberDescriptorType):
            hidden[f.name] = None if f.default is MISSING else f.default
    for name, default in hidden.items():
        setattr(cls, name, default)
    # Programs look up in it what a task has.
    cls.__annotations__ = {f.name: f.type for f in fields(cls)} | cls.__annotations__
    return cls


def _default(cls: type[core.Task]) -> dict[str, object]:
    """What the fields of a new task hold."""
    made = {f.name: f.default_factory() for f in fields(cls) if f.default_factory is not MISSING}
    return made | {f.name: f.default for f in fields(cls) if f.default is not MISSING}


@_open
@dataclass(eq=False, repr=False)
class Task(core.Task):
    """One piece of work for a worker.

    Args:
        worker_tag: which worker runs it: a key of the `workers` given to `ScaffoldingLlm`.
        streaming_output_flag: whether its text is handed out as it is written.

    Attributes:
        streaming_output_list: what was handed out, each a `ScaffoldingOutput` with the text so far.
        execution_scope: where in its request it was yielded.
    """

    streaming_output_flag: bool = field(default=False, kw_only=True)
    streaming_output_list: list[ScaffoldingOutput] = field(default_factory=list, kw_only=True, metadata=RESULT)
    execution_scope: ExecutionScope | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)

    @classmethod
    def create_from_prompt(cls, prompt: Any) -> Any:  # Any: a subclass decides both
        """A task for a prompt; None, unless a subclass makes one."""
        return None

    def create_scaffolding_output(self) -> ScaffoldingOutput:
        """What the task holds as the output of a method."""
        return ScaffoldingOutput()

    def create_scaffolding_output_stream(self) -> list[ScaffoldingOutput]:
        """What it has handed out while it was written."""
        return self.streaming_output_list

    def copy(self) -> Self:
        """A task with the same inputs and no results; what the inputs refer to is shared."""
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        asked = inputs_of(type(self))
        for name, default in _default(type(self)).items():
            if name not in asked:
                setattr(new, name, default)
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = object.__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(copy.deepcopy(self.__getstate__(), memo))
        return new

    def __getstate__(self) -> dict[str, object]:
        """All that it holds, but for the driver's."""
        return vars(self) | {"scope": None}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, f.name, None) == getattr(other, f.name, None) for f in fields(self))

    __hash__ = object.__hash__  # a task that runs is told from its equals

    def __repr__(self) -> str:
        new = _default(type(self))
        told = (
            f"{f.name}={v!r}"
            for f in fields(self)
            if f.repr and (v := getattr(self, f.name, None)) != new.get(f.name)
        )
        return f"{type(self).__name__}({', '.join(told)})"


@_open
@dataclass(eq=False, repr=False)
class GenerationTask(Task, core.GenerationTask):
    """Complete a prompt; the parameters are the core's, some with plain defaults, which ask for nothing.

    Attributes:
        ttft_s: seconds until the first token, where the worker tells.
        latency_s: seconds in all.
        usage_prompt_tokens: tokens read, as the server counts them.
        usage_completion_tokens: tokens written.
        request_id: the server's.
        llm_request_params: what the server was asked beside the prompt.
    """

    skip_tokenizer: bool = field(default=False, kw_only=True)
    skip_detokenizer: bool = field(default=False, kw_only=True)
    echo: bool | None = field(default=False, kw_only=True)
    frequency_penalty: float | None = field(default=0.0, kw_only=True)
    presence_penalty: float | None = field(default=0.0, kw_only=True)
    n: int = field(default=1, kw_only=True)
    stop: Any = field(default_factory=list, kw_only=True)  # Any: a list to append to, or a text
    ignore_eos: bool | None = field(default=False, kw_only=True)
    return_context_logits: bool | None = field(default=False, kw_only=True)
    customized_result_fields: dict[str, Any] = field(default_factory=dict, kw_only=True, metadata=RESULT)
    ttft_s: float | None = field(default=None, kw_only=True, metadata=RESULT)
    latency_s: float | None = field(default=None, kw_only=True, metadata=RESULT)
    usage_prompt_tokens: int | None = field(default=None, kw_only=True, metadata=RESULT)
    usage_completion_tokens: int | None = field(default=None, kw_only=True, metadata=RESULT)
    request_id: str | None = field(default=None, kw_only=True, metadata=RESULT)
    llm_request_params: dict[str, Any] | None = field(default=None, kw_only=True, metadata=RESULT)
    cumulative_logprob: float | None = field(default=None, kw_only=True, metadata=RESULT)
    given_result: Any = field(default=None, kw_only=True, repr=False, metadata=RESULT)  # Any: the program's own

    # Parts of `said`, which tells of them elsewhere.
    output_str: str | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)
    output_tokens: list[int] | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)
    finish_reason: str | None = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)
    logprobs: Any = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)  # Any: of whichever backend

    @classmethod
    def create_from_prompt(cls, prompt: Any) -> Self:  # Any: whatever the worker takes
        """A task for a prompt."""
        return cls(input_str=prompt)

    @property  # type: ignore[misc]  # its parts are attributes of their own
    def said(self) -> AssistantMessage | None:
        """What the model said, put together of its parts; None as long as there is none."""
        told = {part: vars(self).get(name) for name, part in _PARTS.items()}
        return None if all(value is None for value in told.values()) else AssistantMessage(**told)

    @said.setter
    def said(self, message: core_messages.AssistantMessage | None) -> None:
        told = {name: getattr(message, part, None) for name, part in _PARTS.items()}
        places = [TokenLogprobs(place) for place in told.pop("logprobs") or ()]
        total = sum(place.logprob for place in places) if places else None
        vars(self).update(told, logprobs=places or None, cumulative_logprob=total, given_result=None)

    @property
    def result(self) -> Any:  # Any: of TensorRT-LLM, of this package, or whatever a program has set
        """What the task got back, as one object; None before.

        Setting another task's, or a `GenerationResult` of TensorRT-LLM, gives this task what that tells.
        """
        given = self.given_result
        if given is None and self.said is not None:
            parts = {part: getattr(self, name) for part, name in PARTS.items()}
            return TaskResult([Completion(**parts)], self.context_logits)
        outputs = getattr(given, "outputs", None)
        if outputs and outputs[0].text != self.output_str:  # set since
            outputs[0].text = self.output_str
        return given

    @result.setter
    def result(self, given: Any) -> None:
        if outputs := getattr(given, "outputs", None):
            vars(self).update({name: getattr(outputs[0], part, None) for part, name in PARTS.items()})
            self.context_logits = getattr(given, "context_logits", None)
        self.given_result = given

    def sampling(self) -> dict[str, object]:
        """The sampling parameters that ask for something, by name."""
        new, held = _default(type(self)), vars(self)
        return {name: held[name] for name in sorted(SAMPLING_PARAMETERS & held.keys()) if held[name] != new[name]}

    def fill(self, parameters: Mapping[str, object]) -> None:
        """Set each parameter that nobody has set yet."""
        for name in parameters.keys() - self.sampling().keys():
            setattr(self, name, parameters[name])

    def create_scaffolding_output(self) -> ScaffoldingOutput:
        """The result as the output of a method; a text that was set as `result` is one, if there is no other."""
        if self.output_str is None and isinstance(self.given_result, str):
            return ScaffoldingOutput(self.given_result)
        return ScaffoldingOutput(self.output_str, self.output_tokens, message=self.said)


@_open
@dataclass(eq=False, repr=False)
class StreamGenerationTask(GenerationTask):
    """Complete a prompt step by step: each time it is yielded it goes on by `streaming_step` tokens.

    Args:
        streaming_step: tokens of a step; 0 is taken as 1.
        cancel_flag: set it and yield the task once more to abort at the backend.

    Attributes:
        request_handle: the open stream.
        end_flag: True once there is no more.
    """

    goes_on: ClassVar[bool] = True

    cancel_flag: bool = field(default=False, kw_only=True, metadata=OF_RUN)
    streaming_step: int = field(default=1, kw_only=True)
    request_handle: Any = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)  # Any: the worker's own
    end_flag: bool = field(default=False, kw_only=True, metadata=OF_RUN)

    @classmethod
    def create_from_generation_task(cls, task: core.GenerationTask, streaming_step: int) -> StreamGenerationTask:
        """A task that holds what another does, whatever that is."""
        new = cls()
        vars(new).update(vars(task))
        new.streaming_step = streaming_step
        return new


@_open
@dataclass(eq=False, repr=False)
class RewardTask(Task, core.RewardTask):
    """Score an answer."""


@_open
@dataclass(eq=False, repr=False)
class ChatTask(StreamGenerationTask, core.ChatTask):
    """Answer a chat; once it ran, the answer is the last of its messages.

    Args:
        messages: the chat, in the very list that was given, which grows.
        tools: what the model may call.
        enable_token_counting: whether a worker tells the tokens below.
        sub_request_markers: pairs of a name and a number that say which part of an agent asks.
        unique_id: of the agent's run.

    Attributes:
        prompt_tokens_num: tokens of the prompt.
        completion_tokens_num: tokens of the answer.
        reasoning_tokens_num: those of them that are thoughts.
    """

    goes_on: ClassVar[bool] = False  # it has a stream's fields, and is run whole

    tools: Any = field(default=None, kw_only=True)  # Any: descriptions, or dicts in OpenAI's shape
    enable_token_counting: bool = field(default=False, kw_only=True)
    prompt_tokens_num: int = field(default=0, kw_only=True, metadata=RESULT)
    completion_tokens_num: int = field(default=0, kw_only=True, metadata=RESULT)
    reasoning_tokens_num: int = field(default=0, kw_only=True, metadata=RESULT)
    sub_request_markers: list[tuple[str, int]] = field(default_factory=list, kw_only=True)
    unique_id: int | None = field(default=None, kw_only=True)

    @classmethod
    def create_from_prompt(
        cls,
        user_prompt: str | None,
        system_prompts: Sequence[core_messages.SystemMessage] | None = None,
        tools: Any = None,
    ) -> Self:
        """A chat of one question, if there is one, behind system prompts."""
        new = cls(messages=list(system_prompts or ()), tools=tools)
        if user_prompt is not None:
            new.add_message(UserMessage(user_prompt))
        return new

    @classmethod
    def create_from_messages(  # type: ignore[override]  # it shares a list
        cls, messages: list[core_messages.RoleMessage], tools: Any = None
    ) -> Self:
        """A task for a chat, which shares the list."""
        return cls(messages=messages, tools=tools)

    def tools_to_dict(self) -> list[dict[str, object]]:
        """The tools as OpenAI writes them."""
        return [dict(tool if isinstance(tool, dict) else tool.to_dict()) for tool in self.tools or ()]

    def add_message(self, message: core_messages.RoleMessage) -> None:
        """Append a message."""
        self.messages.append(message)

    def add_messages(self, messages: Sequence[core_messages.RoleMessage]) -> None:
        """Append messages."""
        self.messages.extend(messages)

    def last_assistant_content(self) -> str | None:
        """What the model said last; None if it has said nothing."""
        said = (message.content for message in reversed(self.messages) if message.role == "assistant")
        return next((content for content in said if isinstance(content, str)), None)


@_open
@dataclass(eq=False, repr=False)
class MCPCallTask(Task, core.MCPCallTask):
    """Call a tool.

    Attributes:
        result_stdout: what the tool wrote to its standard output, where it tells.
        result_stderr: and to its standard error.
    """

    args: Any = field(default=None, kw_only=True)  # Any: JSON as text, or a dict
    result_stdout: str | None = field(default=None, kw_only=True, metadata=RESULT)
    result_stderr: str | None = field(default=None, kw_only=True, metadata=RESULT)

    @classmethod
    def create_mcptask(cls, *given: Any, **named: Any) -> Self:  # Any: of either call shape
        """A task for a tool call: `(tool_call_id, tool_name, args, worker_tag)`, or without the first."""
        names = ("tool_call_id", "tool_name", "args", "worker_tag")
        shape = names if len(given) + len(named) == len(names) else names[1:]
        return cls(**dict(zip(shape, given, strict=False)), **named)


@_open
@dataclass(eq=False, repr=False, init=False)
class DropKVCacheTask(Task):
    """Let the backend forget a chat, but for the system messages that it begins with.

    Args:
        chat_task: the chat.
        worker_tag: of the worker that ran it.
    """

    chat_task: ChatTask = field(kw_only=True)

    def __init__(self, chat_task: ChatTask, worker_tag: Hashable) -> None:
        super().__init__(worker_tag)
        self.chat_task = chat_task

    @property
    def messages_to_retain(self) -> list[core_messages.RoleMessage]:
        """The system messages that the chat begins with."""
        messages = self.chat_task.messages
        leading = next((i for i, m in enumerate(messages) if m.role != "system"), len(messages))
        return messages[:leading]


@_open
@dataclass(eq=False, repr=False)
class TokenizeTask(Task):
    """Count the tokens of a text.

    Args:
        content: the text.
        event: the event of a trace that the count is for.

    Attributes:
        token_count: how many they are.
        tokenize_error: why nobody could tell.
    """

    content: str = field(default="", kw_only=True)
    event: Any = field(default=None, kw_only=True)  # Any: whoever asks knows
    token_count: int = field(default=0, kw_only=True, metadata=RESULT)
    tokenize_error: str | None = field(default=None, kw_only=True, metadata=RESULT)
