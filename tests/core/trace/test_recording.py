"""The one record of a run: what it keeps, in memory and in a file."""

import asyncio
import json
import pickle
import threading
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

import pytest

from scaffolding_core import (
    AssistantMessage,
    ChatTask,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    MCPCallTask,
    NativeGenerationController,
    Recording,
    RecordingWorker,
    ReplayMismatchError,
    ReplayWorker,
    RewardTask,
    ScaffoldingLlm,
    Task,
    TokenLogprob,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
    Worker,
    WorkerError,
)
from tests.core.doubles import Backend, Method

single = NativeGenerationController()


async def run(method, worker, prompt="q", **options):
    async with ScaffoldingLlm(method, worker) as llm:
        return (await llm.generate_async(prompt, **options)).output


def asking(*tasks):
    """A method that asks each task, one after another."""

    def process(given):
        for task in tasks:
            yield [task]
        given[0].output_str = "done"

    return Method(process)


async def given_again(worker, make, path):
    """The task as the worker leaves it, and as the replay of a saved recording does."""
    recording, (first, second) = RecordingWorker(worker), (make(), make())
    await run(asking(first), recording)
    recording.recording.save(path)
    await run(asking(second), ReplayWorker(Recording.load(path)))
    return first, second


@pytest.mark.looptime
async def test_a_record_tells_who_was_asked_what_and_what_came_of_it():
    recording = RecordingWorker(Backend())
    await run(MajorityVoteController(single, 2), recording, "wait:1 say:7", temperature=0.5)
    second = recording.recording.records[1]
    assert (second.task, second.worker, second.role, second.model) == (
        "GenerationTask",
        "Backend",
        "generation",
        None,
    )
    assert (second.request, second.branch, second.call, second.index) == (0, (1,), 0, 1)
    assert (second.inputs, second.parameters) == ({"input_str": "wait:1 say:7"}, {"temperature": 0.5})
    assert second.results["said"]["content"] == "7"
    assert (second.started, second.ended, second.ending) == (0, 1, "finished")
    assert recording.recording.usage.calls == 2


@pytest.mark.looptime
async def test_a_recording_reads_as_the_traces_of_its_requests():
    recording = RecordingWorker(Backend())
    async with ScaffoldingLlm(MajorityVoteController(single, 2), recording) as llm:
        results = await asyncio.gather(*(llm.generate_async("wait:1 say:7", trace=True) for _ in range(2)))
    for result, trace in zip(results, recording.recording.traces(), strict=True):
        kept = [(c.branch, c.task, c.started, c.ended, c.ending, c.usage) for c in trace.calls]
        assert kept == [(c.branch, c.task, c.started, c.ended, c.ending, c.usage) for c in result.trace.calls]
        assert str(trace) == str(result.trace)
        assert json.loads(json.dumps(trace.to_dict()))["calls"][0]["results"]["said"]["content"] == "7"


async def test_a_file_has_each_call_as_soon_as_it_has_ended(tmp_path):
    path, seen = tmp_path / "run.jsonl", []

    class Looks(Worker):
        async def run_task(self, task):
            seen.append(len(Recording.load(path).records))
            task.output_str = "7"

    with Recording.open(path) as recording:
        await run(asking(*(GenerationTask(input_str=text) for text in "abc")), RecordingWorker(Looks(), recording))
        assert seen == [0, 1, 2]
        assert [record.inputs["input_str"] for record in recording.records] == ["a", "b", "c"]


async def test_a_file_goes_on_where_it_ended(tmp_path):
    path = tmp_path / "run.jsonl"
    for _ in range(2):
        with Recording.open(path) as recording:
            await run(MajorityVoteController(single, 2), RecordingWorker(Backend(), recording), "say:7")
    records = Recording.load(path).records
    assert [(record.request, record.index) for record in records] == [(0, 0), (0, 1), (1, 2), (1, 3)]


async def test_without_content_there_are_hashes_costs_and_times_and_no_replay(tmp_path):
    path = tmp_path / "run.jsonl"
    for prompt in ("say:secret", "fail:secret"):
        with Recording.open(path, content=False) as recording:
            worker = RecordingWorker(Backend(), recording)
            if prompt.startswith("fail"):
                with pytest.raises(WorkerError):
                    await run(single, worker, prompt, stop="secret")
            else:
                await run(single, worker, prompt, stop="secret")
    assert "secret" not in path.read_text()
    kept = Recording.load(path)
    assert [record.ending for record in kept.records] == ["finished", "failed"]
    assert (kept.records[1].error_type, kept.usage.total_tokens) == ("WorkerError", 7)
    with pytest.raises(InvalidRequestError, match="without content"):
        ReplayWorker(kept)
    with pytest.raises(InvalidRequestError, match="content=False"):
        Recording.open(path)


