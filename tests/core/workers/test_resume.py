"""Going on with a recorded run: what is there is given again, what is not is asked and added."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from scaffolding_core import (
    BestOfNController,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    OpenAIWorker,
    Race,
    Recording,
    RecordingWorker,
    ReplayWorker,
    ScaffoldingLlm,
)
from scaffolding_core.workers.reward import reward_worker
from tests.core.controllers.sampling.test_majority_vote import Says
from tests.core.doubles import Method, task
from tests.servers.scripted import Reply, scripted_server

single = NativeGenerationController()
full = MajorityVoteController(single, 4, stop_rule="full")


async def run(method, worker, prompts):
    async with ScaffoldingLlm(method, worker) as llm:
        results = await asyncio.wait_for(asyncio.gather(*map(llm.generate_async, prompts)), 60)
    return [result.output for result in results]


async def test_a_run_that_is_whole_asks_nothing_anew_in_any_order(tmp_path):
    first = Says("7891" * 3)
    with Recording.open(tmp_path / "run.jsonl") as recording:
        outputs = await run(full, RecordingWorker(first, recording), "abc")
    lines = (tmp_path / "run.jsonl").read_bytes()
    second = Says("!")
    with Recording.open(tmp_path / "run.jsonl") as recording:
        again = await run(full, ReplayWorker(recording, worker=second), "cab")
    assert [output.summary() for output in again] == [outputs[i].summary() for i in (2, 0, 1)]
    assert second.started == 0
    assert (tmp_path / "run.jsonl").read_bytes() == lines


@pytest.mark.looptime
async def test_more_samples_of_the_same_prompt_cost_only_what_is_new():
    recording = Recording()
    await run(full, RecordingWorker(Says("7878"), recording), ["q"])
    more = Says("9")
    (output,) = await run(
        MajorityVoteController(single, 6, stop_rule="full"), ReplayWorker(recording, worker=more), "q"
    )
    assert [candidate.text for candidate in output.candidates] == ["7", "8", "7", "8", "9", "9"]
    assert more.started == 2
    assert [record.index for record in recording.records] == [0, 1, 2, 3, 4, 5]
    fewer = Says("!")
    (output,) = await run(
        MajorityVoteController(single, 3, stop_rule="full"), ReplayWorker(recording, worker=fewer), "q"
    )
    assert [candidate.text for candidate in output.candidates] == ["7", "8", "7"]
    assert fewer.started == 0


@pytest.mark.looptime
async def test_the_sample_that_is_missing_keeps_its_place_however_slow_it_was():
    recording = Recording()
    await run(full, RecordingWorker(Says("7891", delays=[5, 1, 1, 1]), recording), ["q"])
    broken_off = Recording([record for record in recording.records if record.index > 0])
    (output,) = await run(full, ReplayWorker(broken_off, worker=Says("2")), "q")
    assert [candidate.text for candidate in output.candidates] == ["2", "8", "9", "1"]


@pytest.mark.looptime
async def test_a_request_that_goes_another_way_waits_for_turns_only_once():
    def racing(ahead):
        def process(tasks):
            race = Race((task("q") for _ in range(4)), ahead=ahead)
            while (outcome := (yield race)) is not None:
                tasks[0].output_str = (tasks[0].output_str or "") + outcome.value.output_str

        return Method(process)

    recording = Recording()
    await run(racing(None), RecordingWorker(Says("7891", delays=[4, 3, 2, 1]), recording), ["x"])
    before = asyncio.get_running_loop().time()
    (output,) = await run(racing(1), ReplayWorker(recording, worker=Says("!")), ["x"])
    assert output.text == "7891"
    assert asyncio.get_running_loop().time() - before < 1.5


@pytest.mark.looptime
async def test_what_failed_is_asked_again_and_then_known():
    recording = Recording()
    await run(full, RecordingWorker(Says("7!77"), recording), ["q"])
    (output,) = await run(full, ReplayWorker(recording, worker=Says("8")), "q")
    assert [candidate.text for candidate in output.candidates] == ["7", "8", "7", "7"]
    (output,) = await run(full, ReplayWorker(recording), "q")
    assert [candidate.text for candidate in output.candidates] == ["7", "8", "7", "7"]


@pytest.mark.looptime
async def test_what_was_cut_is_not_asked_again_unless_it_is_needed():
    recording = Recording()
    lossless = MajorityVoteController(single, 4, run_ahead=4)
    await run(lossless, RecordingWorker(Says("7", delays=[1, 1, 1, 30]), recording), ["q"])
    worker = Says("8")
    (output,) = await run(lossless, ReplayWorker(recording, worker=worker), "q")
    assert (output.cut, worker.started) == (1, 0)
    (output,) = await run(full, ReplayWorker(recording, worker=worker), "q")
    assert [candidate.text for candidate in output.candidates] == ["7", "7", "7", "8"]
    assert worker.started == 1


async def test_the_calls_of_another_model_are_not_taken_for_those_of_this_one():
    with scripted_server(Reply()) as server:
        recording = Recording()
        async with OpenAIWorker(server.url, model="small") as small, OpenAIWorker(server.url, model="big") as big:
            await run(single, RecordingWorker(small, recording), ["q"])
            for worker in (big, small, big):
                await run(single, ReplayWorker(recording, worker=worker), ["q"])
        assert [record.model for record in recording.records] == ["small", "big"]
        assert len(server.requests) == 2


async def test_workers_of_several_roles_go_on_together():
    recording = Recording()
    method = BestOfNController(single, NativeRewardController(), 3)
    length = reward_worker(lambda prompt, answer: len(answer))
    workers = {"generation": Says(["a", "ccc", "bb"]), "reward": length}
    recorded = {tag: RecordingWorker(worker, recording) for tag, worker in workers.items()}
    (output,) = await run(method, recorded, ["q"])
    assert len(recording.records) == 6
    again = recording.again()
    resumed = {tag: ReplayWorker(again, worker=worker) for tag, worker in workers.items()}
    (same,) = await run(method, resumed, ["q"])
    assert same.summary() == output.summary()
    assert len(recording.records) == 6


KILLED = """
import os, signal, sys
from scaffolding_core import *

class Dies(Worker):
    max_concurrency = 1
    calls = 0

    async def run_task(self, task):
        self.calls += 1
        if self.calls == 6:
            os.kill(os.getpid(), signal.SIGKILL)
        task.output_str, task.usage = str(self.calls), Usage(calls=1)

recording = Recording.open(sys.argv[1])
with ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 4, stop_rule="full"),
                    RecordingWorker(Dies(), recording)) as llm:
    llm.generate(["a", "b", "c"])
"""


@pytest.mark.parametrize("torn", [b"", b'{"branch":[0],"task":"Generat'])
async def test_a_run_that_was_killed_pays_only_for_what_was_not_done(tmp_path, torn):
    path = tmp_path / "run.jsonl"
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, str(path)], timeout=60, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with path.open("ab") as file:
        file.write(torn)
        os.fsync(file.fileno())
    worker = Says("9")
    with Recording.open(path) as recording:
        assert len(recording.records) == recording.usage.calls == 5
        outputs = await run(full, ReplayWorker(recording, worker=worker), "cba")
    assert worker.started == 12 - 5
    given = [candidate.text for output in outputs for candidate in output.candidates]
    assert sorted(given) == sorted(["1", "2", "3", "4", "5", *"9999999"])
    assert len(Recording.load(path).records) == 12
