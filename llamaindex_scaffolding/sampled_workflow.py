"""SampledWorkflow: whole runs of a workflow, or of an agent, sampled by any method."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from llama_index.core.llms import LLM
from llama_index.core.memory import BaseMemory
from llama_index.core.workflow import Context, Workflow

from llamaindex_scaffolding.judging.rewards import Reward, core_reward
from llamaindex_scaffolding.judging.roles import core_roles
from llamaindex_scaffolding.workers.workflow import Start, WorkflowRun, WorkflowWorker
from scaffolding_core import (
    Budget,
    Controller,
    InvalidRequestError,
    NativeGenerationController,
    Runs,
    RunsWorker,
    ScaffoldingOutput,
    SharedBudget,
)
from scaffolding_core.adapting import AnswersLike, Backend, Call, check_method

__all__ = ["SampledWorkflow"]


class SampledWorkflow:
    """Samples whole runs of a workflow, or of an agent, and chooses one.

    Each run has a context, a memory and a folder of its own; those of the chosen one are kept. What tools keep
    between calls is made anew for each run by `per_run`. A run may tell how far it has come in a step, by
    `current_run.get().progress(score, margin=0.3)`, and is cut there if it stays behind the others. One that
    fails or is cut costs itself alone.

    Cost: what the method costs, in runs of the workflow; with a workspace, a copy of it for each.

    Args:
        workflow: any, such as a `FunctionAgent`.
        method: a method's name, or a controller.
        sample_num: runs, for methods that take several.
        answers: the kind of answer, such as `"number"`.
        reward: scores answers, for methods that judge; a function finds the run's folder by `workspace()`.
        roles: who plays the other roles that the method needs.
        text: of a workflow's result, the answer; it finds the folder too. None takes the text of the result.
        workspace: a folder that tools work in, each run in a copy of its own, which `workspace()` gives them. The
            chosen run's copy takes its place in the end. Nothing keeps a tool from writing elsewhere.
        budget: what each call may spend; as a `SharedBudget`, what all calls may. The workflow's LLM sets aside
            what each of its calls may cost if it is a `ScaffoldingLLM`; any other is counted behind the run.
        max_concurrency: runs at once.
        options: further ones of the method's class, such as `stop_rule`.

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: no workflow, options that the method does not take, or nobody for a role it needs.

    Examples:
        ```python
        agents = SampledWorkflow(agent, "best_of_n", sample_num=4, reward=passes_tests, workspace="project")
        output = await agents.run(user_msg="Make the tests pass.")
        output.message.original.result, output.message.original.ctx
        ```
    """

    def __init__(
        self,
        workflow: Workflow,
        method: str | Controller = "majority_vote",
        *,
        sample_num: int | None = None,
        answers: AnswersLike | Mapping[str, AnswersLike] | None = None,
        reward: Reward | None = None,
        roles: Mapping[Hashable, Reward | LLM] | None = None,
        text: Callable[[Any], object] | None = None,
        workspace: str | os.PathLike[str] | None = None,
        budget: Budget | SharedBudget | None = None,
        max_concurrency: int = 256,
        **options: Any,
    ) -> None:
        if not isinstance(workflow, Workflow):
            raise InvalidRequestError(f"SampledWorkflow needs a workflow or an agent, got {workflow!r}")
        self._workflow = workflow
        self._workspace = workspace
        worker = RunsWorker(WorkflowWorker(workflow, text=text, max_concurrency=max_concurrency))
        self._backend = Backend(
            worker,
            core_reward(reward),
            generation=NativeGenerationController,
            roles=core_roles(roles),
            can_judge=False,
        )
        check_method(self._backend, method, options, sample_num, answers)
        self._llm = self._backend.llm(method, options)
        given = {"sample_num": sample_num, "answers": answers, "budget": budget}
        self._options = {name: value for name, value in given.items() if value is not None}

    async def run(
        self, *, ctx: Context[Any] | None = None, memory: BaseMemory | None = None, **arguments: Any
    ) -> ScaffoldingOutput:
        """Run the workflow several times, and choose; cancelled with its caller.

        Args:
            ctx: to go on with; it stays as it is, and the chosen run's is `output.message.original.ctx`.
            memory: of an agent: each run goes on from a copy, and what the chosen one adds is added to it.
            arguments: of the workflow's `run`.

        Raises:
            WorkspaceChangedError: somebody else changed the workspace meanwhile.
            ScaffoldingError: the method failed.
        """
        start = Start(arguments, None if ctx is None else ctx.to_dict(), memory)
        async with Runs(self._workspace) as runs:
            output = (await Call(self._llm, start.task(), self._options).aresult()).output
            await runs.akeep(output.message)
        chosen = output.message.original
        if memory is not None and isinstance(chosen, WorkflowRun):
            await memory.aput_messages(chosen.added)
        return output

    async def aclose(self) -> None:
        """Let runs end, and close what was opened."""
        await self._backend.aclose()