async def test_what_a_model_said_comes_back_whole(tmp_path):
    class Says(Worker):
        async def run_task(self, task):
            task.output_str, task.reasoning, task.finish_reason = "7", "hm", "tool_calls"
            task.output_tokens = [1, 2]
            task.tool_calls = [ToolCall("1", "add", "{}")]
            task.logprobs = [TokenLogprob("7", -0.5, (("7", -0.5), ("8", -1.0)))]
            task.usage = Usage(1, 2, calls=1)
            task.original = threading.Lock()

    messages = [
        UserMessage("q"),
        AssistantMessage("a", tool_calls=[ToolCall("0", "add", "{}")]),
        ToolMessage("1", "0"),
    ]
    first, second = await given_again(Says(), lambda: ChatTask(messages=list(messages)), tmp_path / "run.jsonl")
    assert second.message() == first.message()
    assert (second.logprobs, second.output_tokens) == (first.logprobs, first.output_tokens)
    assert (second.usage, second.finish_reason, second.original) == (first.usage, "tool_calls", None)


async def test_rewards_and_tool_calls_come_back(tmp_path):
    class Scores(Worker):
        async def run_task(self, task):
            task.reward, task.step_rewards = 0.5, [0.25, 0.75]

    make = lambda: RewardTask(input_str="q", response=AssistantMessage("7"))  # noqa: E731
    first, second = await given_again(Scores(), make, tmp_path / "run.jsonl")
    assert (second.reward, second.step_rewards) == (first.reward, first.step_rewards) == (0.5, [0.25, 0.75])
    make = lambda: MCPCallTask.create_mcptask("1", "add", "{}")  # noqa: E731
    first, second = await given_again(FunctionWorker(lambda task: "8"), make, tmp_path / "other.jsonl")
    assert second.result_str == first.result_str == "8"


class Colour(Enum):
    RED = "red"


@dataclass
class Hit:
    text: str
    where: tuple[int, int]
    notes: dict[int, str] = field(default_factory=dict)


@dataclass(eq=False, repr=False)
class SearchTask(Task):
    query: str = ""
    colour: Colour | None = None
    hits: list[Hit] | None = None


class Finds(Worker):
    async def run_task(self, task):
        task.hits = [Hit(task.query, (1, 2), {3: "three"})]
        task.custom_output_params = {"$tuple": [("a", date(2026, 1, 2))]}
        task.seen_by = "me"


async def test_tasks_of_ones_own_come_back_with_their_own_classes(tmp_path):
    make = lambda: SearchTask(query="x", colour=Colour.RED, custom_input_params={"since": date(2026, 1, 1)})  # noqa: E731
    first, second = await given_again(Finds(), make, tmp_path / "run.jsonl")
    assert second.hits == first.hits
    assert second.seen_by == "me"
    assert second.custom_output_params == {"$tuple": [("a", "2026-01-02")]}


async def test_a_class_that_the_program_has_not_is_a_typed_error(tmp_path):
    path = tmp_path / "run.jsonl"
    await given_again(Finds(), lambda: SearchTask(query="x"), path)
    path.write_text(path.read_text().replace(":Hit", ":Miss"))
    with pytest.raises(InvalidRequestError, match=r"holds a .*:Miss, which this program has not"):
        await run(asking(SearchTask(query="x")), ReplayWorker(Recording.load(path)))


async def test_an_input_that_no_file_can_hold_is_an_error_that_names_it():
    task = GenerationTask(input_str="q", custom_input_params={"client": threading.Lock()})
    with pytest.raises(InvalidRequestError, match="custom_input_params of a GenerationTask holds a lock"):
        await run(asking(task), RecordingWorker(Backend()))


async def test_custom_parameters_tell_calls_apart():
    recording = RecordingWorker(Backend())
    await run(asking(GenerationTask(input_str="say:7", custom_input_params={"depth": 1})), recording)
    with pytest.raises(ReplayMismatchError, match="custom_input_params"):
        other = GenerationTask(input_str="say:7", custom_input_params={"depth": 2})
        await run(asking(other), ReplayWorker(recording.recording))


def test_threads_and_loops_share_a_recording(tmp_path):
    with (
        Recording.open(tmp_path / "run.jsonl") as recording,
        ScaffoldingLlm(
            MajorityVoteController(single, 4, stop_rule="full"), RecordingWorker(Backend(), recording)
        ) as llm,
    ):
        threads = [threading.Thread(target=lambda: asyncio.run(ask(llm))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        records = recording.records
    assert sorted(record.index for record in records) == list(range(4 * 4 * 4))
    assert {record.request for record in records} == set(range(16))


async def ask(llm):
    await asyncio.gather(*(llm.generate_async("say:7") for _ in range(4)))


async def test_a_pickled_recording_is_a_copy_in_memory(tmp_path):
    with Recording.open(tmp_path / "run.jsonl") as recording:
        await run(single, RecordingWorker(Backend(), recording), "say:7")
        copy = pickle.loads(pickle.dumps(recording))
    assert copy.records == Recording.load(tmp_path / "run.jsonl").records
