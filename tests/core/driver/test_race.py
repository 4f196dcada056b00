"""A method that yields a Race."""

import asyncio

import pytest

from scaffolding_core.controller import ParallelProcess, Race
from scaffolding_core.errors import ControllerError, InvalidRequestError, WorkerError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from tests.core.doubles import Backend, Method, task

pytestmark = pytest.mark.looptime


async def run(process, backend=None):
    async with ScaffoldingLlm(Method(process), backend or Backend()) as llm:
        return await llm.generate_async("go")


def drain(race):
    got = []
    while (outcome := (yield race)) is not None:
        got.append(outcome)
    return got


async def test_branches_are_handed_back_as_they_finish_and_none_marks_the_end():
    def process(tasks):
        race = Race([task("wait:0.03 say:a"), task("wait:0.01 say:b"), task("wait:0.02 say:c")])
        outcomes = yield from drain(race)
        assert [o.index for o in outcomes] == [1, 2, 0]
        assert (yield race) is None
        tasks[0].output_str = "".join(o.value.output_str for o in outcomes)

    assert (await run(process)).text == "bca"


async def test_generators_race_with_their_return_values_and_costs():
    def branch(name):
        yield [task(f"say:{name}"), task(f"say:{name}")]
        return name

    def process(tasks):
        outcomes = yield from drain(Race(branch(name) for name in "xy"))
        assert sorted(o.value for o in outcomes) == ["x", "y"]
        assert [o.usage.completion_tokens for o in outcomes] == [6, 6]
        tasks[0].output_str = "ok"

    result = await run(process)
    assert result.usage.completion_tokens == 12


async def test_branches_are_drawn_lazily_at_most_ahead_and_ahead_may_change():
    drawn = []

    def branches():
        for index in range(10):
            drawn.append(index)
            yield task(f"say:{index}")

    def process(tasks):
        race = Race(branches(), ahead=2)
        yield race
        assert drawn == [0, 1]
        yield race
        assert drawn == [0, 1, 2]
        race.ahead = 5
        yield race
        assert drawn == [0, 1, 2, 3, 4, 5, 6]
        race.ahead = 0
        rest = yield from drain(race)
        assert len(rest) == 4
        assert drawn == [0, 1, 2, 3, 4, 5, 6]
        tasks[0].output_str = "ok"

    assert (await run(process)).text == "ok"


async def test_cancel_returns_every_branch_not_handed_back_finished_or_cut():
    backend = Backend()

    def process(tasks):
        race = Race([task("wait:0.01 say:a"), task("wait:0.03 say:b"), task("wait:30"), task("wait:30")])
        first = yield race
        assert first.index == 0
        yield [task("wait:0.06")]
        rest = yield race.cancel()
        assert [(o.index, o.cut) for o in rest] == [(1, False), (2, True), (3, True)]
        assert rest[0].value.output_str == "b"
        assert backend.running == 0
        assert (yield race) is None
        assert (yield race.cancel()) == []
        tasks[0].output_str = "ok"

    assert (await run(process, backend)).text == "ok"
    assert backend.cut == ["wait:30", "wait:30"]


async def test_a_cut_branch_unwinds_leaf_before_root_and_its_cost_is_kept():
    order = []

    def branch():
        try:
            yield ParallelProcess.from_generators([leaf()])
        finally:
            order.append("branch")

    def leaf():
        try:
            yield [task("wait:30")]
        finally:
            order.append("leaf")

    def process(tasks):
        race = Race([branch(), task("wait:0.01")])
        yield race
        (cut,) = yield race.cancel()
        assert cut.cut
        assert cut.usage.calls == 1
        tasks[0].output_str = "ok"

    result = await run(process)
    assert order == ["leaf", "branch"]
    assert result.usage.calls == 2


async def test_a_failure_is_thrown_once_the_rest_is_cut():
    backend = Backend()

    def process(tasks):
        race = Race([task("wait:0.01 fail:x"), task("wait:30")])
        with pytest.raises(WorkerError) as caught:
            yield race
        assert caught.value.branch == (0,)
        assert backend.cut == ["wait:30"]
        assert (yield race) is None
        tasks[0].output_str = "ok"

    assert (await run(process, backend)).text == "ok"


