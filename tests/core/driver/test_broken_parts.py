"""Workers and methods that break the rules: each fails its own request, and nothing hangs."""

import asyncio
import itertools
import threading
import time
from concurrent.futures import Future
from contextlib import suppress

import pytest

from scaffolding_core import (
    BestOfNController,
    BudgetExceededError,
    ClosedError,
    Controller,
    ControllerError,
    FromFunction,
    FunctionWorker,
    GenerationTask,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    ParallelProcess,
    Race,
    RecordingWorker,
    RequestCancelledError,
    ScaffoldingLlm,
    Worker,
    WorkerError,
)
from scaffolding_core.driver.branch import AT_ONCE
from tests.core.doubles import Method, task

ENDS = [StopIteration, StopAsyncIteration, GeneratorExit, SystemExit, asyncio.CancelledError, BaseException]
"""What Python itself makes use of: none of it may get into a generator, a future or the loop."""


def in_time(function):
    """What a function returns or raises, or a failure if it hangs."""
    ended = []

    def call():
        try:
            ended.append(function())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(60)
    assert ended, "it hangs"
    return ended[0]


async def next_to(llm, result):
    """The error of a request on this loop, which another request of the same object outlives."""
    other = llm.generate_async("go")
    async with asyncio.timeout(60):
        await result.ended()
        assert (await other).text == "fine"
    return result.error


def stops(*given):
    return next(iter(()))


class Odd(Worker):
    """Answers, but for the prompt `odd`, with which it breaks a rule."""

    max_concurrency = 2

    def __init__(self, breaks=None):
        self.breaks = breaks

    async def run_task(self, task):
        task.output_str = "fine"
        if task.input_str == "odd":
            self.breaks(task)


def test_a_usage_that_is_none_fails_its_call():
    def breaks(task):
        task.usage = {"prompt_tokens": 5}

    llm = ScaffoldingLlm(NativeGenerationController(), Odd(breaks))
    assert isinstance(in_time(lambda: llm.generate("odd")), WorkerError)
    assert in_time(lambda: llm.generate("go")).text == "fine"
    llm.shutdown()


# Workers.


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("wrapped", [lambda worker: worker, RecordingWorker])
async def test_whatever_a_worker_raises_fails_its_own_call(kind, wrapped):
    def breaks(task):
        raise kind("odd")

    async with ScaffoldingLlm(NativeGenerationController(), wrapped(Odd(breaks))) as llm:
        for _ in range(3):  # more than it has slots
            error = await next_to(llm, llm.generate_async("odd"))
            assert isinstance(error, WorkerError)
            assert kind is asyncio.CancelledError or isinstance(error.__cause__, kind)


@pytest.mark.parametrize("kind", [StopIteration, SystemExit, GeneratorExit])
async def test_so_does_whatever_a_function_raises_in_its_thread(kind):
    def function(task):
        if task.input_str == "odd":
            raise kind("odd")
        return "fine"

    async with ScaffoldingLlm(NativeGenerationController(), FunctionWorker(function)) as llm:
        error = await next_to(llm, llm.generate_async("odd"))
    assert isinstance(error, WorkerError)
    assert isinstance(error.__cause__, kind)


def test_a_worker_that_ends_the_interpreter_ends_its_own_request_and_not_the_loop():
    def breaks(task):
        raise SystemExit(3)

    llm = ScaffoldingLlm(NativeGenerationController(), Odd(breaks))
    for _ in range(3):
        error = in_time(lambda: llm.generate("odd"))
        assert isinstance(error, WorkerError)
        assert isinstance(error.__cause__, SystemExit)
        assert in_time(lambda: llm.generate("go")).text == "fine"
    assert in_time(llm.shutdown) is None


def interrupt(*given):
    raise KeyboardInterrupt


async def interrupt_on_the_loop(*given):
    raise KeyboardInterrupt


def interrupted_method(tasks):
    interrupt()
    yield tasks


single, says = NativeGenerationController(), FunctionWorker(lambda task: "7")
best = BestOfNController(single, NativeRewardController(), 2)


@pytest.mark.parametrize(
    ("method", "workers"),
    [
        (best, {"generation": says, "reward": FunctionWorker(interrupt)}),
        (best, {"generation": says, "reward": FunctionWorker(interrupt_on_the_loop)}),
        (MajorityVoteController(single, 2), FunctionWorker(interrupt)),
        (MajorityVoteController(single, 2, extractor=FromFunction(interrupt)), says),
        (Method(interrupted_method), says),
    ],
    ids=["reward in a thread", "reward on the loop", "worker", "extractor", "method"],
)
def test_an_interrupt_in_a_part_is_that_of_whoever_blocks_for_it(method, workers):
    llm = ScaffoldingLlm(method, workers)
    for call in (lambda: llm.generate("q"), lambda: llm.generate(["q", "q"]), lambda: list(llm.stream("q"))):
        assert isinstance(in_time(call), KeyboardInterrupt)
    with ScaffoldingLlm(single, says) as other:
        assert other.generate("q").text == "7"
    assert in_time(llm.shutdown) is None


