"""Recording a run, and replaying it without a backend."""

import asyncio
from datetime import date

import pytest

from scaffolding_core import (
    BestOfNController,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    ParallelProcess,
    Race,
    Recording,
    RecordingWorker,
    ReplayMismatchError,
    ReplayWorker,
    ScaffoldingLlm,
    StreamGenerationTask,
    Usage,
    WorkerError,
)
from scaffolding_core.worker import Worker
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says
from tests.core.doubles import Backend, Method, task

pytestmark = pytest.mark.looptime
single = NativeGenerationController()


async def recorded(method, worker, prompts=("q",), **options):
    recording = RecordingWorker(worker)
    async with ScaffoldingLlm(method, recording) as llm:
        outputs = [r.output for r in await asyncio.gather(*(llm.generate_async(p, **options) for p in prompts))]
    return outputs, recording.recording


async def replayed(method, recording, prompts=("q",), **options):
    async with ScaffoldingLlm(method, ReplayWorker(recording)) as llm:
        results = await asyncio.wait_for(asyncio.gather(*(llm.generate_async(p, **options) for p in prompts)), 30)
    return [r.output for r in results]


async def test_a_vote_replays_to_the_same_output_with_the_same_samples_cut(tmp_path):
    method = MajorityVoteController(single, 8, run_ahead=2)
    worker = Says(["7", "8", "!", "7", "7", "7", "7", "8"], delays=[0.05, 0.01, 0.02, 0.03, 0.01, 0.06, 30, 30])
    (output,), recording = await recorded(method, worker)
    assert any(c.cut for c in output.candidates)
    recording.save(tmp_path / "run.jsonl")
    for again in (recording, Recording.load(tmp_path / "run.jsonl")):
        (same,) = await replayed(method, again)
        assert same.summary() == output.summary()


async def test_what_a_worker_and_a_method_agreed_on_is_recorded_too():
    class Judge(Worker):
        async def run_task(self, task):
            task.output_str, task.custom_output_params = "7", {"feedback": ["too short"], "when": date(2026, 1, 2)}

    def process(tasks):
        yield tasks
        tasks[0].output_str = str(tasks[0].custom_output_params["feedback"])

    (output,), recording = await recorded(Method(process), Judge())
    (same,) = await replayed(Method(process), recording)
    assert same.text == output.text == "['too short']"


async def test_hand_back_order_is_that_of_the_recorded_run():
    order = []

    def process(tasks):
        seen = []
        race = Race(task(f"wait:{w} say:x{w}") for w in (0.03, 0.01, 0.02))
        while (outcome := (yield race)) is not None:
            seen.append(outcome.index)
        order.append(seen)
        tasks[0].output_str = str(seen)

    await recorded(Method(process), Backend())
    (_, recording) = await recorded(Method(process), Backend())
    await replayed(Method(process), recording)
    assert order == [[1, 2, 0]] * 3


async def test_nested_branches_and_several_requests_at_once():
    def leaf(name):
        yield [task(f"wait:0.01 say:{name}")]
        (second,) = yield [task(f"say:{name}{name}")]
        return second.output_str

    def process(tasks):
        values = yield ParallelProcess.from_generators([leaf("a"), leaf(tasks[0].input_str)])
        tasks[0].output_str = " ".join(values)

    prompts = ("x", "y", "z")
    outputs, recording = await recorded(Method(process), Backend(), prompts)
    assert [o.text for o in await replayed(Method(process), recording, prompts)] == [o.text for o in outputs]


async def test_rewards_and_generations_share_a_recording():
    recording = Recording()
    method = BestOfNController(single, NativeRewardController(), 4)
    workers = {
        "generation": RecordingWorker(Says(["a", "ccc", "bb", "ccc"]), recording),
        "reward": RecordingWorker(reward_worker(lambda prompt, answer: len(answer)), recording),
    }
    async with ScaffoldingLlm(method, workers) as llm:
        output = (await llm.generate_async("q")).output
    (same,) = await replayed(method, recording)
    assert same.summary() == output.summary()
    assert same.text == "ccc"


async def test_an_error_replays_as_the_same_typed_error():
    _, recording = await recorded(MajorityVoteController(single, 3, stop_rule="full"), Says(["!", "7", "7"]))
    (output,) = await replayed(MajorityVoteController(single, 3, stop_rule="full"), recording)
    assert isinstance(output.candidates[0].error, WorkerError)
    assert "lost" in str(output.candidates[0].error)


async def test_what_was_not_recorded_is_a_mismatch_and_nothing_hangs():
    _, recording = await recorded(single, Says(["7"]))
    with pytest.raises(ReplayMismatchError, match=r"asks for input_str 'other', recorded was 'q'"):
        await replayed(single, recording, ("other",))
    with pytest.raises(ReplayMismatchError, match="temperature"):
        await replayed(single, recording, temperature=0.5)
    with pytest.raises(ReplayMismatchError, match="made no call"):
        await replayed(single, recording, ("q", "q"))


@pytest.mark.parametrize(
    ("method", "delays", "complaint"),
    [
        (MajorityVoteController(single, 2, stop_rule="full"), [0.05, 0.05, 0.01], "waits for a call"),
        (MajorityVoteController(single, 3, stop_rule="full"), [0.01, 0.01, 30], "was cut in the recorded run"),
    ],
)
async def test_a_method_that_goes_another_way_fails_and_does_not_hang(method, delays, complaint):
    _, recording = await recorded(MajorityVoteController(single, 3, run_ahead=3), Says(["7"] * 3, delays=delays))
    async with ScaffoldingLlm(method, ReplayWorker(recording, patience=0.1)) as llm:
        with pytest.raises(ReplayMismatchError, match=complaint):
            await asyncio.wait_for(llm.generate_async("q"), 30)


