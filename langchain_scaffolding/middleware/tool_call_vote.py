"""ToolCallVoteMiddleware: risky tool calls of an agent run only if samples agree on them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.middleware.types import ContextT, ResponseT
from langchain_core.messages import AIMessage, AnyMessage, ToolCall, ToolMessage
from langgraph.runtime import Runtime

from langchain_scaffolding.middleware.model_calls import (
    AsyncHandler,
    Handler,
    ModelCall,
    ModelCallWorker,
    ai_message,
    asampled,
    chosen,
    sampled,
)
from langchain_scaffolding.tracing.inner_runs import tallied_apart, tell_around
from scaffolding_core import (
    Answers,
    AssistantMessage,
    Equivalence,
    Extractor,
    InvalidRequestError,
    Quorum,
    ScaffoldingResult,
    ToolCalls,
    Worker,
)
from scaffolding_core import ToolCall as CoreToolCall
from scaffolding_core.adapting import AnswersLike, Backend, Calls, Tools, checked_sample_num

__all__ = ["OnDisagreement", "ToolCallVoteMiddleware"]

OnDisagreement: TypeAlias = Callable[[ToolCall, dict[str, Any]], str | None]
"""Decides on a risky tool call that too few samples wanted.

It gets the call and the vote, as `response_metadata["tool_call_vote"]` has it, empty for a call that was
never voted on. A text is told to the model in place of running the tool; None lets the tool run. It may
raise, and it may ask a person with LangGraph's `interrupt`: the vote is in the agent's state by then, so
resuming pays no sample again.
"""

_VOTE = "tool_call_vote"


class ToolCallVoteMiddleware(AgentMiddleware[AgentState[ResponseT], ContextT, ResponseT]):
    """Lets risky tool calls run only if enough samples of the model want exactly these.

    .. code-block:: python

        guard = ToolCallVoteMiddleware({"delete_file"}, sample_num=5, min_agreement=0.5)
        agent = create_agent(model, tools, middleware=[guard])

    The model is called once. Only if its message wants a risky tool call are further samples drawn, and the
    first counts as one of them. Each sample votes with its risky calls: same tools, same arguments, as the tools
    get them; harmless calls and text beside them do not matter, and a sample without a risky call votes for none.
    A sample with a call that could not be carried out has no vote. Of the samples that won, one goes on, whole,
    with `usage_metadata` and `response_metadata["tool_call_vote"]` of all samples; there `agreed` tells whether
    the winner had `min_agreement`.

    A risky call without that does not run: the model is told so by a `ToolMessage` with status `error`, and
    the agent goes on, unless `on_disagreement` decides otherwise. Nor does a risky call that was never voted
    on, such as one that another middleware put into the message.

    An agent takes one of these. Its first call streams as ever; if that is outvoted, its tokens have been
    seen all the same. Where `HumanInTheLoopMiddleware` guards the same tools, give it
    `interrupt_mode="per_call"`: then nobody is asked about a call that does not run. A model that repeats a
    refused call is voted on again each time: `ToolCallLimitMiddleware` ends that.

    Cost: one call of the model for a message without risky calls; else at most `sample_num` calls, and no
    more than the agreement needs.

    Args:
        tools: names of the risky tools, or a function that tells whether a tool call is risky by its `name`
            and `args`.
        sample_num: samples of a message with a risky call, the first among them; at least 2.
        min_agreement: share of all samples that must want the calls, at most 1 and more than one sample is;
            samples that fail count against them. At 0.5 or below, the first calls to reach it win.
        on_disagreement: decides on a risky call without that share; see `OnDisagreement`.
        answers: of the kind `calls`, where not all arguments count: `{"kind": "calls", "ignore": ["note"]}`.
        equivalence: which calls are the same, as a list of `[name, args]` each; to the letter by default.
        max_concurrency: model calls at once, the first of each message aside.

    Raises:
        InvalidRequestError: no tools, answers of another kind, or a share that one sample would reach, or none
            can.
    """

    def __init__(
        self,
        tools: Collection[str] | Callable[[ToolCall], bool],
        *,
        sample_num: int = 5,
        min_agreement: float = 0.5,
        on_disagreement: OnDisagreement | None = None,
        answers: AnswersLike = "calls",
        equivalence: Equivalence | None = None,
        max_concurrency: int = Worker.max_concurrency,
    ) -> None:
        super().__init__()
        self._is_risky = _predicate(tools)
        self._sample_num = checked_sample_num(sample_num, 2)
        self._quorum = Quorum(min_agreement)
        if self._quorum.reached(1, self._sample_num):
            raise InvalidRequestError(
                f"one of {sample_num} samples would be agreement enough at {min_agreement}: raise either"
            )
        self._on_disagreement = on_disagreement or _refusal
        kind = Answers.of(answers)
        if not isinstance(kind.extractor, ToolCalls):
            raise InvalidRequestError(f"a vote on tool calls takes answers of the kind 'calls', got {answers!r}")
        options = {
            "default_sample_num": sample_num,
            "extractor": _RiskyCalls(self._is_risky, kind.extractor),
            "equivalence": equivalence or kind.equivalence,
            "stop_rule": self._quorum,
        }
        self._llm = Backend(ModelCallWorker(max_concurrency)).llm("majority_vote", options)

    def wrap_model_call(self, request: ModelRequest[ContextT], handler: Handler) -> ModelResponse[ResponseT]:
        """Call the model; vote if it wants a risky tool call."""
        with tallied_apart() as tally:
            first = handler(request)
        if not self._risky(ai_message(first)):
            tell_around(tally.usage)
            return first
        return self._voted(sampled(self._llm, ModelCall(request, handler, first, tally.usage), {}))

    async def awrap_model_call(
        self, request: ModelRequest[ContextT], handler: AsyncHandler
    ) -> ModelResponse[ResponseT]:
        """Call the model; vote if it wants a risky tool call."""
        with tallied_apart() as tally:
            first = await handler(request)
        if not self._risky(ai_message(first)):
            tell_around(tally.usage)
            return first
        return self._voted(await asampled(self._llm, ModelCall(request, handler, first, tally.usage), {}))

    # A node of its own, so that an interrupt in `on_disagreement` resumes behind the vote.
    def after_model(self, state: AgentState[ResponseT], runtime: Runtime[ContextT]) -> dict[str, Any] | None:
        """Answer the risky calls that too few samples wanted, so that they do not run."""
        message, answered = _last_turn(state["messages"])
        vote = message.response_metadata.get(_VOTE, {}) if message is not None else {}
        if message is None or vote.get("agreed"):
            return None
        pending = [call for call in self._risky(message) if call["id"] not in answered]
        told = [(call, self._on_disagreement(call, vote)) for call in pending]
        refusals = [
            ToolMessage(text, tool_call_id=call["id"], name=call["name"], status="error")
            for call, text in told
            if text is not None
        ]
        return {"messages": refusals} if refusals else None

    def _risky(self, message: AIMessage) -> list[ToolCall]:
        return [call for call in message.tool_calls if self._is_risky(call)]

    def _voted(self, result: ScaffoldingResult) -> ModelResponse[ResponseT]:
        most = max(candidate.votes for candidate in result.output.candidates)
        agreed = self._quorum.reached(most, self._sample_num)
        return chosen(result, _VOTE, agreed=agreed, sample_num=self._sample_num)


class _RiskyCalls(Extractor):
    """The risky tool calls of a message; an empty list where it has none."""

    costly = True  # what says which are risky is anybody's

    def __init__(self, is_risky: Callable[[ToolCall], bool], calls: ToolCalls) -> None:
        self._is_risky = is_risky
        self._calls = calls

    def with_tools(self, tools: Tools) -> _RiskyCalls:
        """The same, of calls as the tools get them."""
        return _RiskyCalls(self._is_risky, self._calls.with_tools(tools))

    def extract(self, message: AssistantMessage) -> Calls | None:
        """The calls; None if one could not be carried out."""
        written = _AS_WRITTEN.extract(message) if message.tool_calls else Calls()
        if written is None:
            return None
        risky = [call for call in message.tool_calls or () if self._is_risky(_as_tool_call(call))]
        return self._calls.extract(AssistantMessage(None, None, risky)) if risky else Calls()


_AS_WRITTEN = ToolCalls()


def _as_tool_call(call: CoreToolCall) -> ToolCall:
    return ToolCall(name=call.name, args=json.loads(call.arguments or "{}"), id=call.id)


def _predicate(tools: Collection[str] | Callable[[ToolCall], bool]) -> Callable[[ToolCall], bool]:
    if callable(tools):
        return tools
    if isinstance(tools, str) or not isinstance(tools, Collection) or not tools:
        raise InvalidRequestError(f"tools must be a set of tool names or a function of a tool call, got {tools!r}")
    names = frozenset(tools)
    return lambda call: call["name"] in names


def _last_turn(messages: list[AnyMessage]) -> tuple[AIMessage | None, set[str]]:
    """The last message of the model, and the ids of its calls that are answered."""
    answered: set[str] = set()
    for message in reversed(messages):
        if isinstance(message, AIMessage):
            return message, answered
        if isinstance(message, ToolMessage):
            answered.add(message.tool_call_id)
    return None, answered


def _refusal(call: ToolCall, vote: dict[str, Any]) -> str:
    most = max((candidate["votes"] for candidate in vote.get("candidates", ())), default=0)
    why = f"only {most} of {vote['sample_num']} samples of your answer agreed" if vote else "nobody voted"
    return (
        f"The tool {call['name']} was not run: {why} on this call. "
        "Do not repeat it as it is: find out more first, or ask the user."
    )
