"""Questions of decision requests as votes: how a model is asked, how it is read, and what the votes say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from langchain_core.decisions import Answer, Choice, ChoiceAnswer, Noul, NoulAnswer, Question, Score, ScoreAnswer
from pydantic import JsonValue, TypeAdapter, ValidationError

from langchain_scaffolding.translation.results import text_of
from scaffolding_core import Answers, AssistantMessage, Exact, Extractor, FirstOf, InvalidRequestError

__all__ = ["Shares", "VotedQuestion", "voted_question"]

Shares: TypeAlias = Mapping[str, float]
"""The share of the votes that each outcome has, the one that won first."""

_QUESTIONS: TypeAdapter[Question] = TypeAdapter(Question)


@dataclass(frozen=True, slots=True)
class VotedQuestion:
    """A question as a vote.

    Args:
        asks: the question, with what may be answered.
        answers: how a sample's answer is read, as one of the outcomes.
        outcomes: what may be answered.
        answer: the decision that shares of votes are.
    """

    asks: str
    answers: Answers
    outcomes: Sequence[str]
    answer: Callable[[Shares], Answer]


def voted_question(name: str, given: object) -> VotedQuestion:
    """A question of a request as a vote.

    Args:
        name: its key in the request.
        given: a `Noul`, `Choice` or `Score`, or the data of one.

    Raises:
        InvalidRequestError: another question, or labels that read alike.
    """
    try:
        question = _QUESTIONS.validate_python(given)
        if isinstance(question, Noul):
            return _noul(question)
        if isinstance(question, Choice):
            return _choice(question)
        if isinstance(question, Score):
            return _score(question)
    except ValidationError as error:
        raise InvalidRequestError(
            f"the question {name!r} is none of Noul, Choice and Score: {_first_line(error)}"
        ) from error
    except InvalidRequestError as error:
        raise InvalidRequestError(f"the question {name!r} cannot be voted on: {error}") from error
    raise InvalidRequestError(
        f"the question {name!r} asks for a box, on which no votes are counted: ask a Noul, a Choice or a Score"
    )


def _noul(question: Noul) -> VotedQuestion:
    criteria = question.criteria
    told = {"yes": criteria.true, "no": criteria.false} if criteria is not None else {}
    meanings = [f"Answer {word} for: {text_of(meant)}" for word, meant in told.items() if meant is not None]
    asks = [text_of(question.instructions), *meanings, "Answer with yes or no, and nothing else."]
    return VotedQuestion("\n".join(asks), Answers("yes_no"), ("yes", "no"), _noul_answer)


def _noul_answer(shares: Shares) -> NoulAnswer:
    return NoulAnswer(type="noul", noul=shares["yes"])


def _choice(question: Choice) -> VotedQuestion:
    labels = list(question.criteria)
    asks = [
        text_of(question.instructions),
        "The labels:",
        *_described(question.criteria.items()),
        "Answer with one label as it is written above, and nothing else.",
    ]
    extractor = _label_in(labels).extractor

    def answer(shares: Shares) -> ChoiceAnswer:
        label, share = next(iter(shares.items()))
        return ChoiceAnswer(
            type="choice", choice=label, probabilities={each: shares[each] for each in labels}, confidence=share
        )

    return VotedQuestion("\n".join(asks), Answers.pair(extractor, Exact()), labels, answer)


def _label_in(labels: list[str]) -> Answers:
    """Finds a label, also as it is spoken: `none of the above` is `none_of_the_above`."""
    with suppress(InvalidRequestError):  # then another label is spelt so
        return Answers("choice", choices=labels, labels=[re.sub("[_-]+", " ", label) for label in labels])
    return Answers("choice", choices=labels)


def _score(question: Score) -> VotedQuestion:
    criteria = question.criteria
    levels = [str(level) for level in range(len(criteria))]
    asks = [
        text_of(question.instructions),
        "The levels, in order:",
        *_described(zip(levels, criteria, strict=True)),
        f"Answer with the number of one level, 0 to {levels[-1]}, and nothing else.",
    ]
    extractor = FirstOf(_level_described(levels, criteria).extractor, _LevelNumber(len(levels)))

    def answer(shares: Shares) -> ScoreAnswer:
        probabilities = {level: shares[str(level)] for level in range(len(criteria))}
        return ScoreAnswer(
            type="score",
            score=sum(level * share for level, share in probabilities.items()),
            legend=dict(enumerate(criteria)),
            probabilities=probabilities,
            confidence=max(probabilities.values()),
        )

    return VotedQuestion("\n".join(asks), Answers.pair(extractor, Exact()), levels, answer)


def _level_described(levels: list[str], criteria: Sequence[JsonValue]) -> Answers:
    """Finds a level by its number or its description."""
    with suppress(InvalidRequestError):  # then descriptions are no texts, or read alike
        return Answers("choice", choices=levels, labels=criteria)
    return Answers("choice", choices=levels)


class _LevelNumber(Extractor):
    """The level that is the number which a text answers with; `3 out of 4` is the 3rd level of 0 to 4."""

    costly = False

    def __init__(self, count: int) -> None:
        self._levels = range(count)
        self._of_all = re.compile(rf"\b(\d{{1,4}})\s*(?:/|out of)\s*{count - 1}\b")
        self._number = Answers("number").extractor

    def extract(self, message: AssistantMessage) -> str | None:
        said = self._number.extract(AssistantMessage(self._of_all.sub(r"\1", message.text)))
        with suppress(TypeError, ValueError):  # no number, or none in digits
            if float(str(said)) in self._levels:
                return str(int(float(str(said))))
        return None


def _described(outcomes: Iterable[tuple[str, JsonValue]]) -> Iterator[str]:
    for name, meant in outcomes:
        yield f"- {name}" if meant is None else f"- {name}: {text_of(meant)}"


def _first_line(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
