"""ScaffoldingMiddleware: a method around the model calls of an agent."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict
from typing import Any, cast

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.middleware.types import ContextT, ResponseT
from langchain_core.runnables import Runnable
from langgraph.types import interrupt

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
from langchain_scaffolding.request.parameters import method_parameters
from scaffolding_core import (
    Budget,
    BudgetExceededError,
    Controller,
    InvalidRequestError,
    ScaffoldingLlm,
    SharedBudget,
    Worker,
)
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
        budget: a `SharedBudget` of all model calls of the agent, whatever runs it has; a `Budget` is of each call
            alone. One of a single run goes into its configuration: `{"configurable": {"budget": ...}}`.
        asks_for_more: interrupts the graph where a shared budget is spent. It goes on with what `Command(resume=)`
            says: further amounts, such as `{"tokens": 10_000}`; True for as much again; anything else ends the run
            with the `BudgetExceededError`, as it does without this.

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
        budget: Budget | SharedBudget | None = None,
        asks_for_more: bool = False,
    ) -> None:
        super().__init__()
        backend = Backend(
            ModelCallWorker(max_concurrency), core_reward(reward), roles=core_roles(roles), can_judge=False
        )
        check_method(backend, method, method_options or {}, sample_num)
        self._llm = backend.llm(method, method_options or {})
        self._direct = backend.llm("direct", {})
        self._when = _checked_when(when)
        self._options: dict[str, object] = {}
        if sample_num is not None:
            self._options["sample_num"] = checked_sample_num(sample_num, 1)
        if answers is not None:
            self._options["answers"] = checked_answers(method, self._llm.prototype_controller, answers)
        self._budget = budget
        self._asks_for_more = asks_for_more

    def wrap_model_call(self, request: ModelRequest[ContextT], handler: Handler) -> ModelResponse[ResponseT]:
        """Sample the model call, in threads."""
        picked = self._when is None or self._when(request)
        budget = self._budget_of_run()
        if not picked and budget is None:
            return handler(request)
        llm, options = self._sampling(picked=picked, budget=budget)
        try:
            result = sampled(llm, ModelCall(request, handler), options)
        except BudgetExceededError as error:
            self._ask_for_more(budget, error)
            result = sampled(llm, ModelCall(request, handler), options)
        response = chosen(result)
        show(request, response)
        return response

    async def awrap_model_call(
        self, request: ModelRequest[ContextT], handler: AsyncHandler
    ) -> ModelResponse[ResponseT]:
        """Sample the model call, on the caller's event loop."""
        when = self._when
        picked = await when.acall(request) if isinstance(when, StepByDecision) else when is None or when(request)
        budget = self._budget_of_run()
        if not picked and budget is None:
            return await handler(request)
        llm, options = self._sampling(picked=picked, budget=budget)
        try:
            result = await asampled(llm, ModelCall(request, handler), options)
        except BudgetExceededError as error:
            self._ask_for_more(budget, error)
            result = await asampled(llm, ModelCall(request, handler), options)
        response = chosen(result)
        await ashow(request, response)
        return response

    def _budget_of_run(self) -> object:
        return method_parameters(None).get("budget", self._budget)

    def _sampling(self, *, picked: bool, budget: object) -> tuple[ScaffoldingLlm, dict[str, object]]:
        options = self._options if picked else {}
        return self._llm if picked else self._direct, options if budget is None else {**options, "budget": budget}

    def _ask_for_more(self, budget: object, error: BudgetExceededError) -> None:
        """Let the user allow more; a node that is interrupted runs anew, and so comes here again.

        Raises:
            BudgetExceededError: that one, where nobody is asked, or no more is allowed.
        """
        spent = isinstance(budget, SharedBudget) and error.limit in budget.limits
        if not (self._asks_for_more and spent):
            raise error
        shared = cast("SharedBudget", budget)
        limits = shared.limits
        more = interrupt({"spent": error.limit, "limits": limits, "so_far": asdict(shared.spent)})
        if more is True:
            more = {error.limit: limits[error.limit]}
        if not (isinstance(more, Mapping) and more):
            raise error
        shared.allow_more(**more)


def _checked_when(when: object) -> Callable[[Any], bool] | None:
    if isinstance(when, Runnable) and is_decision_model(when):
        return StepByDecision(when)
    if when is None or callable(when):
        return when
    raise InvalidRequestError(f"when must be a function of a model request, or a decision model, got {when!r}")
