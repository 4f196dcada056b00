"""The benchmark runs requests by a strategy, times each, and hands back the collections."""

import asyncio
from contextlib import aclosing

import pytest

from scaffolding_core.errors import WorkerError
from scaffolding_core.tensorrt_llm.benchmark import ScaffoldingBenchRequest, async_scaffolding_benchmark
from scaffolding_core.tensorrt_llm.controller import NativeGenerationController
from scaffolding_core.tensorrt_llm.load_generation_strategy import (
    ConcurrentStrategy,
    ConstantRateStrategy,
    LoadGenerationStrategy,
    PoissonRateStrategy,
    PoissonWarmupStrategy,
    SynchronousStrategy,
    ThroughputStrategy,
    UniformWarmupStrategy,
)
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import GenerationTask, TaskStatus
from scaffolding_core.tensorrt_llm.task_collection import TaskCollection
from scaffolding_core.tensorrt_llm.worker import Worker

TAG = NativeGenerationController.WorkerTag.GENERATION


class Counting(Worker):
    """Answers a number with the number of requests that ran at the time, at most."""

    def __init__(self):
        self.running = self.most = 0
        self.cut = asyncio.Event()
        self.scopes = {}

    def set_scope_params(self, request_id, **params):
        self.scopes[request_id] = params

    async def generate(self, task):
        self.running += 1
        self.most = max(self.most, self.running)
        if task.input_str == "waits":
            try:
                await asyncio.Event().wait()
            finally:
                self.cut.set()
        await asyncio.sleep(0.001)
        self.running -= 1
        if task.input_str == "fails":
            raise WorkerError("no")
        task.output_str = f"answer to {task.input_str}"
        return TaskStatus.SUCCESS

    task_handlers = {GenerationTask: generate}


class OutputLength(TaskCollection):
    def __init__(self):
        super().__init__()
        self.output_len = 0

    def after_yield(self, tasks):
        self.output_len = len(tasks[0].output_str)


class Asks(NativeGenerationController):
    pass


@pytest.fixture
def worker():
    return Counting()


@pytest.fixture
def llm(worker):
    with ScaffoldingLlm(Asks(), {TAG: worker}) as llm:
        yield llm


def requests(count, **options):
    return [ScaffoldingBenchRequest(prompt=str(number), **options) for number in range(count)]


def test_it_hands_back_results_seconds_and_the_total_in_the_order_of_the_requests(llm, worker):
    results, seconds, total = asyncio.run(
        async_scaffolding_benchmark(llm, {"length": OutputLength}, requests(20), 4)
    )
    assert [result.outputs[0].text for result in results] == [f"answer to {number}" for number in range(20)]
    assert [result.task_collections["length"].output_len for result in results] == [11] * 10 + [12] * 10
    assert len(seconds) == 20
    assert 0 < max(seconds) < total
    assert worker.most == 4


async def test_with_a_strategy_it_also_tells_when_each_was_sent(llm, worker):
    for _ in range(2):
        results, starts, seconds, _ = await async_scaffolding_benchmark(
            llm, {"length": OutputLength}, requests(3), strategy=SynchronousStrategy()
        )
        assert starts == sorted(starts)
        assert (len(results), len(seconds)) == (3, 3)
    assert worker.most == 1
    assert results[0].task_collections["length"].output_len == 11


async def test_each_benchmark_has_the_collections_it_names(llm, worker):
    class Other(TaskCollection):
        pass

    await async_scaffolding_benchmark(llm, {"named": OutputLength}, requests(1), 1)
    async with ScaffoldingLlm(Asks(), {TAG: worker}) as later:
        results, _, _ = await async_scaffolding_benchmark(later, {"named": Other}, requests(1), 1)
    assert type(results[0].task_collections["named"]) is Other


async def test_workers_are_told_what_each_request_needs(llm, worker):
    results, _, _ = await async_scaffolding_benchmark(llm, {}, requests(2, scope_params={"image": "python"}), 2)
    assert worker.scopes == {result.id: {"image": "python"} for result in results}


async def test_a_request_that_fails_is_raised_and_the_others_are_cancelled(llm, worker):
    asked = [ScaffoldingBenchRequest(prompt=prompt) for prompt in ("waits", "fails", "never sent")]
    with pytest.raises(WorkerError, match="no"):
        await asyncio.wait_for(async_scaffolding_benchmark(llm, {}, asked, 2), 30)
    await asyncio.wait_for(worker.cut.wait(), 30)


async def test_it_needs_to_know_how_many_run_at_once(llm):
    with pytest.raises(ValueError, match="needs a concurrency or a strategy"):
        await async_scaffolding_benchmark(llm, {}, requests(1))


@pytest.mark.parametrize(
    ("strategy", "moments"),
    [
        (ConstantRateStrategy(rate=4), [0, 0.25, 0.5, 0.75]),
        (ConstantRateStrategy(rate=2, initial_burst=True), [0, 0, 0.5, 1]),
        (UniformWarmupStrategy(num_requests=3, warmup_window=10), [0, 5, 10, 10]),
        (UniformWarmupStrategy(num_requests=1, warmup_window=10), [0, 10, 10, 10]),
    ],
    ids=str,
)
async def test_a_strategy_says_when_each_request_is_sent(strategy, moments):
    strategy.start_time = 1000.0
    assert [moment - 1000 for moment in await first(strategy, 4)] == pytest.approx(moments)


@pytest.mark.parametrize(
    "strategy",
    [
        PoissonRateStrategy(rate=100.0),
        PoissonRateStrategy(rate=100.0, initial_burst=True, random_seed=1),
        PoissonWarmupStrategy(num_requests=1000, warmup_window=10.0),
    ],
    ids=str,
)
async def test_random_moments_have_their_rate_and_come_again(strategy):
    strategy.start_time = 0.0
    moments = await first(strategy, 1000)
    assert moments == sorted(moments)
    assert moments[-1] == pytest.approx(10, rel=0.15)
    assert moments == await first(strategy, 1000)


@pytest.mark.parametrize(
    "strategy",
    [
        ConcurrentStrategy(concurrency=2),
        ThroughputStrategy(max_concurrency=2),
        ConstantRateStrategy(rate=1e6, max_concurrency=2),
        PoissonRateStrategy(rate=1e6, max_concurrency=2),
        PoissonWarmupStrategy(num_requests=9, warmup_window=1e-6, max_concurrency=2),
    ],
    ids=lambda strategy: strategy.strategy_type,
)
async def test_a_limit_is_kept(strategy, llm, worker):
    await async_scaffolding_benchmark(llm, {}, requests(9), strategy=strategy)
    assert worker.most == 2


async def test_without_a_limit_all_run_at_once(llm, worker):
    await async_scaffolding_benchmark(llm, {}, requests(9), strategy=ThroughputStrategy())
    assert worker.most == 9


async def test_a_strategy_starts_anew_each_time_it_is_used():
    strategy = ConstantRateStrategy(rate=1.0)
    (before,) = await first(strategy, 1)
    await asyncio.sleep(0.002)
    (after,) = await first(strategy, 1)
    assert after > before


async def first(strategy: LoadGenerationStrategy, count: int) -> list[float]:
    async with aclosing(strategy.request_times()) as moments:
        return [await anext(moments) for _ in range(count)]
