"""ProgressMiddleware: of several runs of an agent, those that stay behind are cut."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import ContextT, ResponseT
from langchain_core.messages import AIMessage, BaseMessage
from langgraph.runtime import Runtime

from langchain_scaffolding.judging.rewards import Reward, core_reward
from langchain_scaffolding.judging.roles import core_roles
from langchain_scaffolding.tracing.runs import sampled_under
from langchain_scaffolding.translation.transcript import agent_transcript, steps_of
from scaffolding_core import (
    FunctionWorker,
    GenerationTask,
    InsufficientSamplesError,
    InvalidRequestError,
    Task,
    WorkerError,
    current_run,
)
from scaffolding_core.adapting import Backend, Call

__all__ = ["ProgressMiddleware"]

_TRANSCRIPT = "transcript"


class ProgressMiddleware(AgentMiddleware[AgentState[ResponseT], ContextT, ResponseT]):
    """Scores an agent's transcript after each of its steps, and cuts a run that stays behind the others.

    .. code-block:: python

        agent = create_agent(model, tools, middleware=[ProgressMiddleware(progress, margin=0.3)])
        runs = ScaffoldingRunnable.wrap(agent, "best_of_n", sample_num=8, reward=verify)

    It does so where the agent is sampled by a `ScaffoldingRunnable`, and nothing elsewhere. A run that is cut is a
    failed sample, with a `RunCutError`; the last one that may still come to a result goes on in any case. A step
    that the reward cannot score cuts nobody.

    Cost: one reward for each step of each run.

    Args:
        reward: scores a transcript, from 0 to 1: a function of prompt and transcript, or any other reward.
        margin: a run is cut where it is further than that behind the best of the others, after as many steps.
        threshold: a run is cut where it is below.
        after: steps that every run has.
        patience: steps for which it must have been so.
        roles: who plays the roles that the reward needs, such as `{"judge": model}`.

    Raises:
        InvalidRequestError: neither margin nor threshold, or no reward.
    """

    def __init__(
        self,
        reward: Reward,
        *,
        margin: float | None = None,
        threshold: float | None = None,
        after: int = 2,
        patience: int = 1,
        roles: Mapping[Hashable, Any] | None = None,  # Any: a model or a worker
    ) -> None:
        super().__init__()
        if margin is None and threshold is None:
            raise InvalidRequestError("nothing would ever be cut: set margin, threshold or both")
        self._rule: dict[str, Any] = {  # Any: each of its own kind
            "margin": margin,
            "threshold": threshold,
            "after": after,
            "patience": patience,
        }
        backend = Backend(FunctionWorker(_said), core_reward(reward), roles=core_roles(roles), can_judge=False)
        self._llm = backend.llm("best_of_n", {"default_sample_num": 1})

    def before_model(self, state: AgentState[ResponseT], runtime: Runtime[ContextT]) -> None:
        """Score what the agent has done so far."""
        call = self._call(state["messages"])
        if call is None:
            return
        score = None
        with suppress(InsufficientSamplesError, WorkerError):
            score = call.result().output.score
        self._tell(score)

    async def abefore_model(self, state: AgentState[ResponseT], runtime: Runtime[ContextT]) -> None:
        """Score what the agent has done so far."""
        call = self._call(state["messages"])
        if call is None:
            return
        score = None
        with suppress(InsufficientSamplesError, WorkerError):
            score = (await call.aresult()).output.score
        self._tell(score)

    def _call(self, messages: Sequence[BaseMessage]) -> Call | None:
        """What scores a step; None before the first, and outside of runs."""
        prompt, done = steps_of(messages)
        if current_run.get() is None or not any(isinstance(each, AIMessage) for each in done):
            return None
        task = GenerationTask(input_str=prompt, custom_input_params={_TRANSCRIPT: agent_transcript(messages)})
        return Call(self._llm, task, {}, sampled_under(None))

    def _tell(self, score: float | None) -> None:
        run = current_run.get()
        if run is not None and score is not None:
            run.progress(score, **self._rule)


def _said(task: Task) -> str:
    return str((task.custom_input_params or {})[_TRANSCRIPT])
