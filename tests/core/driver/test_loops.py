"""Scripts, threads, running loops, Jupyter's loop, forks, and loops that end too soon."""

import asyncio
import contextvars
import gc
import subprocess
import sys
import threading
from collections import Counter, deque

import pytest

from scaffolding_core.controller import Controller
from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.errors import ClosedError, DeadlockError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.worker import Worker, called_synchronously
from tests.core.doubles import Backend, Method

single = NativeGenerationController()


def test_a_script_calls_it_blocking():
    with ScaffoldingLlm(single, Backend()) as llm:
        assert llm.generate("say:x").text == "x"
        assert [r.outputs[0].text for r in llm.generate(["say:a", "say:b"])] == ["a", "b"]
        assert llm.generate_async("say:later").result(timeout=30).text == "later"


def test_threads_share_it():
    with ScaffoldingLlm(single, Backend()) as llm:
        texts = []
        threads = [
            threading.Thread(target=lambda i=i: texts.append(llm.generate(f"wait:0.01 say:{i}").text))
            for i in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(texts) == [str(i) for i in range(8)]


async def test_a_blocking_call_works_inside_a_running_loop():
    with ScaffoldingLlm(single, Backend()) as llm:
        assert llm.generate("say:x").text == "x"
        assert [e.text for e in llm.stream("say:y") if hasattr(e, "text")] == ["y"]


async def test_an_async_call_runs_on_the_callers_loop_a_blocking_one_elsewhere():
    loops = []

    class Where(Worker):
        async def run_task(self, task):
            loops.append((asyncio.get_running_loop(), called_synchronously.get()))

    async with ScaffoldingLlm(single, Where()) as llm:
        await llm.generate_async("x")
        llm.generate("x")
    assert loops[0] == (asyncio.get_running_loop(), False)
    assert loops[1][0] is not loops[0][0]
    assert loops[1][1] is True


async def test_blocking_on_a_request_of_ones_own_loop_is_refused():
    async with ScaffoldingLlm(single, Backend()) as llm:
        result = llm.generate_async("wait:0.01 say:x")
        with pytest.raises(DeadlockError, match="await"):
            result.result()
        with pytest.raises(DeadlockError, match="async for"):
            list(result)
        await result


def test_a_blocking_call_from_inside_its_own_loop_is_refused():
    class Inner(Worker):
        async def run_task(self, task):
            task.output_str = llm.generate("x").text

    llm = ScaffoldingLlm(single, Inner())
    with llm, pytest.raises(DeadlockError):
        llm.generate("x")


async def test_a_result_can_be_awaited_many_times_from_loops_and_threads():
    async with ScaffoldingLlm(single, Backend()) as llm:
        result = llm.generate_async("wait:0.03 say:x")

        async def elsewhere():
            return (await result).text

        texts = await asyncio.gather(
            elsewhere(),
            elsewhere(),
            asyncio.to_thread(lambda: result.result().text),
            asyncio.to_thread(lambda: asyncio.run(elsewhere())),
        )
    assert texts == ["x"] * 4
    assert (await result) is result


async def test_each_awaiter_gets_an_exception_of_its_own():
    async with ScaffoldingLlm(single, Backend()) as llm:
        result = llm.generate_async("fail:x")
        errors = await asyncio.gather(result.aresult(), result.aresult(), return_exceptions=True)
    assert errors[0] is not errors[1]
    assert str(errors[0]) == str(errors[1])
    assert type(errors[0].__cause__) is ValueError


async def test_context_variables_are_those_of_the_caller_and_calls_cannot_change_them_for_others():
    name = contextvars.ContextVar("name", default="nobody")
    seen = []

    class Reads(Worker):
        async def run_task(self, task):
            seen.append(name.get())
            name.set("the worker")

    def process(tasks):
        seen.append(name.get())
        yield [tasks[0], tasks[0].copy()]
        seen.append(name.get())

    async with ScaffoldingLlm(Method(process), Reads()) as llm:
        name.set("caller")
        await llm.generate_async("x")
    assert seen == ["caller"] * 4


async def test_state_of_a_method_belongs_to_the_request():
    class Counts(Method):
        def __init__(self):
            self.seen = []

        def process(self, tasks):
            self.seen.append(tasks[0].input_str)
            yield tasks
            tasks[0].output_str = ",".join(self.seen)

    method = Counts()
    async with ScaffoldingLlm(method, Backend()) as llm:
        results = await asyncio.gather(llm.generate_async("a"), llm.generate_async("b"))
    assert [r.text for r in results] == ["a", "b"]
    assert method.seen == []


async def test_state_in_containers_of_any_kind_belongs_to_the_request():
    class Counts(Controller):
        def __init__(self):
            self.seen = Counter()
            self.recent = deque()

        def process(self, tasks):
            self.seen[tasks[0].input_str] += 1
            self.recent.append(tasks[0].input_str)
            yield []
            tasks[0].output_str = f"{sum(self.seen.values())} {len(self.recent)}"

    async with ScaffoldingLlm(Counts(), Backend()) as llm:
        assert [(await llm.generate_async("q")).text for _ in range(3)] == ["1 1"] * 3


async def test_a_worker_may_use_the_same_llm_and_rides_on_its_own_requests_slot():
    class Chain(Worker):
        async def run_task(self, task):
            if task.input_str == "outer":
                inner = await llm.generate_async("inner")
                task.output_str = f"outer({inner.text})"
            else:
                task.output_str = "inner"

    async with ScaffoldingLlm(single, Chain(), max_parallel_requests=1) as llm:
        assert (await asyncio.wait_for(llm.generate_async("outer").aresult(), 30)).text == "outer(inner)"


@pytest.mark.looptime
async def test_a_nested_request_has_its_parents_deadline_and_is_paid_by_it():
    from scaffolding_core.driver.budget import Budget
    from scaffolding_core.errors import BudgetExceededError

    backend = Backend()
    inner_llm = ScaffoldingLlm(single, backend)

    class Chain(Worker):
        async def run_task(self, task):
            task.output_str = (await inner_llm.generate_async(task.input_str)).text

    async with inner_llm, ScaffoldingLlm(single, Chain()) as llm:
        result = await llm.generate_async("say:x")
        assert result.usage.completion_tokens == 3
        with pytest.raises(BudgetExceededError):
            await llm.generate_async("wait:30", budget=Budget(seconds=0.03))
    assert backend.cut == ["wait:30"]


def test_a_loop_torn_down_midway_ends_its_requests_and_frees_their_slots():
    backend = Backend(max_concurrency=1)
    llm = ScaffoldingLlm(single, backend)
    results = []

    async def leaves_early():
        results.extend([llm.generate_async("wait:30 a"), llm.generate_async("b")])
        while not backend.started:
            await asyncio.sleep(0)

    asyncio.run(leaves_early())
    with llm:
        assert llm.generate("say:after").text == "after"
    for result in results:
        with pytest.raises(ClosedError):
            result.result(timeout=30)
    assert backend.started == ["wait:30 a", "say:after"]


def test_a_loop_torn_down_starts_nothing_of_a_long_queue():
    backend, requests, results = Backend(max_concurrency=1), 300, []
    llm = ScaffoldingLlm(single, backend, max_parallel_requests=requests)

    async def leaves_early():
        for place in range(requests):
            results.append(llm.generate_async(f"wait:30 {place}"))
        while not backend.started:
            await asyncio.sleep(0)
        for _ in range(100):  # until all have asked for the slot
            await asyncio.sleep(0)

    asyncio.run(leaves_early())
    llm.shutdown()
    assert len(backend.started) == 1
    assert {type(result.error) for result in results} == {ClosedError}


def test_a_loop_that_was_closed_with_requests_in_flight_is_swept():
    backend = Backend(max_concurrency=1)
    llm = ScaffoldingLlm(single, backend)
    loop = asyncio.new_event_loop()

    async def start():
        result = llm.generate_async("wait:30")
        while not backend.started:
            await asyncio.sleep(0)
        return result

    result = loop.run_until_complete(start())
    for pending in asyncio.all_tasks(loop):
        pending._log_destroy_pending = False
    loop.close()
    with llm:
        assert llm.generate("say:x").text == "x"
    with pytest.raises(ClosedError):
        result.result(timeout=30)
    gc.collect()


def test_after_a_fork_the_child_starts_afresh():
    script = """
import asyncio, os, threading
from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.errors import ClosedError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.worker import Worker

class Held(Worker):
    max_concurrency = 1
    begun, hold = threading.Event(), True

    async def run_task(self, task):
        self.begun.set()
        while self.hold:
            await asyncio.sleep(0.01)
        task.output_str = task.input_str

worker = Held()
llm = ScaffoldingLlm(NativeGenerationController(), worker)
running = llm.generate_async("parent")
worker.begun.wait()
pid = os.fork()
worker.hold = False
if pid == 0:
    try:
        running.result(timeout=30)
    except ClosedError:
        os._exit(0 if llm.generate("child").text == "child" else 2)
    os._exit(3)
assert os.waitpid(pid, 0)[1] == 0
assert running.result(timeout=30).text == "parent"
llm.shutdown()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_forgotten_shutdown_does_not_keep_the_process_alive():
    script = """
from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from tests.core.doubles import Backend
llm = ScaffoldingLlm(NativeGenerationController(), Backend())
assert llm.generate("say:x").text == "x"
llm.generate_async("wait:60")
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_thread_that_waits_for_a_request_of_a_loop_that_is_closed_is_told():
    llm, begun, results = ScaffoldingLlm(single, Backend()), threading.Event(), []

    async def begin():
        results.append(llm.generate_async("wait:30"))
        begun.set()
        await asyncio.sleep(0.1)

    def run():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait()
    with pytest.raises(ClosedError):
        results[0].result()
    thread.join()


async def test_calls_are_tasks_of_the_loops_own_factory():
    made = []

    def factory(loop, work, **options):
        task = asyncio.Task(work, loop=loop, **options)
        made.append(task)
        return task

    asyncio.get_running_loop().set_task_factory(factory)
    async with ScaffoldingLlm(single, Backend()) as llm:
        assert (await llm.generate_async("say:x")).text == "x"
    assert any("Call._run" in repr(task) for task in made)


async def test_calls_are_tasks_of_the_class_that_asyncio_has_by_now(monkeypatch):
    class Counted(asyncio.Task):
        made = 0

        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            Counted.made += "Call._run" in repr(self)

    async with ScaffoldingLlm(single, Backend()) as llm:
        await llm.generate_async("say:x")
        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "Task", Counted)
            await llm.generate_async("say:y")
    assert Counted.made == 1


@pytest.mark.parametrize("waits", ["await", "async for", "for"])
def test_whoever_waits_elsewhere_for_a_request_of_a_loop_that_is_closed_is_told(waits):
    backend, loop = Backend(), asyncio.new_event_loop()
    llm = ScaffoldingLlm(single, backend)

    async def start():
        result = llm.generate_async("wait:30")
        while not backend.started:
            await asyncio.sleep(0)
        return result

    result = loop.run_until_complete(start())
    waiting, told = threading.Event(), []

    async def wait():
        waiting.set()
        if waits == "await":
            await result
        async for _ in result:
            pass

    def run():
        try:
            if waits == "for":
                waiting.set()
                list(result)
            asyncio.run(wait())
        except ClosedError as error:
            told.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    waiting.wait()
    for pending in asyncio.all_tasks(loop):
        pending._log_destroy_pending = False
    loop.close()
    thread.join(60)
    assert told