async def test_failures_come_as_values_where_that_is_asked_for():
    def process(tasks):
        race = Race([task("fail:x"), task("wait:0.01 say:b")], failures="values")
        failed, fine = yield from drain(race)
        assert isinstance(failed.error, WorkerError)
        assert failed.value is None
        assert fine.value.output_str == "b"
        tasks[0].output_str = "ok"

    assert (await run(process)).text == "ok"


async def test_a_failure_while_the_method_waits_for_something_else_is_kept_for_the_next_yield():
    backend = Backend()

    def process(tasks):
        race = Race([task("wait:0.01 say:a"), task("wait:0.02 fail:x"), task("wait:30")])
        yield race
        yield [task("wait:0.05 say:other")]
        assert "wait:30" not in backend.cut
        with pytest.raises(WorkerError):
            yield race
        assert backend.cut == ["wait:30"]
        tasks[0].output_str = "ok"

    assert (await run(process, backend)).text == "ok"


async def test_several_races_may_run_at_once():
    def process(tasks):
        fast = Race([task("wait:0.01 say:f")])
        slow = Race([task("wait:0.02 say:s")])
        yield fast
        assert (yield slow).value.output_str == "s"
        assert (yield fast) is None
        tasks[0].output_str = "ok"

    assert (await run(process)).text == "ok"


@pytest.mark.parametrize("end", ["return", "raise", "close"])
async def test_a_method_that_ends_while_a_race_runs_cancels_it(end):
    backend = Backend()

    def process(tasks):
        race = Race([task("wait:30"), task("wait:0.01")])
        yield race
        tasks[0].output_str = "early"
        if end == "raise":
            raise ValueError("early")
        if end == "close":
            yield [task("wait:30 x")]

    async with ScaffoldingLlm(Method(process), backend) as llm:
        result = llm.generate_async("go")
        if end == "return":
            assert (await result).text == "early"
        elif end == "raise":
            with pytest.raises(ValueError, match="early"):
                await result
        else:
            await asyncio.sleep(0.03)
            result.cancel()
            await result.ended()
    assert backend.running == 0
    assert "wait:30" in backend.cut


async def test_a_race_belongs_to_the_branch_that_first_yielded_it():
    def thief(race):
        with pytest.raises(ControllerError, match="belongs"):
            yield race

    def process(tasks):
        race = Race([task("say:a"), task("say:b")])
        yield race
        yield ParallelProcess.from_generators([thief(race)])
        tasks[0].output_str = "ok"

    assert (await run(process)).text == "ok"


async def test_paths_of_branches_never_repeat_within_a_request():
    paths = []

    def leaf():
        failing = task("fail:x")
        with pytest.raises(WorkerError) as caught:
            yield [failing]
        paths.append(caught.value.branch)

    def process(tasks):
        yield ParallelProcess.from_generators([leaf(), leaf()])
        yield ParallelProcess.from_generators([leaf()])
        yield from drain(Race([leaf()]))
        tasks[0].output_str = "ok"

    await run(process)
    assert sorted(paths) == [(0,), (1,), (2,), (3,)]


async def test_a_task_that_runs_already_is_refused_in_another_branch():
    shared = task("wait:0.05 say:x")

    def process(tasks):
        outcomes = yield from drain(Race([shared, shared], failures="values"))
        assert sum(isinstance(o.error, ControllerError) for o in outcomes) == 1
        tasks[0].output_str = "ok"

    assert (await run(process)).text == "ok"


async def test_an_error_in_drawing_is_the_methods_own():
    def branches():
        yield task("wait:30")
        raise KeyError("no more")

    def process(tasks):
        with pytest.raises(KeyError):
            yield Race(branches())
        tasks[0].output_str = "ok"

    backend = Backend()
    assert (await run(process, backend)).text == "ok"
    assert backend.running == 0
    assert backend.finished == []


def test_a_race_that_may_run_less_than_nothing_ahead_is_refused():
    with pytest.raises(InvalidRequestError, match="ahead"):
        Race([], ahead=-1)
