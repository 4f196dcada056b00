"""The workers of a ScaffoldingLlm: by tag, looked up at each task, told at the end."""

import asyncio
import threading

import pytest

from scaffolding_core import (
    ControllerError,
    InvalidRequestError,
    MissingWorkerError,
    NativeGenerationController,
    ScaffoldingLlm,
)
from tests.core.doubles import Backend, Method, task

TAG = NativeGenerationController.WorkerTag.GENERATION
single = NativeGenerationController()


class Scoped(Backend):
    def __init__(self, max_concurrency=256):
        super().__init__(max_concurrency)
        self.log = []

    async def on_scope_end(self, scope_id):
        self.log.append("on_scope_end")

    async def release_loop(self):
        self.log.append("release_loop")


class Bare:
    """No `Worker`, but taken for one."""

    async def run_task(self, task):
        task.output_str = "bare"


async def asked(llm, prompt="say:x"):
    return (await asyncio.wait_for(llm.generate_async(prompt).aresult(), 60)).text


@pytest.mark.parametrize("workers", [{}, {TAG: Backend()}, Backend()])
async def test_a_worker_that_comes_later_works_as_one_that_was_there(workers):
    later = Scoped(max_concurrency=1)

    llm = ScaffoldingLlm(single, workers)
    llm.workers[TAG] = later
    await asyncio.gather(*(asked(llm, "wait:0.01 say:x") for _ in range(3)))
    assert later.most == 1
    assert later.log == ["on_scope_end"] * 3
    await llm.aclose()
    assert later.log[3:] == ["release_loop"]


async def test_a_worker_that_was_replaced_is_told_too_and_works_no_more():
    first, second = Scoped(), Scoped()
    llm = ScaffoldingLlm(single, {TAG: first})
    await asked(llm)
    llm.workers = {TAG: second}
    await asked(llm)
    await llm.aclose()
    assert (len(first.started), len(second.started)) == (1, 1)
    assert first.log[-1] == second.log[-1] == "release_loop"


@pytest.mark.parametrize("bad", ["no worker", Backend, Backend(max_concurrency=0)])
async def test_what_is_no_worker_fails_the_request_that_needs_it(bad):
    llm = ScaffoldingLlm(single, {TAG: Backend()})
    good, llm.workers[TAG] = llm.workers[TAG], bad
    with pytest.raises(InvalidRequestError):
        await asked(llm)
    llm.workers[TAG] = good
    assert await asked(llm) == "x"
    llm.workers["never asked"] = bad
    await llm.aclose()


async def test_a_worker_that_is_gone_is_missing():
    llm = ScaffoldingLlm(single, {TAG: Backend()})
    del llm.workers[TAG]
    with pytest.raises(MissingWorkerError, match="the workers' tags are none"):
        await asked(llm)
    await llm.aclose()


async def test_one_call_that_cannot_be_started_ends_those_beside_it_and_the_request():
    backend = Backend()

    def process(tasks):
        odd = task("say:x")
        odd.worker_tag = []  # no key
        yield [task("wait:30"), odd]

    async with ScaffoldingLlm(Method(process), {None: backend}) as llm:
        with pytest.raises(ControllerError, match="a GenerationTask cannot be started") as raised:
            await asked(llm)
        assert isinstance(raised.value.__cause__, TypeError)
    assert backend.finished == []


async def test_what_has_only_run_task_is_a_worker():
    async with ScaffoldingLlm(single, Bare()) as llm:
        assert await asked(llm) == "bare"
        await llm.aclose(shutdown_workers=True)


def test_so_it_is_for_a_script_that_shuts_it_down():
    llm = ScaffoldingLlm(single, Bare())
    assert llm.generate("q").text == "bare"
    llm.shutdown(shutdown_workers=True)


def test_one_without_room_for_its_slots_is_refused():
    class Slotted:
        __slots__ = ()

        async def run_task(self, task):
            task.output_str = "x"

    with pytest.raises(InvalidRequestError, match="__slots__"):
        ScaffoldingLlm(single, Slotted())


class Clings(Scoped):
    """Does not let go."""

    async def release_loop(self):
        raise OSError("clings")

    async def async_shutdown(self):
        raise OSError("clings")

    def shutdown(self):
        raise OSError("clings")


class Closed(Scoped):
    def shutdown(self):
        self.log.append("shutdown")

    async def async_shutdown(self):
        self.log.append("async_shutdown")


@pytest.mark.parametrize("shutdown_workers", [False, True])
def test_a_worker_that_does_not_let_go_keeps_nothing_else_from_being_closed(shutdown_workers):
    before = set(threading.enumerate())
    others = Closed(), Closed()
    llm = ScaffoldingLlm(single, {TAG: Clings(), "one": others[0], "other": others[1]})
    llm.workers |= {"first": others[0]}
    assert llm.generate("say:x").text == "x"
    with pytest.raises(OSError, match="clings"):
        llm.shutdown(shutdown_workers)
    assert set(threading.enumerate()) <= before
    for other in others:
        assert other.log[1:] == ["release_loop", "shutdown"][: 1 + shutdown_workers]


@pytest.mark.parametrize("shutdown_workers", [False, True])
async def test_the_same_holds_on_a_loop(shutdown_workers):
    other = Closed()
    llm = ScaffoldingLlm(single, {TAG: Clings(), "other": other})
    await asked(llm)
    with pytest.raises(OSError, match="clings"):
        await llm.aclose(shutdown_workers)
    assert other.log[1:] == ["async_shutdown" if shutdown_workers else "release_loop"]
    assert llm._drivers == {}
