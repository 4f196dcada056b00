"""ToolCallVoteMiddleware: risky tool calls of an agent run only if samples agree on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from langchain_scaffolding.middleware.step_risk import Risk, RiskyCalls, StepRisk, checked_risk, step_risk
from langchain_scaffolding.tracing.inner_runs import tallied_apart, tell_around
from scaffolding_core import (
    Answers,
    Equivalence,
    InvalidRequestError,
    Quorum,
    ScaffoldingResult,
    ToolCalls,
    Worker,
)
from scaffolding_core.adapting import AnswersLike, Backend, checked_sample_num

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
        tools: names of the risky tools; a function that tells whether a tool call is risky by its `name` and
            `args`; or a decision model, by itself or as a `RiskByDecision`, which is asked once about each
            different call of a step.
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
        tools: Risk,
        *,
        sample_num: int = 5,
        min_agreement: float = 0.5,
        on_disagreement: OnDisagreement | None = None,
        answers: AnswersLike = "calls",
        equivalence: Equivalence | None = None,
        max_concurrency: int = Worker.max_concurrency,
    ) -> None:
        super().__init__()
        self._risk = checked_risk(tools)
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
        self._calls = kind.extractor
        options = {
            "default_sample_num": sample_num,
            "equivalence": equivalence or kind.equivalence,
            "stop_rule": self._quorum,
        }
        self._llm = Backend(ModelCallWorker(max_concurrency)).llm("majority_vote", options)

    def wrap_model_call(self, request: ModelRequest[ContextT], handler: Handler) -> ModelResponse[ResponseT]:
        """Call the model; vote if it wants a risky tool call."""
        with tallied_apart() as tally:
            first = handler(request)
            risk = step_risk(self._risk, request.messages, request.tools)
            is_risky = any(map(risk, ai_message(first).tool_calls))
        if not is_risky:
            tell_around(tally.usage)
            return _told(risk, first)
        call = ModelCall(request, handler, first, tally.usage)
        return self._voted(sampled(self._llm, call, self._options(risk)), risk)

    async def awrap_model_call(
        self, request: ModelRequest[ContextT], handler: AsyncHandler
    ) -> ModelResponse[ResponseT]:
        """Call the model; vote if it wants a risky tool call."""
        with tallied_apart() as tally:
            first = await handler(request)
            risk, calls = step_risk(self._risk, request.messages, request.tools), ai_message(first).tool_calls
            await risk.learn(calls)
        if not any(map(risk, calls)):
            tell_around(tally.usage)
            return _told(risk, first)
        call = ModelCall(request, handler, first, tally.usage)
        return self._voted(await asampled(self._llm, call, self._options(risk)), risk)

    # A node of its own, so that an interrupt in `on_disagreement` resumes behind the vote.
    def after_model(self, state: AgentState[ResponseT], runtime: Runtime[ContextT]) -> dict[str, Any] | None:
        """Answer the risky calls that too few samples wanted, so that they do not run."""
        message, answered = _last_turn(state["messages"])
        vote = message.response_metadata.get(_VOTE, {}) if message is not None else {}
        if message is None or vote.get("agreed"):
            return None
        risk = step_risk(self._risk, _before(message, state["messages"]), message=message)
        pending = [call for call in message.tool_calls if risk(call) and call["id"] not in answered]
        told = [(call, self._on_disagreement(call, vote)) for call in pending]
        refusals = [
            ToolMessage(text, tool_call_id=call["id"], name=call["name"], status="error")
            for call, text in told
            if text is not None
        ]
        return {"messages": refusals} if refusals else None

    def _options(self, risk: StepRisk) -> dict[str, object]:
        return {"extractor": RiskyCalls(risk, self._calls)}

    def _voted(self, result: ScaffoldingResult, risk: StepRisk) -> ModelResponse[ResponseT]:
        most = max(candidate.votes for candidate in result.output.candidates)
        agreed = self._quorum.reached(most, self._sample_num)
        return _told(risk, chosen(result, _VOTE, agreed=agreed, sample_num=self._sample_num))


def _told(risk: StepRisk, response: ModelResponse[ResponseT]) -> ModelResponse[ResponseT]:
    """The response with what was found out about the calls in its message."""
    mine = ai_message(response)
    told = risk.told(mine)
    if told is mine:
        return response
    return replace(response, result=[told if message is mine else message for message in response.result])


def _before(message: AIMessage, messages: list[AnyMessage]) -> list[AnyMessage]:
    return messages[: next(place for place, each in enumerate(messages) if each is message)]


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
