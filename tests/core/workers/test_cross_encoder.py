"""CrossEncoderWorker, on a double: sentence-transformers, whose signature it has, brings torch."""

import array
import asyncio
import math
import threading

import pytest

from scaffolding_core import (
    AssistantMessage,
    ClosedError,
    CrossEncoderWorker,
    InvalidRequestError,
    MissingExtraError,
    RewardTask,
    WorkerError,
)


class Double:
    def __init__(self, scores=None):
        self.batches = []
        self.scores = scores

    def predict(self, sentences, *, batch_size, show_progress_bar):
        assert threading.current_thread() is not threading.main_thread()
        assert (batch_size, show_progress_bar) == (len(sentences), False)
        self.batches.append(sentences)
        return array.array("d", self.scores or [len(answer) for _, answer in sentences])


def task(answer):
    return RewardTask(input_str="q", response=AssistantMessage(answer))


async def test_what_starts_together_is_one_pass_over_prompt_and_answer():
    encoder = Double()
    tasks = [task("a"), task("abc"), task("ab")]
    async with CrossEncoderWorker(encoder, max_batch=2) as worker:
        await asyncio.gather(*map(worker.run_task, tasks))
        with pytest.raises(InvalidRequestError):
            await worker.run_task(RewardTask(input_str="q"))
    assert [each.reward for each in tasks] == [1, 3, 2]
    assert encoder.batches == [[("q", "a"), ("q", "abc")], [("q", "ab")]]
    with pytest.raises(ClosedError):
        await worker.run_task(task("a"))


@pytest.mark.parametrize("scores", [[math.nan], [math.inf], [1.0, 2.0]])
async def test_a_score_that_is_none_is_an_error(scores):
    judged = task("a")
    with pytest.raises(WorkerError):
        await CrossEncoderWorker(Double(scores)).run_task(judged)
    assert judged.reward is None


async def test_an_answer_at_which_the_model_fails_costs_no_other_its_score():
    class Picky(Double):
        def predict(self, sentences, **options):
            if any(answer == "unfit" for _, answer in sentences):
                raise IndexError("index out of range in self")
            return super().predict(sentences, **options)

    tasks = [task("a"), task("unfit"), task("abc")]
    async with CrossEncoderWorker(Picky()) as worker:
        ended = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
    assert [each.reward for each in tasks] == [1, None, 3]
    assert isinstance(ended[1], WorkerError)
    assert str(ended[1]) == "the cross-encoder 'Picky' failed: IndexError: index out of range in self"


async def test_what_waits_when_it_is_closed_is_told_and_loads_no_model():
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Double):
        def predict(self, sentences, **options):
            begun.set()
            go_on.wait(5)
            return super().predict(sentences, **options)

    encoder = Slow()
    worker = CrossEncoderWorker(encoder, max_batch=1)
    runs = asyncio.gather(worker.run_task(task("a")), worker.run_task(task("b")), return_exceptions=True)
    await asyncio.get_running_loop().run_in_executor(None, begun.wait, 5)
    worker.shutdown()
    go_on.set()
    ended = await runs
    assert sorted(type(each).__name__ for each in ended) == ["ClosedError", "NoneType"]
    assert len(encoder.batches) == 1


def test_what_is_no_model_is_refused_and_a_missing_package_names_its_extra(monkeypatch):
    with pytest.raises(InvalidRequestError):
        CrossEncoderWorker(7)
    with pytest.raises(InvalidRequestError, match="leave them out"):
        CrossEncoderWorker(Double(), options={"device": "cpu"})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[cross-encoder\]"):
        CrossEncoderWorker("BAAI/bge-reranker-base")
