"""GenerationTask: complete a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import scaffolding_core.messages as core_messages
import scaffolding_core.tasks as core
from scaffolding_core.tasks import SAMPLING_PARAMETERS
from scaffolding_core.tasks.roles import OF_RUN, RESULT
from scaffolding_core.tensorrt_llm.logprobs import TokenLogprobs
from scaffolding_core.tensorrt_llm.message import AssistantMessage
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput
from scaffolding_core.tensorrt_llm.task_result import PARTS, Completion, TaskResult
from scaffolding_core.tensorrt_llm.tasks.base import PARTS_SAID, Task, defaults_of, opened

__all__ = ["GenerationTask"]


@opened
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
        told = {part: vars(self).get(name) for name, part in PARTS_SAID.items()}
        return None if all(value is None for value in told.values()) else AssistantMessage(**told)

    @said.setter
    def said(self, message: core_messages.AssistantMessage | None) -> None:
        told = {name: getattr(message, part, None) for name, part in PARTS_SAID.items()}
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
        new, held = defaults_of(type(self)), vars(self)
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
