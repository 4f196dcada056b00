"""Whole runs of workflows and agents, sampled: each has a context, a memory and a folder of its own."""

import asyncio

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step

from llamaindex_scaffolding import SampledWorkflow
from scaffolding_core import (
    InsufficientSamplesError,
    InvalidRequestError,
    RunCutError,
    SharedBudget,
    current_run,
    workspace,
)
from tests.eventually import until
from tests.llamaindex.doubles import ScriptedLLM
from tests.llamaindex.servers import own
from tests.servers.scripted import Reply, scripted_server

FULL = {"stop_rule": "full"}


class Write(Workflow):
    """Each run writes the next text into its folder, counts itself in its context, and says the text."""

    def __init__(self, *texts):
        super().__init__(timeout=60)
        self.texts = list(texts)

    @step
    async def write(self, ctx: Context, ev: StartEvent) -> StopEvent:
        text = self.texts.pop(0)
        if text is None:
            raise ValueError("no text")
        await ctx.store.set("runs", [*await ctx.store.get("runs", default=[]), text])
        (workspace() / "file").write_text(text)
        return StopEvent(result=text)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "file").write_text("old")
    return folder


def left(project):
    """What the file says, and what stands beside the folder."""
    return (project / "file").read_text(), sorted(
        each.name for each in project.parent.iterdir() if each != project
    )


async def test_the_chosen_runs_folder_and_context_are_kept(project):
    runs = SampledWorkflow(Write("a", "b", "b", "c", "c", "c"), sample_num=3, workspace=project, **FULL)
    output = await runs.run(question="q")
    assert (output.text, output.agreement) == ("b", 2 / 3)
    run = output.message.original
    assert run.result == "b"
    assert await run.ctx.store.get("runs") == ["b"]
    assert left(project) == ("b", [])
    again = (await runs.run(ctx=run.ctx, question="q")).message.original
    assert await again.ctx.store.get("runs") == ["b", "c"]
    assert await run.ctx.store.get("runs") == ["b"]
    await runs.aclose()


async def test_a_verifier_looks_into_the_folder_of_the_run_that_it_judges(project):
    def verify(prompt, answer):
        return float(prompt == "q" and (workspace() / "file").read_text() == answer == "b")

    runs = SampledWorkflow(Write("a", "b", "c"), "best_of_n", sample_num=3, reward=verify, workspace=project)
    assert (await runs.run(question="q")).text == "b"
    assert left(project) == ("b", [])


async def test_a_run_that_fails_costs_itself_alone(project):
    runs = SampledWorkflow(Write("a", None, "a"), sample_num=3, workspace=project, **FULL)
    output = await runs.run(question="q")
    assert output.text == "a"
    assert [candidate.error is None for candidate in output.candidates].count(False) == 1


async def test_where_all_fail_the_folder_stays_as_it_was(project):
    with pytest.raises(InsufficientSamplesError):
        await SampledWorkflow(Write(None, None), sample_num=2, workspace=project).run(question="q")
    assert left(project) == ("old", [])


class Climb(Workflow):
    """Each run tells two scores, and says how far it came."""

    scores = ([0.9, 0.9], [0.1, 0.1])

    @step
    async def climb(self, ev: StartEvent) -> StopEvent:
        run = current_run.get()
        for score in self.scores[run.index]:
            await asyncio.sleep(0)
            run.progress(score, threshold=0.5)
        return StopEvent(result="up")


async def test_a_run_that_stays_behind_is_cut():
    output = await SampledWorkflow(Climb(timeout=60), sample_num=2, **FULL).run(question="q")
    assert [type(candidate.error) for candidate in output.candidates] == [type(None), RunCutError]


class Hang(Workflow):
    """Tells that it has begun, and that it was cancelled."""

    def __init__(self, ends):
        super().__init__(timeout=600)
        self.begun = []
        self.ends = ends

    @step
    async def hang(self, ev: StartEvent) -> StopEvent:
        (workspace() / "file").write_text("half")
        self.begun.append(self)
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        return StopEvent()


async def test_cancelling_the_call_cancels_the_runs_and_leaves_the_folder_as_it_was(project):
    ends = []
    workflow = Hang(ends)
    calling = asyncio.create_task(SampledWorkflow(workflow, sample_num=2, workspace=project).run(question="q"))
    await until(lambda: len(workflow.begun) == 2)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    await until(lambda: ends == ["cancelled", "cancelled"])
    assert left(project) == ("old", [])


def adding(body):
    """An agent that adds once, and says the sum."""
    if body["messages"][-1]["role"] == "tool":
        return Reply(pieces=(body["messages"][-1]["content"],))
    return Reply(pieces=(), tool_calls=(("add", '{"a": 1, "b": 2}'),), finish="tool_calls")


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


async def test_whole_runs_of_an_agent_vote_and_its_memory_gets_the_chosen_run():
    with scripted_server(adding) as server:
        async with own(server.url, method="direct") as llm:
            agent = FunctionAgent(tools=[add], llm=llm)
            memory = ChatMemoryBuffer.from_defaults(chat_history=[ChatMessage("hello")])
            output = await SampledWorkflow(agent, sample_num=3, **FULL).run(user_msg="1 + 2?", memory=memory)
    assert (output.text, output.agreement) == ("3", 1.0)
    assert output.usage.calls == 6
    assert [message.content for message in memory.get_all()][:2] == ["hello", "1 + 2?"]
    assert memory.get_all()[-1].content == "3"
    assert sum(message.role.value == "tool" for message in memory.get_all()) == 1


async def test_runs_and_the_llm_inside_pay_from_one_budget_once():
    budget = SharedBudget(tokens=100_000)
    with scripted_server(adding) as server:
        async with own(server.url, method="direct") as llm:
            agent = FunctionAgent(tools=[add], llm=llm)
            output = await SampledWorkflow(agent, sample_num=3, budget=budget, **FULL).run(user_msg="1 + 2?")
    assert budget.spent.tokens == output.usage.total_tokens == 6 * 7
    assert budget.spent.samples == 6


async def test_a_method_may_change_the_only_text_that_a_workflow_starts_with():
    class Echo(Workflow):
        @step
        async def echo(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=f"{ev.question} / {ev.times}")

    output = await SampledWorkflow(Echo(), "re_reading").run(question="how tall?", times=2)
    assert output.text.count("how tall?") == 2
    assert output.text.endswith("/ 2")


def test_what_is_no_workflow_is_refused():
    with pytest.raises(InvalidRequestError, match="needs a workflow or an agent"):
        SampledWorkflow(ScriptedLLM(answers=["7"]))
