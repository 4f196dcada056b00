"""Whole runs of an agent, each in a folder of its own: the chosen one's stays.

The agents are LangGraph's, by `create_agent`, on a scripted model; their tools write files.
"""

import asyncio
import itertools
import threading

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from langchain_scaffolding import ScaffoldingRunnable, agent_transcript
from scaffolding_core import (
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    WorkspaceChangedError,
    per_run,
    workspace,
)
from tests.eventually import until
from tests.langchain.doubles import KnownChat

ids = itertools.count()
both_ways = pytest.mark.parametrize("how", ["sync", "async"])
CONFIG = {"configurable": {"thread_id": "1"}}


class Writer(KnownChat):
    """In each run it writes the run's text to a file and then says it; a run without text fails."""

    texts: list

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        if isinstance(messages[-1], HumanMessage):
            text = self.texts.pop(0)
            if text is None:
                raise ValueError("no text")
            call = {"name": "write", "args": {"text": text}, "id": f"call-{next(ids)}"}
            return self._answer(AIMessage("", tool_calls=[call]))
        return self._answer(AIMessage(messages[-1].content))

    def _answer(self, message):
        return ChatResult(generations=[ChatGeneration(message=message)])

    def bind_tools(self, tools, **kwargs):
        return self


notes = per_run(list)


@tool
def write(text: str, config: RunnableConfig) -> str:
    """Write text to the file."""
    assert config["configurable"]["workspace"] == str(workspace())
    notes().append(text)
    assert notes() == [text]
    (workspace() / "file").write_text(text)
    return text


def agent_of(*texts, **options):
    model = Writer(answers=["-"], calls=[], texts=list(texts))
    return create_agent(model, [write], **options)


def said(state):
    return state["messages"][-1].text


def runs_of(agent, n=3, **options):
    return ScaffoldingRunnable.wrap(
        agent, sample_num=n, **{"text": said, "method_options": {"stop_rule": "full"}, **options}
    )


async def called(runs, how, config=None, **kwargs):
    given = {"messages": [("user", "go")]}
    if how == "sync":
        return await asyncio.to_thread(runs.invoke, given, config, **kwargs)
    return await runs.ainvoke(given, config, **kwargs)


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


@both_ways
async def test_the_chosen_runs_folder_stays(how, project):
    output = await called(runs_of(agent_of("a", "b", "b"), workspace=project), how)
    assert output.text == "b"
    assert left(project) == ("b", [])


@both_ways
async def test_with_a_checkpointer_its_thread_stays_too(how, project):
    agent = agent_of("a", "b", "b", checkpointer=InMemorySaver())
    await called(runs_of(agent), how, CONFIG, workspace=project)
    assert [message.text for message in agent.get_state(CONFIG).values["messages"]] == ["go", "", "b", "b"]
    assert left(project) == ("b", [])


@both_ways
async def test_a_vote_may_be_on_what_is_in_the_folder(how, project):
    runs = runs_of(agent_of("a", "b", "b"), text=lambda state: f"file: {(workspace() / 'file').read_text()}")
    output = await called(runs, how, workspace=project)
    assert output.text == "file: b"


@both_ways
async def test_a_verifier_looks_into_the_folder_of_the_run_that_it_judges(how, project):
    def verify(prompt, answer):
        assert (workspace() / "file").read_text() == answer
        return float(answer == "b")

    runs = runs_of(agent_of("a", "b", "c"), method="best_of_n", reward=verify, method_options={})
    assert (await called(runs, how, workspace=project)).text == "b"
    assert left(project) == ("b", [])


@both_ways
async def test_a_tournament_compares_whole_runs(how, project):
    def prefers_b(task):
        shown = [line for line in task.messages[-1].text.splitlines() if line.startswith("write(")]
        return "Verdict: A" if '"b"' in shown[0] else "Verdict: B" if '"b"' in shown[1] else "Verdict: tie"

    runs = runs_of(
        agent_of("a", "b", "c"),
        method="best_of_n",
        reward="pairwise_judge",
        roles={"judge": FunctionWorker(prefers_b)},
        text=agent_transcript,
        method_options={},
    )
    output = await called(runs, how, workspace=project)
    assert said(output.message.original) == "b"
    assert left(project) == ("b", [])


@both_ways
async def test_a_run_that_fails_costs_itself_alone(how, project):
    output = await called(runs_of(agent_of("a", None, "a"), workspace=project), how)
    assert [candidate.error is None for candidate in output.candidates].count(False) == 1
    assert left(project) == ("a", [])


@both_ways
async def test_where_all_fail_the_folder_stays_as_it_was(how, project):
    with pytest.raises(InsufficientSamplesError):
        await called(runs_of(agent_of(None, None, None), workspace=project), how)
    assert left(project) == ("old", [])


@both_ways
async def test_a_folder_that_a_tool_changes_itself_stays_as_that_left_it(how, project):
    def meddle(state):
        (project / "file").write_text("outside")
        return said(state)

    with pytest.raises(WorkspaceChangedError):
        await called(runs_of(agent_of("a", "a", "a"), text=meddle, workspace=project), how)
    assert (project / "file").read_text() == "outside"


async def test_a_cancelled_call_leaves_the_folder_as_it_was(project):
    begun = asyncio.Event()

    async def agent(given):
        (workspace() / "file").write_text("half")
        begun.set()
        await asyncio.sleep(60)

    calling = asyncio.create_task(called(runs_of(RunnableLambda(agent)), "async", workspace=project))
    await begun.wait()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert left(project) == ("old", [])


async def test_what_a_cut_run_still_writes_in_its_thread_is_removed_with_its_end(project):
    begun, over, ended = threading.Event(), threading.Event(), threading.Event()
    turns = itertools.count()

    def agent(given):
        if next(turns) < 2:
            begun.wait(60)
        else:
            begun.set()
            over.wait(60)
            (workspace() / "late").mkdir(parents=True)
            ended.set()
        return "same"

    runs = ScaffoldingRunnable.wrap(RunnableLambda(agent), sample_num=3)
    assert (await asyncio.to_thread(runs.invoke, {"q": "go"}, workspace=project)).stopped == "decided"
    assert left(project) == ("old", [])
    over.set()
    await until(ended.is_set)
    await until(lambda: left(project) == ("old", []))


async def test_what_streams_keeps_the_folder_too(project):
    runs = runs_of(agent_of("a", "b", "b"), workspace=project)
    assert [event async for event in runs.astream({"messages": [("user", "go")]})]
    assert left(project) == ("b", [])


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InvalidRequestError, match="workspace must be a folder"):
        runs_of(agent_of("a"), 1).invoke({"messages": [("user", "go")]}, workspace=tmp_path / "a" / "b")
