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
    WorkerError,
)
from scaffolding_core.worker import Worker
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.test_majority_vote import Says
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
    method = BestOfNController(single, NativeRewardController(), 3)
    workers = {
        "generation": RecordingWorker(Says(["a", "ccc", "bb"]), recording),
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
    with pytest.raises(ReplayMismatchError, match=r"asks for prompt 'other', recorded was 'q'"):
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


async def test_tasks_that_go_on_in_steps_are_refused():
    def process(tasks):
        yield [StreamGenerationTask(input_str="q")]

    with pytest.raises(InvalidRequestError, match="StreamGenerationTask"):
        await recorded(Method(process), Backend())
