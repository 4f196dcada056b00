"""Options that a ScaffoldingLlm has for each request that gives none of its own."""

import pytest

from scaffolding_core import (
    Budget,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    ScaffoldingLlm,
)


@pytest.fixture
def worker():
    def answer(task):
        worker.seeds.append(task.seed)
        task.output_str = "7"

    worker = FunctionWorker(answer)
    worker.seeds = []
    return worker


def test_they_hold_for_each_request_in_each_way_to_ask(worker):
    method = MajorityVoteController(NativeGenerationController(), 3, stop_rule="full")
    with ScaffoldingLlm(method, worker, options={"budget": Budget(samples=2)}) as llm:
        stream = llm.stream("q")
        results = [llm.generate("q"), *llm.generate(["q", "q"]), *[[*stream] and stream.result]]
    assert [result.outputs[0].stopped for result in results] == ["budget"] * 4


def test_what_a_request_says_counts(worker):
    method = MajorityVoteController(NativeGenerationController(), 3, stop_rule="full")
    with ScaffoldingLlm(method, worker, options={"sample_num": 2, "priority": 1}) as llm:
        assert (llm.generate("q").outputs[0].samples, llm.generate("q", sample_num=1).outputs[0].samples) == (2, 1)


def test_a_seed_is_that_of_the_call_else_of_the_task_else_of_all(worker):
    task = GenerationTask.create_from_prompt("q")
    task.seed = 2
    with ScaffoldingLlm(NativeGenerationController(), worker, options={"seed": 1}) as llm:
        llm.generate("q")
        llm.generate(task)
        llm.generate(task, seed=3)
    assert worker.seeds == [1, 2, 3]


@pytest.mark.parametrize("options", [{"sede": 1}, {"seed": "x"}, {"budget": 3}])
def test_they_are_checked_when_it_is_made(worker, options):
    with pytest.raises(InvalidRequestError):
        ScaffoldingLlm(NativeGenerationController(), worker, options=options)
