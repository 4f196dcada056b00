"""How a judge writes its verdict: one line in a fixed form, at the end of its message."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from scaffolding_core.answers import is_refusal
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.controllers.judging.weighing import expected_number, expected_word, tokens_from
from scaffolding_core.messages import AssistantMessage, TokenLogprob

__all__ = [
    "ChoiceForm",
    "NumberForm",
    "ScorePairForm",
    "Verdict",
    "VerdictForm",
    "WordForm",
    "bare_lines",
    "read_verdict",
]

_AROUND = r"[\s*_`\"'“”#<>\[\](){}]*"
_LONGEST = 200


class Verdict(NamedTuple):
    """What a judge said.

    Attributes:
        said: the value of its verdict.
        expected: its mean by the log probabilities of the tokens; `said` where they were not told.
        words: what it said besides.
    """

    said: float
    expected: float
    words: str | None


class VerdictForm(Protocol):
    """The form of a verdict."""

    @property
    def line(self) -> str:
        """The line, as the judge is asked for it; no verdict itself."""

    def match(self, line: str) -> re.Match[str] | None:
        """The line as a verdict, whose `value` is a group; None if it is none."""

    def value(self, text: str) -> float:
        """What a text that matched stands for."""

    def expected(self, text: str, tokens: Sequence[TokenLogprob]) -> float | None:
        """The mean by the tokens that write the text; None where they tell none."""


@dataclass(frozen=True, slots=True)
class NumberForm:
    """`Score: 7`, on a scale from 1 to `most`; also `7`, `**7.5**`, `7/10` and `Score: 7 out of 10`."""

    most: int

    @property
    def line(self) -> str:
        """The line, as the judge is asked for it."""
        return f"Score: <a number from 1 to {self.most}>"

    def match(self, line: str) -> re.Match[str] | None:
        """The line, if it is a verdict."""
        found = _NUMBER.fullmatch(line)
        if found is None or (found["of"] and int(found["of"]) != self.most):
            return None
        return found if 1 <= float(found["value"]) <= self.most else None

    def value(self, text: str) -> float:
        """What a text that matched stands for."""
        return float(text)

    def expected(self, text: str, tokens: Sequence[TokenLogprob]) -> float | None:
        """The mean by the tokens that write the text."""
        return expected_number(tokens, int(text), self.most) if text.isdecimal() else None


@dataclass(frozen=True)
class WordForm:
    """`Verdict: yes`, with the values of words.

    Args:
        asked: the words that the judge is told of.
        values: of all words that are understood, in lower case.
        noun: may stand before the word, as in `answer A`.
    """

    asked: str
    values: Mapping[str, float]
    noun: str = ""

    @property
    def line(self) -> str:
        """The line, as the judge is asked for it."""
        return f"Verdict: <{self.asked}>"

    def match(self, line: str) -> re.Match[str] | None:
        """The line, if it is a verdict."""
        return self._pattern.fullmatch(line)

    def value(self, text: str) -> float:
        """What a text that matched stands for."""
        return self.values[text.lower()]

    def expected(self, text: str, tokens: Sequence[TokenLogprob]) -> float | None:
        """The mean by the tokens that write the text."""
        return expected_word(tokens, self.values)

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        noun = rf"(?:{self.noun}\s+)?" if self.noun else ""
        return _line(rf"{noun}(?P<value>{'|'.join(self.values)})")


@dataclass(frozen=True, slots=True)
class ChoiceForm:
    """`Choice: 3`, one of `most` numbered answers; also `Choice: answer 3`."""

    most: int

    @property
    def line(self) -> str:
        """The line, as the judge is asked for it."""
        return f"Choice: <the number of an answer, from 1 to {self.most}>"

    def match(self, line: str) -> re.Match[str] | None:
        """The line, if it is a verdict."""
        found = _CHOICE.fullmatch(line)
        return found if found is not None and 1 <= int(found["value"]) <= self.most else None

    def value(self, text: str) -> float:
        """What a text that matched stands for."""
        return float(text)

    def expected(self, text: str, tokens: Sequence[TokenLogprob]) -> float | None:
        """None: numbers that stand for answers have no mean."""


@dataclass(frozen=True, slots=True)
class ScorePairForm:
    """`Scores: A 7, B 4`, each from 1 to `most`; also `7, 4`. Its value is how much A is preferred, 0 to 1.

    The scores, put between 0 and 1, are the strengths of a Bradley-Terry model: the preference is the logistic
    function of their difference.
    """

    most: int

    @property
    def line(self) -> str:
        """The line, as the judge is asked for it."""
        return f"Scores: A <a number from 1 to {self.most}>, B <a number from 1 to {self.most}>"

    def match(self, line: str) -> re.Match[str] | None:
        """The line, if it is a verdict."""
        found = _SCORES.fullmatch(line)
        return found if found is not None and all(1 <= int(found[name]) <= self.most for name in "ab") else None

    def value(self, text: str) -> float:
        """What a text that matched stands for."""
        first, second = map(int, _WHOLE.findall(text))
        return self._preference(first, second)

    def expected(self, text: str, tokens: Sequence[TokenLogprob]) -> float | None:
        """The same by the mean of each score."""
        first, second = _WHOLE.finditer(text)
        expected_first = expected_number(tokens, int(first[0]), self.most)
        behind = tokens_from(tokens, text, second.start())
        expected_second = expected_number(behind, int(second[0]), self.most)
        if expected_first is None or expected_second is None:
            return None
        return self._preference(expected_first, expected_second)

    def _preference(self, first: float, second: float) -> float:
        return 1 / (1 + math.exp((second - first) / (self.most - 1)))


def read_verdict(message: AssistantMessage, form: VerdictForm, shown: Collection[str]) -> Verdict | str:
    """The verdict of a judge's message, or why it has none.

    It is the last line, or the first where no other has the form. A line that stands in what the judge was shown
    may be an echo, and is none.

    Args:
        message: of the judge.
        form: of the verdict.
        shown: the `bare_lines` of what it was shown.
    """
    if message.finish_reason in ("length", "content_filter"):
        return "it was cut before its end"
    said = without_thoughts(message.text)
    if said is None:
        return "its thoughts have no end"
    lines = [line for line in said.splitlines() if any(map(str.isalnum, line))]  # a fence or a rule says nothing
    if not lines:
        return "it says nothing"
    verdicts = [index for index, line in enumerate(lines) if len(line) <= _LONGEST and form.match(line)]
    if not verdicts or (verdicts[-1] != len(lines) - 1 and verdicts != [0]):
        return (
            "it declines to judge" if is_refusal(message) else "it has no verdict in the form that was asked for"
        )
    place = verdicts[-1]
    line = lines[place]
    if _bare(line) in shown:
        return "it repeats a line of what it was to judge"
    found = form.match(line)
    assert found is not None
    text = found["value"]
    value, expected = form.value(text), None
    if message.logprobs:
        expected = form.expected(text, tokens_from(message.logprobs, line, found.start("value")))
    words = "\n".join(lines[:place] + lines[place + 1 :]).strip()
    return Verdict(value, value if expected is None else expected, words or None)


def bare_lines(text: str) -> frozenset[str]:
    """The lines of a text, without markup, case and space around."""
    return frozenset(map(_bare, text.splitlines()))


def _bare(line: str) -> str:
    return line.strip(" \t\r*_`\"'“”#<>[](){}.!").lower()


def _line(value: str) -> re.Pattern[str]:
    noun = r"(?:scores?|rating|grade|verdict|winner|better|choice)"
    label = rf"(?:(?:final|overall|total)\s)?{noun}{_AROUND}(?:[:=]|is\b)"
    return re.compile(rf"{_AROUND}(?:{label}{_AROUND})?{value}{_AROUND}[.!]?{_AROUND}", re.IGNORECASE)


_NUMBER = _line(
    rf"(?P<value>[0-9]{{1,4}}(?:\.[0-9]{{1,4}})?)(?:{_AROUND}(?:/|out\sof){_AROUND}(?P<of>[0-9]{{1,4}}))?"
)
_CHOICE = _line(r"(?:(?:answer|response|candidate)\s+)?(?P<value>[0-9]{1,4})")
_SCORES = _line(
    rf"(?:A{_AROUND}[:=]?{_AROUND})?(?P<value>(?P<a>[0-9]{{1,3}}){_AROUND}(?:[,;]|and\b)?{_AROUND}"
    rf"(?:\bB{_AROUND}[:=]?{_AROUND})?\b(?P<b>[0-9]{{1,3}}))"
)
_WHOLE = re.compile("[0-9]+")
