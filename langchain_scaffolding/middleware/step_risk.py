"""Which tool calls of one step of an agent are risky, and the extractor that votes with these."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from langchain_core.messages import AIMessage, AnyMessage, ToolCall
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from langchain_scaffolding.judging.agent_decisions import RiskByDecision
from langchain_scaffolding.judging.decisions import is_decision_model
from scaffolding_core import AssistantMessage, Extractor, InvalidRequestError, ToolCalls
from scaffolding_core import ToolCall as CoreToolCall
from scaffolding_core.adapting import Calls, Tools, read_arguments

__all__ = ["Risk", "RiskyCalls", "StepRisk", "checked_risk", "step_risk"]

Risk: TypeAlias = "Collection[str] | Callable[[ToolCall], bool] | RiskByDecision | Runnable[Any, Any]"
"""What says which tool calls are risky: names of tools, a function of a tool call, or a decision model."""

_RISK = "tool_call_risk"


class StepRisk:
    """Tells which tool calls of one step are risky.

    Args:
        is_risky: says which.
    """

    def __init__(self, is_risky: Callable[[ToolCall], bool]) -> None:
        self._is_risky = is_risky

    def __call__(self, call: ToolCall) -> bool:
        """Whether a call is risky; it may block."""
        return self._is_risky(call)

    async def learn(self, calls: Iterable[ToolCall]) -> None:
        """Find out what is asked about these calls, so that it blocks for none of them."""

    def told(self, message: AIMessage) -> AIMessage:
        """The message with what was found out about its calls, for `step_risk` of the steps behind it."""
        return message


def checked_risk(risk: Risk) -> Callable[[ToolCall], bool] | RiskByDecision:
    """What says which calls are risky.

    Raises:
        InvalidRequestError: nothing that does.
    """
    if is_decision_model(risk):
        return RiskByDecision(cast("Runnable[Any, Any]", risk))
    if isinstance(risk, RiskByDecision) or callable(risk):
        return risk
    if isinstance(risk, str) or not isinstance(risk, Collection) or not risk:
        raise InvalidRequestError(
            "tools must be a set of tool names, a function of a tool call, or a decision model that says which "
            f"calls are risky, got {risk!r}"
        )
    names = frozenset(risk)
    return lambda call: call["name"] in names


def step_risk(
    risk: Callable[[ToolCall], bool] | RiskByDecision,
    messages: Sequence[AnyMessage],
    tools: Iterable[object] = (),
    message: AIMessage | None = None,
) -> StepRisk:
    """The risk of the calls of one step.

    Args:
        risk: of `checked_risk`.
        messages: of the agent, before the step's own.
        tools: of the agent, where they are known.
        message: with the calls, where something was told of them.
    """
    if not isinstance(risk, RiskByDecision):
        return StepRisk(risk)
    descriptions = {tool.name: tool.description for tool in tools if isinstance(tool, BaseTool)}
    told = {}
    if message is not None:
        risks = message.response_metadata.get(_RISK, {})
        told = {_key(call): risks[call["id"]] for call in message.tool_calls if call["id"] in risks}
    return _Decided(risk, messages, descriptions, told)


class _Decided(StepRisk):
    """Asks a decision model about each different call once; the risks are those that it has told."""

    def __init__(
        self,
        risk: RiskByDecision,
        messages: Sequence[AnyMessage],
        descriptions: Mapping[str, str],
        risks: dict[str, float],
    ) -> None:
        self._risk = risk
        self._messages = messages
        self._descriptions = descriptions
        self._risks = risks

    def __call__(self, call: ToolCall) -> bool:
        if self._is_unknown(call):
            self._risks[_key(call)] = self._risk.risk(*self._asked(call))
        return self._risks.get(_key(call), 0.0) >= self._risk.threshold

    async def learn(self, calls: Iterable[ToolCall]) -> None:
        for call in calls:
            if self._is_unknown(call):
                self._risks[_key(call)] = await self._risk.arisk(*self._asked(call))

    def _is_unknown(self, call: ToolCall) -> bool:
        return self._risk.asks_about(call) and _key(call) not in self._risks

    def _asked(self, call: ToolCall) -> tuple[ToolCall, Sequence[AnyMessage], str | None]:
        return call, self._messages, self._descriptions.get(call["name"])

    def told(self, message: AIMessage) -> AIMessage:
        told = {call["id"]: self._risks[key] for call in message.tool_calls if (key := _key(call)) in self._risks}
        if not told:
            return message
        return message.model_copy(update={"response_metadata": {**message.response_metadata, _RISK: told}})


class RiskyCalls(Extractor):
    """The risky tool calls of a message; an empty list where it has none.

    Args:
        is_risky: says which.
        calls: reads them.
    """

    costly = True  # what says which are risky is anybody's

    def __init__(self, is_risky: StepRisk, calls: ToolCalls) -> None:
        self._is_risky = is_risky
        self._calls = calls

    def with_tools(self, tools: Tools) -> RiskyCalls:
        """The same, of calls as the tools get them."""
        return RiskyCalls(self._is_risky, self._calls.with_tools(tools))

    def extract(self, message: AssistantMessage) -> Calls | None:
        """The calls; None if one could not be carried out."""
        written = _AS_WRITTEN.extract(message) if message.tool_calls else Calls()
        if written is None:
            return None
        risky = [call for call in message.tool_calls or () if self._is_risky(_as_tool_call(call))]
        return self._calls.extract(AssistantMessage(None, None, risky)) if risky else Calls()


_AS_WRITTEN = ToolCalls()


def _as_tool_call(call: CoreToolCall) -> ToolCall:
    return ToolCall(name=call.name, args=read_arguments(call.arguments), id=call.id)


def _key(call: ToolCall) -> str:
    return json.dumps([call["name"], call["args"]], sort_keys=True, default=str)