def test_an_interrupt_reaches_whoever_runs_the_loop_and_the_loop_can_go_on():
    def process(tasks):
        if tasks[0].input_str == "odd":
            raise KeyboardInterrupt
        yield tasks

    llm, loop = ScaffoldingLlm(Method(process), Odd()), asyncio.new_event_loop()

    async def ask(prompt):
        return (await llm.generate_async(prompt)).text

    odd = loop.create_task(ask("odd"))
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(odd)
    with pytest.raises(RequestCancelledError):
        loop.run_until_complete(asyncio.wait_for(odd, 60))
    assert loop.run_until_complete(asyncio.wait_for(ask("go"), 60)) == "fine"
    loop.run_until_complete(llm.aclose())
    loop.close()


async def test_a_call_that_is_cancelled_from_outside_fails_alone():
    def breaks(task):
        asyncio.current_task().cancel()

    class Waits(Odd):
        async def run_task(self, task):
            await super().run_task(task)
            await asyncio.sleep(0)

    async with ScaffoldingLlm(NativeGenerationController(), Waits(breaks)) as llm:
        for _ in range(3):
            error = await next_to(llm, llm.generate_async("odd"))
            assert isinstance(error, WorkerError)
            assert "cancelled from outside" in str(error)


def test_so_does_one_that_is_alone_on_the_loop():
    class Waits(Odd):
        async def run_task(self, task):
            await super().run_task(task)
            await asyncio.sleep(0)

    llm = ScaffoldingLlm(NativeGenerationController(), Waits(lambda task: asyncio.current_task().cancel()))
    for _ in range(3):
        assert isinstance(in_time(lambda: llm.generate("odd")), WorkerError)
        assert in_time(lambda: llm.generate("go")).text == "fine"
    llm.shutdown()


