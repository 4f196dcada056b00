"""PRMController: scores by the logits of a process reward model."""

import math

import numpy as np
import pytest

from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.tensorrt_llm.controller import (
    BestOfNController,
    NativeGenerationController,
    PRMController,
)
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.worker import FunctionWorker

SEPARATOR, BOS = "<extra_0>", 1


class Tokenizer:
    """Words as tokens, behind one that begins every text."""

    def __init__(self, template="{}"):
        self.template = template
        self.words = {"<s>": BOS}

    def __deepcopy__(self, memo):
        raise TypeError("it is too large")

    def apply_chat_template(self, chat, *, tokenize, add_generation_prompt):
        assert not tokenize
        assert not add_generation_prompt
        return self.template.format(" ".join(message["content"] for message in chat))

    def encode(self, text, add_special_tokens=True):
        words = text.replace(SEPARATOR, f" {SEPARATOR} ").split()
        ids = [self.words.setdefault(word, len(self.words) + 1) for word in words]
        return [BOS, *ids] if add_special_tokens else ids


class Judge:
    """A reward model that gives each step the odds that it is told, and everything else none at all."""

    def __init__(self, tokenizer, odds, shape=lambda rows: rows):
        self.tokenizer = tokenizer
        self.odds = odds
        self.shape = shape

    def __call__(self, task):
        assert task.max_tokens == 1
        assert task.return_context_logits
        tokens = self.tokenizer.encode(task.input_str)
        separator = self.tokenizer.words[SEPARATOR]
        odds = iter(self.odds)
        rows = [[0.0, next(odds)] if token == separator else [900.0, 0.0] for token in tokens]
        task.context_logits = self.shape(rows)
        return "x"


def scored(answer, odds, shape=lambda rows: rows, tokenizer=None, **options):
    tokenizer = tokenizer or Tokenizer()
    tokenizer.encode(SEPARATOR)
    prm = PRMController(tokenizer, **options)
    method = BestOfNController(NativeGenerationController(), prm, default_sample_num=1)
    seen = {}
    method.select_best = lambda tasks, scores, **kwargs: seen.update(scores=scores) or (tasks[0], 0)
    workers = {
        NativeGenerationController.WorkerTag.GENERATION: FunctionWorker(lambda task: answer),
        PRMController.WorkerTag.REWARD: FunctionWorker(Judge(tokenizer, odds, shape)),
    }
    with ScaffoldingLlm(method, workers) as llm:
        assert llm.generate("How much?", sample_num=1).outputs[0].text == answer
    return seen["scores"]


@pytest.mark.parametrize(
    "shape",
    [lambda rows: rows, np.array, lambda rows: np.array([rows], dtype=np.float16), lambda rows: [rows]],
    ids=["lists", "array", "a batch of one", "lists in a batch"],
)
def test_the_score_is_the_product_of_the_steps(shape):
    odds = [math.log(3), 0.0]  # 3 to 1, and even
    assert scored("first\n\nsecond", odds, shape) == [pytest.approx(0.375, rel=1e-3)]


def test_steps_that_are_surely_right_or_wrong_count():
    assert scored("a\n\nb", [9000.0, 9000.0]) == [1.0]
    assert scored("a\n\nb\n\nc", [9000.0, -9000.0, 9000.0]) == [0.0]


def test_a_separator_that_an_answer_writes_is_not_judged():
    assert scored(f"a {SEPARATOR}\n\nb", [0.0, 0.0, -9000.0]) == [0.25]


def test_not_split_the_last_token_is_judged():
    assert scored("a\n\nb", [-9.0, math.log(3)], split_steps=False) == [pytest.approx(0.75)]


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        (lambda rows: None, "told no context logits"),
        (lambda rows: rows[:-1], "logits of .* tokens, where"),
        (lambda rows: [[0.5]] * len(rows), "each token and label"),
        (lambda rows: 0.5, "each token and label"),
    ],
)
def test_logits_that_are_none_are_the_reward_workers_fault(shape, match):
    with pytest.raises(WorkerError, match=match):
        scored("a", [0.0], shape)


def test_a_separator_that_is_no_token_is_refused():
    with pytest.raises(InvalidRequestError, match="must be one token"):
        scored("a", [0.0], separate_token="two words")
    with pytest.raises(InvalidRequestError, match="leaves out"):
        scored("a", [], tokenizer=Tokenizer(template="{:.5}"))
