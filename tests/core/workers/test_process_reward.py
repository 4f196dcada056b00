"""ProcessRewardWorker: steps scored by the logits of a process reward model in this process."""

import math

import numpy as np
import pytest

from scaffolding_core import (
    AssistantMessage,
    BestOfNController,
    ChatTask,
    FunctionWorker,
    InvalidRequestError,
    NativeChatController,
    NativeRewardController,
    ProcessRewardWorker,
    RewardTask,
    ScaffoldingLlm,
    SystemMessage,
    UserMessage,
    WorkerError,
)

SEPARATOR, BOS = "<extra_0>", 1


class Tokenizer:
    """Words as tokens; like many it begins each text with a token of its own, which its template writes, too."""

    def __init__(self):
        self.words = {"<s>": BOS}

    def apply_chat_template(self, chat, *, tokenize, add_generation_prompt):
        assert not tokenize
        assert not add_generation_prompt
        return " ".join(["<s>", *(f"{message['role']}: {message['content']}" for message in chat)])

    def encode(self, text, add_special_tokens=True):
        words = text.replace(SEPARATOR, f" {SEPARATOR} ").split()
        ids = [self.words.setdefault(word, len(self.words) + 1) for word in words]
        return [BOS, *ids] if add_special_tokens else ids


class Engine:
    """Gives each step the odds that it is told, and every other token none at all."""

    def __init__(self, tokenizer, *odds, shape=np.array):
        self.tokenizer = tokenizer
        self.odds = odds
        self.shape = shape
        self.asked = []

    def __call__(self, task):
        self.asked.append(task)
        assert (task.max_tokens, task.return_context_logits) == (1, True)
        separator = self.tokenizer.encode(SEPARATOR, add_special_tokens=False)[0]
        odds = iter(self.odds)
        rows = [[0.0, next(odds)] if token == separator else [900.0, 0.0] for token in task.input_tokens]
        task.context_logits = self.shape(rows)
        return "x"


def worker(*odds, shape=np.array, **options):
    tokenizer = Tokenizer()
    return ProcessRewardWorker(FunctionWorker(Engine(tokenizer, *odds, shape=shape)), tokenizer, **options)


def task(answer="first\n\nsecond\n\nthird", **prompt):
    return RewardTask(response=AssistantMessage(answer), **(prompt or {"input_str": "How much?"}))


@pytest.mark.parametrize(
    ("aggregate", "score"), [("minimum", 0.5), ("product", 0.3), ("mean", 0.6833333), ("last", 0.75)]
)
async def test_each_step_has_its_chance_to_be_right(aggregate, score):
    judged = task()
    await worker(math.log(4), 0.0, math.log(3), aggregate=aggregate).run_task(judged)
    assert judged.step_rewards == pytest.approx([0.8, 0.5, 0.75])
    assert judged.reward == pytest.approx(score)
    assert judged.usage.calls == 1


async def test_steps_that_are_surely_right_or_wrong_do_not_vanish():
    judged = task()
    await worker(9000.0, -9000.0, 9000.0).run_task(judged)
    assert judged.step_rewards == [1.0, 0.0, 1.0]


async def test_the_chat_is_judged_whole_and_begins_with_one_first_token():
    prm = worker(0.0)
    await prm.run_task(task("a", messages=[SystemMessage("be brief"), UserMessage("How much?")]))
    (asked,) = prm.worker.function.asked
    words = {number: word for word, number in prm.tokenizer.words.items()}
    text = " ".join(words[token] for token in asked.input_tokens)
    assert text == "<s> system: be brief user: How much? assistant: a <extra_0>"


async def test_a_separator_that_an_answer_or_a_question_writes_is_not_judged():
    judged = task("a <extra_0>\n\nb", input_str="what is <extra_0> ?")
    await worker(0.0, math.log(3)).run_task(judged)
    assert judged.step_rewards == pytest.approx([0.5, 0.75])


async def test_other_tasks_go_to_the_worker():
    chat = ChatTask(messages=[UserMessage("hi")])
    await ProcessRewardWorker(FunctionWorker(lambda task: "hello"), Tokenizer()).run_task(chat)
    assert chat.output_str == "hello"


def test_a_method_takes_the_answer_with_the_best_steps():
    answers = iter(["bad\n\nsteps", "good\n\nsteps"])
    tokenizer = Tokenizer()
    good = tokenizer.encode("good", add_special_tokens=False)[0]

    def engine(asked):
        odds = 2.0 if good in asked.input_tokens else -2.0
        asked.context_logits = [[0.0, odds]] * len(asked.input_tokens)
        return "x"

    workers = {
        "generation": FunctionWorker(lambda asked: next(answers)),
        "process_reward": ProcessRewardWorker(FunctionWorker(engine), tokenizer),
    }
    method = BestOfNController(NativeChatController(), NativeRewardController(role="process_reward"), 2)
    with ScaffoldingLlm(method, workers) as llm:
        output = llm.generate("How much?").output
    assert output.text == "good\n\nsteps"
    assert [candidate.step_scores for candidate in output.candidates] == [
        pytest.approx([0.1192, 0.1192], abs=1e-3),
        pytest.approx([0.8808, 0.8808], abs=1e-3),
    ]


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        (lambda rows: None, "told no context logits"),
        (lambda rows: rows[:-1], "logits of .* tokens, where"),
        (lambda rows: [[0.5]] * len(rows), "each token and label"),
    ],
)
async def test_logits_that_are_none_are_an_error(shape, match):
    with pytest.raises(WorkerError, match=match):
        await worker(0.0, 0.0, 0.0, shape=shape).run_task(task())


async def test_what_makes_no_sense_is_refused():
    for wrong in ({"aggregate": "median"}, {"tokenizer": object()}):
        with pytest.raises(InvalidRequestError):
            ProcessRewardWorker(FunctionWorker(lambda task: ""), **{"tokenizer": Tokenizer(), **wrong})
    with pytest.raises(InvalidRequestError, match="must be one token"):
        await worker(0.0, separator="two words").run_task(task("a"))
    with pytest.raises(WorkerError, match="no step"):
        await worker().run_task(task(" "))
