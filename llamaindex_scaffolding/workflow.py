"""run_method: a method as the step of a workflow, whose samples show in the workflow's stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, cast

from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.workflow import Context, Event

from llamaindex_scaffolding.llm.llm import ScaffoldingLLM, event_listener
from scaffolding_core import CandidateEvent, DecisionEvent, TokenEvent
from scaffolding_core import Event as CoreEvent

__all__ = ["ChosenEvent", "SampleDeltaEvent", "SampleEvent", "run_method"]


class SampleDeltaEvent(Event):
    """A sample wrote a piece of text.

    Attributes:
        branch: path of the sample; `[3]` is the fourth one, `[]` the answer of a method with one branch.
        delta: new text.
        thinking_delta: new thoughts.
    """

    branch: list[int]
    delta: str
    thinking_delta: str


class SampleEvent(Event):
    """A sample ended.

    Attributes:
        branch: path of the method that it belongs to.
        index: of the sample.
        candidate: what `raw["candidates"]` tells of it.
    """

    branch: list[int]
    index: int
    candidate: dict[str, Any]


class ChosenEvent(Event):
    """A method chose its answer.

    Attributes:
        branch: path of the method.
        index: of the sample that was chosen.
        candidate: what `raw["candidates"]` tells of it.
        stopped: `complete`, `decided` or `budget`.
    """

    branch: list[int]
    index: int
    candidate: dict[str, Any]
    stopped: str


async def run_method(
    ctx: Context[Any], llm: ScaffoldingLLM, prompt: str | Sequence[ChatMessage], **kwargs: Any
) -> ChatResponse:
    """Answer inside a step, and write what happens meanwhile to the workflow's stream.

    The stream gets a `SampleDeltaEvent` for each piece of text, a `SampleEvent` for each sample that ends, and
    a `ChosenEvent` when the answer is chosen. Cancelling the step cancels the samples.

    Cost: that of the LLM's method.

    Args:
        ctx: of the step.
        llm: an LLM with a method.
        prompt: a question, or a chat.
        kwargs: of the call, as for `llm.achat`.

    Examples:
        ```python
        class Ask(Workflow):
            @step
            async def answer(self, ctx: Context, ev: StartEvent) -> StopEvent:
                response = await run_method(ctx, llm, ev.question)
                return StopEvent(result=response.raw["answer"])
        ```

    Raises:
        InvalidRequestError: a keyword that nobody takes.
        ScaffoldingError: the method failed.
    """
    chat = [ChatMessage(content=prompt)] if isinstance(prompt, str) else prompt
    with _shown_in(ctx):
        responses = await llm.astream_chat(chat, **kwargs)
    last = ChatResponse(message=ChatMessage())
    async with aclosing(cast("Any", responses)):  # Any: typed as one without aclose()
        async for response in responses:
            last = response
    return last


@contextmanager
def _shown_in(ctx: Context[Any]) -> Iterator[None]:
    def write(event: CoreEvent) -> None:
        shown = _shown(event)
        if shown is not None:
            ctx.write_event_to_stream(shown)

    token = event_listener.set(write)
    try:
        yield
    finally:
        event_listener.reset(token)


def _shown(event: CoreEvent) -> Event | None:
    match event:
        case TokenEvent(branch, text, reasoning):
            return SampleDeltaEvent(branch=[*branch], delta=text, thinking_delta=reasoning)
        case CandidateEvent(branch, candidate):
            return SampleEvent(branch=[*branch], index=candidate.index, candidate=candidate.summary())
        case DecisionEvent(branch, candidate, stopped):
            return ChosenEvent(
                branch=[*branch], index=candidate.index, candidate=candidate.summary(), stopped=stopped
            )
    return None  # the response tells the rest