@pytest.mark.parametrize("beside", ["nothing", "a task that goes on after it was cancelled"])
def test_so_does_one_on_a_loop_whose_other_tasks_are_cancelled_or_none(beside):
    class OneAtATime(Odd):
        max_concurrency = 1

        async def run_task(self, task):
            await super().run_task(task)
            await asyncio.sleep(0)

    async def go_on(result):
        with suppress(asyncio.CancelledError):
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
        await result.ended()

    async def start():
        odd, queued = llm.generate_async("odd"), llm.generate_async("go")
        return odd, queued, None if beside == "nothing" else asyncio.create_task(go_on(queued))

    llm = ScaffoldingLlm(NativeGenerationController(), OneAtATime(lambda task: asyncio.current_task().cancel()))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        odd, queued, _ = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
        assert odd.wait_ended(60)
        assert isinstance(odd.error, WorkerError)
        assert queued.result(60).text == "fine"
        asyncio.run_coroutine_threadsafe(llm.aclose(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def test_so_does_one_that_is_cancelled_before_it_began():
    async with ScaffoldingLlm(NativeGenerationController(), Odd()) as llm:
        for _ in range(3):
            before = asyncio.all_tasks()
            result = llm.generate_async("odd")
            while not (calls := asyncio.all_tasks() - before):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            error = await next_to(llm, result)
            assert isinstance(error, WorkerError)


def test_a_loop_whose_tasks_were_all_cancelled_takes_requests_again():
    loop, llm = asyncio.new_event_loop(), ScaffoldingLlm(NativeGenerationController(), Odd())

    async def ask():
        return llm.generate_async("go")

    async def wait(result):
        await result

    cut = loop.run_until_complete(ask())
    while not asyncio.all_tasks(loop):
        loop.run_until_complete(loop.run_in_executor(None, int))
    for running in asyncio.all_tasks(loop):
        running.cancel()
    with pytest.raises((ClosedError, WorkerError)):
        loop.run_until_complete(asyncio.wait_for(wait(cut), 60))
    loop.run_until_complete(asyncio.wait_for(wait(loop.run_until_complete(ask())), 60))
    loop.run_until_complete(llm.aclose())
    loop.close()


async def test_a_cleaning_up_that_is_cancelled_from_outside_ends_its_request():
    cleaning = asyncio.Event()

    class Scoped(Odd):
        async def on_scope_end(self, scope_id):
            cleaning.set()
            await asyncio.Event().wait()

    async with ScaffoldingLlm(NativeGenerationController(), Scoped()) as llm:
        before = asyncio.all_tasks()
        result = llm.generate_async("go")
        await asyncio.wait_for(cleaning.wait(), 60)
        for owned in asyncio.all_tasks() - before:
            owned.cancel()
        assert (await asyncio.wait_for(result.aresult(), 60)).text == "fine"


class Hostile(WorkerError):
    """An error that nothing can be written down on."""

    @property
    def task(self):
        return None


async def test_an_error_that_the_driver_cannot_handle_fails_its_own_call_and_frees_its_slot():
    def breaks(task):
        raise Hostile("odd")

    async with ScaffoldingLlm(NativeGenerationController(), Odd(breaks)) as llm:
        for _ in range(3):
            error = await next_to(llm, llm.generate_async("odd", trace=True))
            assert isinstance(error, WorkerError)
            assert isinstance(error.__cause__, AttributeError)


async def test_a_failing_call_leaves_the_calls_beside_it_to_the_method():
    def process(tasks):
        race = Race([task("odd"), task("go")], failures="values")
        ended = {}
        while (outcome := (yield race)) is not None:
            ended[outcome.index] = outcome
        assert isinstance(ended[0].error, WorkerError)
        tasks[0].take_results(ended[1].value)

    def breaks(task):
        raise Hostile("odd")

    async with ScaffoldingLlm(Method(process), Odd(breaks)) as llm:
        assert (await asyncio.wait_for(llm.generate_async("q").aresult(), 60)).text == "fine"


async def test_an_error_that_cannot_be_made_anew_is_raised_itself():
    class Pair(Exception):
        def __new__(cls, first, *, second):
            return super().__new__(cls, first)

        def __init__(self, first, *, second):
            super().__init__(first)

    def process(tasks):
        raise Pair("first", second="second")
        yield

    async with ScaffoldingLlm(Method(process), Odd()) as llm:
        with pytest.raises(Pair):
            await asyncio.wait_for(llm.generate_async("q").aresult(), 60)


# Methods.


@pytest.mark.parametrize("kind", [*ENDS, KeyError])
@pytest.mark.parametrize("where", ["clone", "process", "step", "branch", "race"])
async def test_whatever_a_method_raises_fails_its_own_request(kind, where):
    def raises():
        raise kind("odd")

    def sub(place):
        if place == where:
            raises()
        yield [task("go")]

    class Raises(Controller):
        odd = False

        def clone(self):
            if self.odd and where == "clone":
                raises()
            return super().clone()

        def process(self, tasks):
            self.odd = tasks[0].input_str == "odd"
            if self.odd and where == "process":
                raises()
            return self.steps(tasks)

        def steps(self, tasks):
            if self.odd:
                yield from sub("step")
                yield ParallelProcess.from_generators([sub("branch"), sub("")])
                yield Race(sub(place) for place in ("", "race"))
            yield tasks

    method = Raises()
    async with ScaffoldingLlm(method, {None: Odd()}) as llm:
        if where == "clone":
            method.odd = True
            result = llm.generate_async("odd")
            async with asyncio.timeout(60):
                await result.ended()
            method.odd, error = False, result.error
        else:
            error = await next_to(llm, llm.generate_async("odd"))
    if kind in (KeyError, StopAsyncIteration):
        assert isinstance(error, kind)  # a method's own errors are the user's to know
    else:
        assert isinstance(error, ControllerError)
        assert isinstance(error.__cause__, kind)


async def test_an_iterable_of_a_race_that_stops_in_the_middle_of_a_branch_is_an_error():
    def process(tasks):
        race = Race((task(next(word)) for word in (iter(["go"]), iter([]))), ahead=1)
        while (yield race) is not None:
            pass

    async with ScaffoldingLlm(Method(process), {None: Odd()}) as llm:
        result = llm.generate_async("q")
        async with asyncio.timeout(60):
            await result.ended()
    assert isinstance(result.error, ControllerError)
    assert isinstance(result.error.__cause__, StopIteration)


async def test_a_race_that_draws_none_is_an_error_that_the_method_can_catch_while_it_waits():
    caught = []

    def process(tasks):
        race = Race([task("go"), None, task("go")], ahead=1)
        yield race
        try:
            yield race
        except ControllerError as error:
            caught.append(error)
        yield tasks

    async with ScaffoldingLlm(Method(process), Odd()) as llm:
        assert (await asyncio.wait_for(llm.generate_async("q").aresult(), 60)).text == "fine"
    assert "got NoneType" in str(caught[0])


@pytest.mark.parametrize("costly", [False, True])
async def test_an_extractor_that_stops_ends_its_vote(costly):
    vote = MajorityVoteController(NativeGenerationController(), 2, extractor=FromFunction(stops, costly=costly))
    async with ScaffoldingLlm(vote, Odd()) as llm:
        result = llm.generate_async("q")
        async with asyncio.timeout(60):
            await result.ended()
    assert isinstance(result.error, ControllerError | WorkerError)
    assert isinstance(result.error.__cause__, StopIteration)


async def test_what_breaks_the_driver_itself_fails_the_request_that_brought_it():
    class Odder:
        @property
        def __class__(self):
            raise LookupError("odd")

    def process(tasks):
        yield Odder() if tasks[0].input_str == "odd" else tasks

    async with ScaffoldingLlm(Method(process), Odd()) as llm:
        assert isinstance(await next_to(llm, llm.generate_async("odd")), LookupError)


def anything_that_resumes_at_once():
    yield []
    yield ParallelProcess.from_generators([])
    yield Race([])
    yield 7


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("end", ["deadline", "cancel"])
async def test_a_method_that_gets_nowhere_holds_up_nobody_and_ends_in_time(place, end):
    begun = asyncio.Event()

    def process(tasks):
        if tasks[0].input_str == "go":
            yield tasks
            return
        while True:
            begun.set()
            with suppress(ControllerError):
                yield list(anything_that_resumes_at_once())[place]

    async with ScaffoldingLlm(Method(process), Odd()) as llm:
        limits = {"deadline": asyncio.get_running_loop().time() + 0.05} if end == "deadline" else {}
        result = llm.generate_async("q", **limits)
        await asyncio.wait_for(begun.wait(), 60)
        assert (await asyncio.wait_for(llm.generate_async("go").aresult(), 60)).text == "fine"
        if end == "cancel":
            result.cancel()
        async with asyncio.timeout(60):
            await result.ended()
        assert isinstance(result.error, BudgetExceededError if end == "deadline" else RequestCancelledError)


# The loop.


def test_a_factory_that_makes_no_tasks_fails_the_calls_and_their_slots_come_free():
    def factory(loop, work, **options):
        if "_run" in repr(work) and refuses:
            raise RuntimeError("no more tasks")
        return asyncio.Task(work, loop=loop, **options)

    async def main():
        nonlocal refuses
        asyncio.get_running_loop().set_task_factory(factory)
        async with ScaffoldingLlm(NativeGenerationController(), Odd()) as llm:
            for _ in range(3):
                result = llm.generate_async("go")
                await result.ended()
                assert isinstance(result.error, ControllerError)
            refuses = False
            return (await llm.generate_async("go")).text

    refuses, done = True, Future()
    threading.Thread(target=lambda: done.set_result(asyncio.run(main())), daemon=True).start()
    assert done.result(60) == "fine"


@pytest.mark.parametrize("value", [None, "text"])
def test_a_run_of_ones_own_that_gives_no_output_is_an_error(value):
    class Runs(Controller):
        def run(self, task, options):
            yield []
            return value

    llm = ScaffoldingLlm(Runs(), Odd(None))
    error = in_time(lambda: llm.generate("go"))
    assert isinstance(error, ControllerError)
    assert "must return a ScaffoldingOutput" in str(error)
    llm.shutdown()


async def test_a_race_without_end_leaves_the_loop_to_others_and_ends_in_time():
    def endless(tasks):
        race = Race(task("go") for _ in itertools.count())
        while tasks[0].input_str == "odd":
            yield race
        yield tasks

    async with ScaffoldingLlm(Method(endless), Odd(lambda task: None)) as llm:
        error = await next_to(llm, llm.generate_async("odd", deadline=time.monotonic() + 0.05))
    assert error is None or isinstance(error, BudgetExceededError)


async def test_a_long_race_of_refused_tasks_leaves_the_loop_to_others_and_hands_all_back():
    drawn, most = itertools.count(1), 2 * AT_ONCE

    def refused(tasks):
        race = Race((GenerationTask(worker_tag=next(drawn)) for _ in range(3 * AT_ONCE)), failures="values")
        handed = 0
        while (yield race) is not None:
            handed += 1
        tasks[0].output_str = str(handed)

    async with ScaffoldingLlm(Method(refused), {"generation": Odd()}) as llm:
        result, before = llm.generate_async("go"), next(drawn)
        while not result.done:
            await asyncio.sleep(0)
            so_far = next(drawn)
            assert so_far - before <= most
            before = so_far
        assert result.text == str(3 * AT_ONCE)