async def test_a_mismatch_ends_a_vote_and_is_no_failed_sample():
    _, recording = await recorded(MajorityVoteController(single, 2, stop_rule="full"), Says(["7"] * 2))
    with pytest.raises(ReplayMismatchError, match="made no call"):
        await replayed(MajorityVoteController(single, 3, stop_rule="full"), recording)


async def test_somebody_who_listens_gets_the_text():
    _, recording = await recorded(single, Says(["it is 7"]))
    async with ScaffoldingLlm(single, ReplayWorker(recording)) as llm:
        first = [event async for event in llm.stream("q")][0]
    assert first.text == "it is 7"


@pytest.mark.parametrize(
    "content", ["", "not json", '{"format": "other"}', '{"format": "scaffolding-recording", "version": 9}']
)
def test_a_file_that_is_no_recording_is_one_typed_error(tmp_path, content):
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(InvalidRequestError, match="no recording"):
        Recording.load(path)
    with pytest.raises(InvalidRequestError, match="there is no recording"):
        Recording.load(tmp_path / "missing")


class Steps(Worker):
    """Writes a word at each step, another one for each stream."""

    def __init__(self):
        self.streams = 0
        self.steps = 0

    async def run_task(self, task):
        if task.request_handle is None:
            self.streams += 1
            task.request_handle = Handle(self.streams)
        self.steps += 1
        task.output_str = (task.output_str or "") + f"{task.request_handle.stream};"
        task.usage = (task.usage or Usage()).since(None)
        task.usage.completion_tokens += 1
        task.end_flag = len(task.output_str) >= 6


class Handle:
    def __init__(self, stream):
        self.stream = stream

    async def aclose(self):
        pass


def stepwise(tasks):
    """Two streams of one prompt, the second one in turn with the first."""
    streams = [StreamGenerationTask(input_str="q") for _ in range(2)]
    while not all(stream.end_flag for stream in streams):
        for stream in streams:
            yield [stream]
    tasks[0].output_str = " ".join(stream.output_str for stream in streams)


async def test_streams_that_go_on_in_steps_replay_each_with_its_own_text():
    (output,), recording = await recorded(Method(stepwise), Steps())
    (same,) = await replayed(Method(stepwise), recording)
    assert same.text == output.text == "1;1;1; 2;2;2;"
    assert same.usage == output.usage
    assert recording.usage.completion_tokens == 6


def one_after_another(tasks):
    """The same two streams, the second one after the first."""
    streams = [StreamGenerationTask(input_str="q") for _ in range(2)]
    for stream in streams:
        while not stream.end_flag:
            before = stream.output_str or ""
            yield [stream]
            assert stream.output_str.startswith(before)
            assert len(stream.output_str) == len(before) + 2
    tasks[0].output_str = " ".join(stream.output_str for stream in streams)


async def test_no_step_is_taken_for_one_of_another_stream():
    _, recording = await recorded(Method(stepwise), Steps())
    worker = Steps()
    async with ScaffoldingLlm(Method(one_after_another), ReplayWorker(recording, worker=worker)) as llm:
        assert (await llm.generate_async("q")).text == "1;1;1; 2;2;2;"
    assert worker.steps == 0


async def test_a_recorded_stream_does_not_go_on_as_another_one():
    _, recording = await recorded(Method(stepwise), Steps())
    broken_off = Recording(recording.records[:3])
    async with ScaffoldingLlm(Method(stepwise), ReplayWorker(broken_off, worker=Steps())) as llm:
        with pytest.raises(ReplayMismatchError, match="cannot go on"):
            await llm.generate_async("q")


async def test_requests_in_another_order_find_their_calls():
    method = MajorityVoteController(single, 4, run_ahead=2)
    prompts = ["a", "b", "c"]
    outputs, recording = await recorded(method, Says("798" * 4, delays=[0.03, 0.01, 0.02] * 4), prompts)
    for order in (prompts[::-1], ["b", "c", "a"]):
        again = dict(zip(order, await replayed(method, recording, order), strict=True))
        assert [again[prompt].summary() for prompt in prompts] == [output.summary() for output in outputs]


async def test_equal_requests_each_find_the_calls_of_one():
    method = MajorityVoteController(single, 3, stop_rule="full")
    outputs, recording = await recorded(method, Says("787998789", delays=[0.03, 0.01, 0.02] * 3), ["q"] * 3)
    assert [o.summary() for o in await replayed(method, recording, ["q"] * 3)] == [o.summary() for o in outputs]


async def test_what_a_cut_sample_had_cost_is_counted_in_the_replay_too():
    class Slow(Worker):
        async def run_task(self, task):
            task.usage = Usage(calls=1, completion_tokens=5)
            task.output_str = "7"
            await asyncio.sleep(0.01 if task.scope.branch < (2,) else 30)

    method = MajorityVoteController(single, 3, run_ahead=3)
    (output,), recording = await recorded(method, Slow())
    (same,) = await replayed(method, recording)
    assert output.cut == 1
    assert same.usage == output.usage == Usage(calls=3, completion_tokens=15)
