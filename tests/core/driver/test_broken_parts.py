"""Workers and methods that break the rules: each fails its own request, and nothing hangs."""

import asyncio
import threading
import time

import pytest

from scaffolding_core.controller import Controller, Race
from scaffolding_core.controllers import MajorityVoteController, NativeGenerationController
from scaffolding_core.errors import ControllerError, WorkerError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.worker import Worker
from tests.core.doubles import task


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


class Odd(Worker):
    """Answers, but for the prompt `odd`, with which it breaks a rule."""

    def __init__(self, breaks):
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


def test_whatever_breaks_the_driver_fails_its_own_request_alone():
    class Hostile(WorkerError):
        @property
        def task(self):
            return None

    def breaks(task):
        raise Hostile("the driver cannot write down which task it was")

    llm = ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 3), Odd(breaks))
    assert isinstance(in_time(lambda: llm.generate("odd")), AttributeError)
    assert in_time(lambda: llm.generate("go")).text == "fine"
    assert in_time(llm.shutdown) is None


def test_a_request_that_failed_so_starts_nothing_more():
    started = []

    class Hostile(WorkerError):
        @property
        def task(self):
            return None

    class Retries(Controller):
        def process(self, tasks):
            race = Race([task("odd"), task("slow")], failures="values")
            while (yield race) is not None:
                yield [task("more")]

    class Counting(Odd):
        async def run_task(self, task):
            started.append(task.input_str)
            await super().run_task(task)
            await asyncio.sleep(0.02 if task.input_str == "slow" else 0)

    def breaks(task):
        raise Hostile("the driver cannot write down which task it was")

    llm = ScaffoldingLlm(Retries(), {None: Counting(breaks)})
    assert isinstance(in_time(lambda: llm.generate("go")), AttributeError)
    time.sleep(0.1)
    assert sorted(started) == ["odd", "slow"]
    llm.shutdown()


def test_a_worker_that_ends_the_interpreter_ends_its_own_request_and_not_the_loop():
    def breaks(task):
        raise SystemExit(3)

    llm = ScaffoldingLlm(NativeGenerationController(), Odd(breaks))
    for _ in range(3):
        assert isinstance(in_time(lambda: llm.generate("odd")), SystemExit)
        assert in_time(lambda: llm.generate("go")).text == "fine"
    assert in_time(llm.shutdown) is None


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
