"""Budget and deadline."""

import asyncio
import time

import pytest

from scaffolding_core.controller import ParallelProcess, Race
from scaffolding_core.driver.budget import Budget
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from tests.core.doubles import Backend, Method, task

pytestmark = pytest.mark.looptime


async def run(process, backend=None, **options):
    async with ScaffoldingLlm(Method(process), backend or Backend()) as llm:
        return await llm.generate_async("go", **options)


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"budget": Budget(seconds=0.03)}, "seconds"),
        ({"deadline": "soon"}, "deadline"),
        ({"budget": Budget(seconds=25), "deadline": "soon"}, "deadline"),
    ],
)
async def test_time_cuts_running_work_and_throws_where_the_method_waits(options, limit):
    backend = Backend()

    def process(tasks):
        try:
            yield [task("wait:30")]
        except BudgetExceededError as error:
            tasks[0].output_str = f"best so far: {error.limit}"

    if options.get("deadline"):
        options = {**options, "deadline": time.monotonic() + 20}
    assert (await run(process, backend, **options)).text == f"best so far: {limit}"
    assert backend.cut == ["wait:30"]


async def test_without_an_answer_the_caller_gets_the_error():
    def process(tasks):
        yield [task("wait:30")]

    with pytest.raises(BudgetExceededError, match="budget of seconds is spent"):
        await run(process, budget=Budget(seconds=0.02))


async def test_innermost_generators_get_the_error_first_so_parents_see_their_best():
    def inner(name):
        try:
            yield [task("wait:30")]
        except BudgetExceededError:
            return f"best of {name}"

    def process(tasks):
        values = yield ParallelProcess.from_generators([inner("a"), inner("b")])
        tasks[0].output_str = ", ".join(values)

    assert (await run(process, budget=Budget(seconds=0.02))).text == "best of a, best of b"


async def test_after_the_end_of_time_each_new_work_is_refused_with_an_error_of_its_own():
    refusals = []

    def process(tasks):
        while True:
            try:
                yield [task("wait:30")]
            except BudgetExceededError as error:
                refusals.append(error)

    with pytest.raises(BudgetExceededError):
        await run(process, budget=Budget(seconds=0.02))
    assert 100 <= len(refusals) <= 103
    assert len(set(map(id, refusals))) == len(refusals)


async def test_a_race_hands_back_what_was_done_and_then_throws():
    seen = []

    def process(tasks):
        race = Race((task(f"wait:{w} say:x") for w in (0.01, 30, 30)), ahead=2, failures="values")
        try:
            while (outcome := (yield race)) is not None:
                seen.append(type(outcome.error).__name__)
        except BudgetExceededError:
            seen.append("thrown")
        tasks[0].output_str = "ok"

    await run(process, budget=Budget(seconds=0.05))
    assert seen == ["NoneType", "BudgetExceededError", "BudgetExceededError", "thrown"]


async def test_tokens_cut_what_is_in_flight():
    backend = Backend()

    def process(tasks):
        race = Race([task("say:a"), task("wait:30"), task("wait:30")], failures="values")
        first = yield race
        assert first.value.output_str == "a"
        second = yield race
        assert second.error.limit == "tokens"
        tasks[0].output_str = "a"

    result = await run(process, backend, budget=Budget(tokens=5))
    assert result.usage.total_tokens >= 5
    assert backend.cut == ["wait:30", "wait:30"]


async def test_samples_only_refuse_new_ones():
    backend = Backend()

    def process(tasks):
        race = Race((task(f"wait:0.01 say:{i}") for i in range(5)), failures="values")
        outcomes = []
        while (outcome := (yield race)) is not None:
            outcomes.append(outcome)
        assert sorted(o.error is None for o in outcomes) == [False, False, True, True, True]
        tasks[0].output_str = "ok"

    await run(process, backend, budget=Budget(samples=3))
    assert len(backend.finished) == 3


async def test_seconds_count_from_submission_the_queue_included():
    def process(tasks):
        yield [task("wait:0.2")]

    async with ScaffoldingLlm(Method(process), Backend(), max_parallel_requests=1) as llm:
        first = llm.generate_async("go")
        queued = llm.generate_async("go", budget=Budget(seconds=0.02))
        with pytest.raises(BudgetExceededError):
            await queued
        assert not first.done
        await first


async def test_a_deadline_in_the_past_starts_nothing():
    backend = Backend()

    def process(tasks):
        yield [task("say:x")]

    with pytest.raises(BudgetExceededError):
        await run(process, backend, deadline=time.monotonic() - 1)
    assert backend.finished == []


async def test_workers_see_the_deadline_on_their_tasks_scope():
    seen = []

    class Clock(Backend):
        async def run_task(self, task):
            seen.append(task.scope.deadline - asyncio.get_running_loop().time())

    def process(tasks):
        yield tasks

    await run(process, Clock(), deadline=time.monotonic() + 1000)
    assert 900 < seen[0] <= 1000


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokens": 0},
        {"tokens": 1.5},
        {"samples": -1},
        {"seconds": float("nan")},
        {"seconds": "1"},
        {"tokens": True},
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        Budget(**wrong)
