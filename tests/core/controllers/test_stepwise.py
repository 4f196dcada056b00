"""stepwise: a method's generations are looked at while they are written."""

import pytest

from scaffolding_core import (
    ChainOfThoughtController,
    Controller,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    SimulatedWorker,
    WorkerError,
)
from scaffolding_core.controllers.stepwise import stepwise
from tests.core.doubles import Method, task

pytestmark = pytest.mark.looptime


async def ran(method, worker, **options):
    async with ScaffoldingLlm(method, worker) as llm:
        return (await llm.generate_async("q", **options)).output


def watched(method, watch, step=2):
    return Method(lambda tasks: stepwise(method.process(tasks), step, watch))


async def test_each_look_sees_what_was_written_since_the_last():
    looks = []

    def watch(tokens):
        looks.append("".join(token.token for token in tokens))
        return False

    worker = SimulatedWorker({"a b c d e": 1})
    output = await ran(watched(NativeGenerationController(), watch), worker, num_logprobs=0)
    assert (looks, output.text, output.finish_reason) == (["a b", " c d", " e"], "a b c d e", "stop")


async def test_what_is_cut_is_handed_to_the_method_as_far_as_it_came():
    method = watched(ChainOfThoughtController(NativeChatController()), lambda tokens: True)
    output = await ran(method, SimulatedWorker({"\\boxed{7} and more": 1}, seconds_per_token=1), num_logprobs=0)
    assert (output.text, output.finish_reason, output.answer) == ("\\boxed{7} and", "cancelled", None)
    assert output.usage.completion_tokens == 2


async def test_what_a_method_asks_at_once_goes_its_way():
    class Two(Controller):
        def process(self, tasks):
            others = yield [tasks[0].copy(), tasks[0].copy()]
            tasks[0].take_results(others[1])

    output = await ran(watched(Two(), lambda tokens: True), SimulatedWorker({"a b c d": 1}))
    assert output.text == "a b c d"


async def test_a_failure_reaches_the_method():
    class Again(Controller):
        def process(self, tasks):
            try:
                yield tasks
            except WorkerError:
                (other,) = yield [task("again")]
                tasks[0].take_results(other)

    def answer(asked, source):
        if asked.input_str == "q":
            raise ValueError("lost")
        return "here"

    output = await ran(watched(Again(), lambda tokens: False), SimulatedWorker(answer))
    assert output.text == "here"


def test_a_method_that_is_closed_is_closed_within():
    ends = []

    def process(tasks):
        try:
            yield tasks
        finally:
            ends.append("closed")

    running = stepwise(process([task("q")]), 2, lambda tokens: False)
    next(running)
    running.close()
    assert ends == ["closed"]


def test_an_error_is_thrown_into_the_method_and_what_it_returns_is_returned():
    def process(tasks):
        try:
            yield [tasks[0], tasks[0]]
        except KeyError:
            return "kept"

    running = stepwise(process([task("q")]), 2, lambda tokens: False)
    next(running)
    with pytest.raises(StopIteration) as stop:
        running.throw(KeyError("x"))
    assert stop.value.value == "kept"
