"""Live events."""

import asyncio
import threading

import pytest

from scaffolding_core.controller import ParallelProcess
from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.results import FinalEvent, TokenEvent
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tasks import Delta
from scaffolding_core.worker import Worker
from tests.core.doubles import Backend, Method

single = NativeGenerationController()


class Writes(Worker):
    """Writes the words of the prompt one by one, each when it is told to go on."""

    def __init__(self):
        self.go_on = asyncio.Semaphore(0)

    async def run_task(self, task):
        words = task.input_str.split()
        for word in words:
            await self.go_on.acquire()
            task.scope.emit(Delta(word))
        task.output_str = " ".join(words)


async def test_text_arrives_while_the_worker_still_writes():
    worker = Writes()
    async with ScaffoldingLlm(single, worker) as llm:
        seen = []
        worker.go_on.release()
        async for event in llm.stream("one two three"):
            seen.append(event)
            worker.go_on.release()
    assert [e.text for e in seen[:-1]] == ["one", "two", "three"]
    assert all(e.branch == () for e in seen[:-1])
    assert isinstance(seen[-1], FinalEvent)
    assert seen[-1].output.text == "one two three"


async def test_each_branch_has_its_path():
    def branch(task):
        yield [task]

    def process(tasks):
        yield ParallelProcess.from_generators(branch(tasks[0].copy()) for _ in range(2))
        yield [tasks[0].copy() for _ in range(2)]

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        paths = [e.branch async for e in llm.stream("say:x") if isinstance(e, TokenEvent)]
    assert sorted(paths) == [(0,), (1,), (2,), (3,)]


async def test_nobody_listening_costs_the_worker_nothing():
    listening = []

    class Asks(Worker):
        async def run_task(self, task):
            listening.append(task.scope.listening)

    async with ScaffoldingLlm(single, Asks()) as llm:
        await llm.generate_async("x")
        async for _ in llm.stream("x"):
            pass
    assert listening == [False, True]


async def test_a_failed_request_raises_at_the_end_of_its_events():
    async with ScaffoldingLlm(single, Backend()) as llm:
        events = []
        with pytest.raises(WorkerError, match="broken"):
            async for event in llm.stream("say:first fail:broken"):
                events.append(event)
    assert [e.text for e in events] == ["first"]


async def test_leaving_early_cancels_the_request():
    backend = Backend()
    async with ScaffoldingLlm(single, backend) as llm:
        stream = llm.stream("say:x wait:30")
        events = aiter(stream)
        await anext(events)
        await events.aclose()
        await stream.result.ended()
    assert backend.cut == ["say:x wait:30"]


def test_a_thread_reads_events_and_leaving_early_cancels():
    backend = Backend()
    with ScaffoldingLlm(single, backend) as llm:
        stream = llm.stream("say:x wait:30")
        for event in stream:
            assert event.text == "x"
            break
        stream.result.wait_ended(30)
    assert backend.cut == ["say:x wait:30"]


async def test_a_stream_is_iterated_only_once():
    async with ScaffoldingLlm(single, Backend()) as llm:
        stream = llm.stream("say:x")
        assert [e async for e in stream]
        with pytest.raises(InvalidRequestError, match="only once"):
            async for _ in stream:
                pass


@pytest.mark.looptime
async def test_iterating_a_running_result_gives_events_from_now_on_to_each_reader():
    worker = Writes()
    async with ScaffoldingLlm(single, worker) as llm:
        result = llm.generate_async("one two")
        worker.go_on.release()
        await asyncio.sleep(0.01)
        readers = [asyncio.create_task(collect(result)) for _ in range(2)]
        await asyncio.sleep(0.01)
        worker.go_on.release()
        assert await asyncio.gather(*readers) == [["two", "final"]] * 2
        assert await collect(result) == ["final"]


async def collect(result):
    return [e.text if isinstance(e, TokenEvent) else "final" async for e in result]


async def test_text_waits_in_one_piece_a_branch_for_a_slow_reader():
    class Chatty(Worker):
        async def run_task(self, task):
            for _ in range(1000):
                task.scope.emit(Delta("x"))
            task.output_str = "x" * 1000

    async with ScaffoldingLlm(single, Chatty()) as llm:
        events = []
        async for event in llm.stream("go"):
            events.append(event)
            await asyncio.sleep(0.01)
    assert "".join(e.text for e in events if isinstance(e, TokenEvent)) == "x" * 1000
    assert len(events) < 5


async def test_a_thread_reads_the_events_of_a_request_on_another_loop():
    worker = Writes()
    async with ScaffoldingLlm(single, worker) as llm:
        result = llm.generate_async("x")
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(type(e).__name__ for e in result))
        reader.start()
        while not result.listened_to:
            await asyncio.sleep(0.001)
        worker.go_on.release()
        await result
        await asyncio.to_thread(reader.join)
    assert seen == ["TokenEvent", "FinalEvent"]
