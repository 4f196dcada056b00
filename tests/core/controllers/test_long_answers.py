"""What is long is read and compared off the event loop, whatever an extractor or an equivalence says of its cost.

How long the loop stands still meanwhile is measured by `python -m tests.benchmarks.stalls`.
"""

import threading

import pytest
from pydantic import BaseModel

from scaffolding_core import (
    AssistantMessage,
    FieldVoteController,
    FunctionWorker,
    MajorityVoteController,
    NativeChatController,
    ScaffoldingLlm,
    ToolCall,
    answers,
)
from scaffolding_core.answers import Answers, Classes, Equivalence, Extractor
from scaffolding_core.controllers.answering import LONG

SHORT, LONGER = "the answer is 7", "so it goes on, " * (LONG // 10) + "and the answer is 7"


class Found(BaseModel):
    answer: int = 0


MADE = {
    "Accepted": lambda: answers.Accepted(Answers("auto"), answers.Acceptance()),
    "FirstOf": lambda: answers.FirstOf(answers.Boxed(), answers.LastNumber()),
    "FromFunction": lambda: answers.FromFunction(str),
    "FromMessage": lambda: answers.FromMessage(lambda message: message.text),
    "OfKind": lambda: answers.OfKind(Answers("number")),
    "Parsed": lambda: answers.Parsed(Found),
    "PerField": lambda: answers.PerField({}, answers.Normalised()),
    "Regex": lambda: answers.Regex(r"\d+"),
}
"""Those that need something to be made of."""


def all_of(base):
    """The names of all that the package has of a kind."""
    kinds = {name: getattr(answers, name) for name in answers.__all__}
    return [
        name
        for name, kind in kinds.items()
        if isinstance(kind, type) and base in kind.__mro__ and not getattr(kind, "__abstractmethods__", None)
    ]


def made(name):
    return MADE[name]() if name in MADE else getattr(answers, name)()


class Watched(Extractor):
    """An extractor that remembers the threads that it was called in."""

    def __init__(self, extractor):
        self.extractor, self.costly, self.threads = extractor, extractor.costly, set()

    def extract(self, message):
        raise AssertionError("a vote reads")

    def read(self, message):
        self.threads.add(threading.get_ident())
        return self.extractor.read(message)


class WatchedEquivalence(Equivalence):
    """An equivalence whose classes remember the threads that they were called in."""

    def __init__(self, equivalence):
        self.equivalence, self.threads = equivalence, set()

    def classes(self):
        return WatchedClasses(self.equivalence.classes(), self.threads)


class WatchedClasses(Classes):
    def __init__(self, classes, threads):
        self.classes, self.costly, self.threads = classes, classes.costly, threads

    def assign(self, answer):
        self.threads.add(threading.get_ident())
        return self.classes.assign(answer)


async def vote(message, **parts):
    method = MajorityVoteController(NativeChatController(), 2, stop_rule="full", **parts)
    async with ScaffoldingLlm(method, FunctionWorker(lambda task: message)) as llm:
        return (await llm.generate_async("q")).output


@pytest.mark.parametrize("name", [*all_of(Extractor), "default_extractor"])
async def test_a_long_message_is_read_off_the_loop(name):
    extractor = Watched(made(name))
    await vote(LONGER, extractor=extractor)
    assert extractor.threads
    assert threading.get_ident() not in extractor.threads


@pytest.mark.parametrize("name", [*all_of(Equivalence), "default_equivalence"])
async def test_what_is_found_in_a_long_message_is_compared_off_the_loop(name):
    equivalence = WatchedEquivalence(made(name))
    await vote(LONGER, extractor=answers.WholeText(), equivalence=equivalence)
    assert equivalence.threads
    assert threading.get_ident() not in equivalence.threads


async def test_a_short_message_costs_no_thread():
    extractor, equivalence = Watched(answers.LastNumber()), WatchedEquivalence(answers.Numeric())
    assert (await vote(SHORT, extractor=extractor, equivalence=equivalence)).votes == {"7": 2}
    assert extractor.threads == equivalence.threads == {threading.get_ident()}


@pytest.mark.parametrize(
    "message",
    [
        AssistantMessage(None, tool_calls=[ToolCall("1", "f", f'{{"x": "{LONGER}"}}')]),
        AssistantMessage("7", reasoning=LONGER),
        AssistantMessage([{"type": "text", "text": LONGER}]),
    ],
    ids=["arguments", "thoughts", "parts"],
)
async def test_all_that_a_message_says_counts(message):
    extractor = Watched(answers.FromMessage(lambda message: "7"))
    await vote(message, extractor=extractor)
    assert threading.get_ident() not in extractor.threads


async def test_fields_of_a_long_message_are_compared_off_the_loop():
    equivalence = WatchedEquivalence(answers.Normalised())
    method = FieldVoteController(NativeChatController(), 2, equivalences={"a": equivalence})
    async with ScaffoldingLlm(method, FunctionWorker(lambda task: f'{{"a": 1, "b": "{LONGER}"}}')) as llm:
        assert (await llm.generate_async("q")).output.answer["a"] == 1
    assert equivalence.threads
    assert threading.get_ident() not in equivalence.threads
