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


def test_what_is_no_model_is_refused_and_a_missing_package_names_its_extra(monkeypatch):
    with pytest.raises(InvalidRequestError):
        CrossEncoderWorker(7)
    with pytest.raises(InvalidRequestError, match="leave them out"):
        CrossEncoderWorker(Double(), options={"device": "cpu"})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[cross-encoder\]"):
        CrossEncoderWorker("BAAI/bge-reranker-base")
