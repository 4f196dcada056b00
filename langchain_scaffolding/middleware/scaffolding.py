"""ScaffoldingMiddleware: a method around the model calls of an agent."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.middleware.types import ContextT, ResponseT
from langchain_core.runnables import Runnable

from langchain_scaffolding.judging.agent_decisions import StepByDecision
from langchain_scaffolding.judging.decisions import is_decision_model
from langchain_scaffolding.judging.rewards import Reward, core_reward
from langchain_scaffolding.judging.roles import core_roles
from langchain_scaffolding.middleware.model_calls import (
    AsyncHandler,
    Handler,
    ModelCall,
    ModelCallWorker,
    asampled,
    chosen,
    sampled,
)
from langchain_scaffolding.middleware.shown import ashow, show
from scaffolding_core import Controller, InvalidRequestError, Worker
from scaffolding_core.adapting import AnswersLike, Backend, check_method, checked_answers, checked_sample_num

__all__ = ["ScaffoldingMiddleware"]


class ScaffoldingMiddleware(AgentMiddleware[AgentState[ResponseT], ContextT, ResponseT]):
    """Runs a method around each model call of an agent, or around those that `when` picks.

    .. code-block:: python

        agent = create_agent(model, tools, middleware=[ScaffoldingMiddleware("majority_vote", sample_num=5)])

    One sample's message goes on, whole, with the structured response made of it; the agent runs its tools
    once. The message's `usage_metadata` is what was paid for all samples, and its
    `response_metadata["scaffolding"]` tells method, candidates, votes, agreement and why the vote stopped.
    A sample that fails costs that sample alone; an interrupt of the graph ends them all and goes on up.

    Tokens of samples and judges appear in no stream, neither in `stream_mode="messages"` nor in `astream_events`:
    the chosen message comes whole. In tracing each sample is a run beneath the agent's node. An async agent
    closes the calls of samples that are not needed any more; calls of a blocking one run to their end in their
    threads, unseen.

    Samples vote with their tool calls, as the tools get them, and with the structured response as its class reads
    it; a call of a tool that the request does not have, or that the tool refuses, has no vote.

    List it behind middleware that should run once for each model call (retries of the whole vote, summaries,
    updates of the state, further tools), and before middleware that should run once for each sample.

    Cost: that of the method: `majority_vote` calls the model up to `sample_num` times for each step of the
    agent, all at the same time.

    Args:
        method: a method's name, or a controller.
        sample_num: samples, for methods that take several; None takes the method's own number.
        when: which requests get the method; all others call the model once. A function of a request; or a decision
            model, by itself or as a `StepByDecision`, which is asked about each step. None picks all.
        method_options: further options of the method's class, such as `stop_rule` or `extractor`.
        answers: the kind of answer that the agent ends with, such as `"number"`; its steps vote with their tool
            calls all the same. For `field_vote` a kind for each field.
        reward: scores answers, for methods that judge: a name or a mapping with its options, the address of a
            reward model, a function of prompt and answer, a Runnable, or a worker.
        roles: who plays the other roles that the method needs, by role: a model or a worker.
        max_concurrency: model calls at once.

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: options or answers that the method does not take, or nobody for a role that it needs.
    """

    def __init__(
        self,
        method: str | Controller = "majority_vote",
        *,
        sample_num: int | None = None,
        when: Callable[[ModelRequest[ContextT]], bool] | Runnable[Any, Any] | None = None,
        method_options: Mapping[str, Any] | None = None,  # Any: whatever the method's class takes
        answers: AnswersLike | Mapping[str, AnswersLike] | None = None,
        reward: Reward | None = None,
        roles: Mapping[Hashable, Any] | None = None,
        max_concurrency: int = Worker.max_concurrency,
    ) -> None:
        super().__init__()
        backend = Backend(
            ModelCallWorker(max_concurrency), core_reward(reward), roles=core_roles(roles), can_judge=False
        )
        check_method(backend, method, method_options or {}, sample_num)
        self._llm = backend.llm(method, method_options or {})
        self._when = _checked_when(when)
        self._options: dict[str, object] = {}
        if sample_num is not None:
            self._options["sample_num"] = checked_sample_num(sample_num, 1)
        if answers is not None:
            self._options["answers"] = checked_answers(method, self._llm.prototype_controller, answers)

    def wrap_model_call(self, request: ModelRequest[ContextT], handler: Handler) -> ModelResponse[ResponseT]:
        """Sample the model call, in threads."""
        if self._when is not None and not self._when(request):
            return handler(request)
        response = chosen(sampled(self._llm, ModelCall(request, handler), self._options))
        show(request, response)
        return response

    async def awrap_model_call(
        self, request: ModelRequest[ContextT], handler: AsyncHandler
    ) -> ModelResponse[ResponseT]:
        """Sample the model call, on the caller's event loop."""
        when = self._when
        picked = await when.acall(request) if isinstance(when, StepByDecision) else when is None or when(request)
        if not picked:
            return await handler(request)
        response = chosen(await asampled(self._llm, ModelCall(request, handler), self._options))
        await ashow(request, response)
        return response


def _checked_when(when: object) -> Callable[[Any], bool] | None:
    if isinstance(when, Runnable) and is_decision_model(when):
        return StepByDecision(when)
    if when is None or callable(when):
        return when
    raise InvalidRequestError(f"when must be a function of a model request, or a decision model, got {when!r}")
