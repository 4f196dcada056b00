"""GenerationTask: complete a prompt."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from operator import attrgetter, is_not
from typing import TYPE_CHECKING, ClassVar, Self, cast

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, Part, TokenLogprob, ToolCall
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks.roles import OF_RUN, RESULT
from scaffolding_core.tasks.sampling import SAMPLING_PARAMETERS, SampledTask

if TYPE_CHECKING:
    from scaffolding_core.answers import Acceptance

__all__ = ["GenerationTask"]


@dataclass(slots=True, eq=False, repr=False)
class GenerationTask(SampledTask):
    """Complete a prompt.

    Args:
        input_str: the prompt as text.
        input_tokens: the prompt as token ids, instead of a text.
        answer_prefix: what the answer begins with, byte for byte: the model goes on from there, and the results
            hold what it adds. A backend that goes on with no answer is asked for the rest in a turn of its own.
        aside: asked beside the answer, for words alone: tools and structures that a caller gave are left out, also
            those that a worker has of its own. See `set_aside`.
        acceptance: what whoever acts on the answer accepts of it; a method gives no vote to anything else. None
            accepts anything but calls that a chat's `tools` refuse.
        sample_index: which of its method's samples it is for, from 0; None where it is no one of several.

    Attributes:
        said: what the model said, whole; None until it ran. Its parts stand here too:
        output_str: the text.
        output_tokens: its token ids, where the backend tells them.
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, or `cancelled`.
        logprobs: of each token, where `num_logprobs` asked for them.
        reasoning: thoughts that the backend tells apart from the text.
        tool_calls: tools that the model wants called.
        original: the answer as a wrapped library gave it, whole.
        context_logits: as the backend returns them.
        customized_result_fields: whatever a worker of yours adds.
        group: shared by siblings (same prompt, same parameters, made together): a worker may answer
            those that start together with one request.
    """

    is_sample: ClassVar[bool] = True

    input_str: str | None = None
    input_tokens: Sequence[int] | None = field(default=None, kw_only=True)
    answer_prefix: str | None = field(default=None, kw_only=True)
    aside: bool | None = field(default=None, kw_only=True)
    acceptance: Acceptance | None = field(default=None, kw_only=True, repr=False)
    sample_index: int | None = field(default=None, kw_only=True, repr=False)
    said: AssistantMessage | None = field(default=None, kw_only=True, metadata=RESULT)
    context_logits: object = field(default=None, kw_only=True, metadata=RESULT)
    customized_result_fields: dict[str, object] | None = field(default=None, kw_only=True, metadata=RESULT)
    group: Hashable = field(default=None, kw_only=True, repr=False, metadata=OF_RUN)

    output_str = Part[str | None]("content")
    output_tokens = Part[list[int] | None]("output_tokens")
    finish_reason = Part[str | None]("finish_reason")
    logprobs = Part[list[TokenLogprob] | None]("logprobs")
    reasoning = Part[str | None]("reasoning")
    tool_calls = Part[list[ToolCall] | None]("tool_calls")
    original = Part[object]("original")

    @classmethod
    def create_from_prompt(cls, prompt: str) -> Self:
        """A task for a prompt."""
        if cls is not GenerationTask:  # it may have an `__init__` of its own
            return cls(input_str=prompt)
        task = _BLANK.copy()  # sooner than a constructor with so many arguments
        task.input_str = prompt
        return cast("Self", task)

    def sampling(self) -> dict[str, object]:
        """The sampling parameters that are set, by name."""
        values = _read_sampling(self)
        return dict(compress(zip(_SAMPLING, values, strict=True), map(is_not, values, repeat(None))))

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

    @property
    def text_prompt(self) -> str | None:
        """The prompt as text, and what the answer begins with.

        Raises:
            InvalidRequestError: token ids, which no text can follow.
        """
        if not self.answer_prefix:
            return self.input_str
        if self.input_str is None:
            raise InvalidRequestError("answer_prefix is text, which cannot follow token ids: give input_str")
        return self.input_str + self.answer_prefix

    def set_aside(self) -> None:
        """Let it be asked for words alone: no structure, and no call of a tool."""
        self.aside = True
        self.acceptance = self.response_format = self.answer_prefix = None
        self.tool_choice = self.parallel_tool_calls = None

    def continued(self, written: str) -> Self:
        """A copy that goes on with what was written of the answer, which the backend may have in its cache."""
        copy = self.copy()
        copy.answer_prefix = (self.answer_prefix or "") + written
        return copy

    def create_scaffolding_output(self) -> ScaffoldingOutput:
        """The result as the output of a method."""
        return ScaffoldingOutput(self.message())

    def message(self) -> AssistantMessage:
        """What the model said; nothing yet where it did not run."""
        return AssistantMessage() if self.said is None else self.said


_SAMPLING = tuple(sorted(SAMPLING_PARAMETERS))
_read_sampling = attrgetter(*_SAMPLING)
_BLANK = GenerationTask()
