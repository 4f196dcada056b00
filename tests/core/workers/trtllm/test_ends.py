"""TRTLLMWorker: cuts, deadlines, engines that end, loops and threads, closing."""

import asyncio
import os
import pickle
import threading

import pytest

from scaffolding_core import (
    BackendTimeoutError,
    BackendUnavailableError,
    ClosedError,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    ScaffoldingLlm,
    StreamGenerationTask,
    TRTLLMWorker,
)
from tests.eventually import until
from tests.servers.trtllm.double import model_folder

LONG = "a b c d e f g h i j k l m n o p"


@pytest.fixture
def own_worker(tensorrt_llm, tmp_path):
    """A worker with an LLM of its own."""
    worker = TRTLLMWorker.init_with_new_llm(model_folder(tmp_path / "model", LONG))
    yield worker
    worker.llm.double.go_on()
    worker.shutdown()


def started(worker, count=1, kind=GenerationTask, **given):
    """Tasks that run on a worker whose engine holds, and are running there."""
    worker.llm.double.hold()
    group = object() if count > 1 else None
    tasks = [kind(input_str="q", group=group, **given) for _ in range(count)]
    return tasks, [asyncio.ensure_future(worker.run_task(task)) for task in tasks]


async def test_a_cut_sample_is_aborted_and_keeps_what_was_written(make_worker):
    worker = make_worker(LONG)
    (task,), (run,) = started(worker)
    await until(lambda: worker.llm.double.running)
    worker.llm.double.hold(3)
    await until(lambda: worker.llm.double.held == 0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert worker.llm.double.running == 0
    assert (task.output_str, task.finish_reason) == ("a b c", "cancelled")
    assert (task.usage.completion_tokens, task.usage.calls, task.usage.lost_calls) == (3, 1, 0)


async def test_the_engine_is_told_of_a_cut_before_anything_else_happens(make_worker):
    worker = make_worker(LONG)
    (_,), (run,) = started(worker)
    await until(lambda: worker.llm.double.running)
    run.cancel()
    await asyncio.sleep(0)  # one turn of the loop
    assert worker.llm.double.requests[0].aborted
    await asyncio.wait([run])


async def test_a_shared_call_goes_on_for_those_that_wait(make_worker):
    worker = make_worker("7", "8")
    tasks, runs = started(worker, 2)
    await until(lambda: worker.llm.double.running)
    runs[0].cancel()
    await asyncio.wait([runs[0]])
    worker.llm.double.go_on()
    await runs[1]
    assert (tasks[0].finish_reason, tasks[1].output_str) == ("cancelled", "8")
    assert sum(task.usage.completion_tokens for task in tasks) == 2


async def test_a_shared_call_is_aborted_with_the_last(make_worker):
    worker = make_worker(LONG)
    _, runs = started(worker, 3)
    await until(lambda: worker.llm.double.running)
    for run in runs:
        run.cancel()
    await asyncio.wait(runs)
    assert worker.llm.double.running == 0


async def test_samples_cut_before_they_are_sent_cost_nothing(make_worker):
    worker = make_worker("7")
    tasks, runs = started(worker, 2)
    await asyncio.sleep(0)
    for run in runs:
        run.cancel()
    await asyncio.wait(runs)
    assert worker.llm.double.requests == []
    assert [task.usage.calls for task in tasks] == [0, 0]


async def test_an_engine_that_does_not_answer_is_given_up_at_the_deadline(make_worker):
    worker = make_worker("7", timeout=0.05)
    (task,), (run,) = started(worker)
    with pytest.raises(BackendTimeoutError, match="make a new LLM"):
        await run
    assert task.usage.calls == 1


@pytest.mark.parametrize("kind", [GenerationTask, StreamGenerationTask])
async def test_when_the_engine_breaks_down_each_that_waits_is_told_and_whoever_comes_later(make_worker, kind):
    worker = make_worker("7")
    _, runs = started(worker, kind=kind)
    _, others = started(worker, 2)
    await until(lambda: worker.llm.double.running == 2)
    worker.llm.double.break_down(RuntimeError("out of memory"))
    for run in (*runs, *others):
        with pytest.raises(BackendUnavailableError, match="make a new LLM and a new worker: out of memory"):
            await run
    with pytest.raises(BackendUnavailableError, match="make a new LLM and a new worker"):
        await worker.run_task(GenerationTask(input_str="q"))


async def test_the_end_of_the_engines_process_is_told_to_all_that_wait(own_worker):
    _, runs = started(own_worker)
    _, others = started(own_worker, 2)
    await until(lambda: own_worker.llm.double.running == 2)
    own_worker.llm.double.kill()
    for run in (*runs, *others):
        with pytest.raises(BackendUnavailableError, match="its process is gone: make a new LLM"):
            await run
    with pytest.raises(BackendUnavailableError, match="make a new LLM"):
        await own_worker.run_task(GenerationTask(input_str="q"))


async def test_a_vote_ends_at_once_with_the_engine(own_worker):
    async with ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 3), own_worker) as llm:
        own_worker.llm.double.hold()
        running = llm.generate_async("q")
        await until(lambda: own_worker.llm.double.running)
        own_worker.llm.double.kill()
        with pytest.raises(BackendUnavailableError, match="its process is gone"):
            await running


async def test_an_llm_that_its_owner_has_shut_down_says_what_to_do(make_worker):
    worker = make_worker("7")
    worker.llm.shutdown()
    with pytest.raises(BackendUnavailableError, match="make a new LLM and a new worker"):
        await worker.run_task(GenerationTask(input_str="q"))


async def test_closing_a_worker_ends_what_runs_and_its_own_llm(own_worker):
    _, runs = started(own_worker)
    await until(lambda: own_worker.llm.double.running)
    await own_worker.async_shutdown()
    with pytest.raises(ClosedError):
        await runs[0]
    with pytest.raises(ClosedError):
        await own_worker.run_task(GenerationTask(input_str="q"))
    assert own_worker.llm.double.is_shutdown


async def test_a_given_llm_stays_its_owners(make_worker):
    worker = make_worker("7")
    _, runs = started(worker)
    await until(lambda: worker.llm.double.running)
    worker.shutdown()
    with pytest.raises(ClosedError):
        await runs[0]
    await until(lambda: not worker.llm.double.running)
    assert not worker.llm.double.is_shutdown
    worker.llm.double.go_on()
    assert (await worker.llm.generate_async("q")).outputs[0].text == "7"


def test_it_works_from_several_threads_and_loops_at_once(make_worker):
    worker = make_worker("7")
    answers = []

    async def ask():
        tasks = [GenerationTask(input_str="q") for _ in range(3)]
        await asyncio.gather(*map(worker.run_task, tasks))
        answers.extend(task.output_str for task in tasks)

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == ["7"] * 9


def test_it_stays_in_its_process(make_worker):
    worker = make_worker("7")
    with pytest.raises(InvalidRequestError, match="stays in its process"):
        pickle.dumps(worker)
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(worker.run_task(GenerationTask(input_str="q")))
        except ClosedError:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
