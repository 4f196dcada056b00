"""Support: whether what a sample answers is found in the nodes that it retrieved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from llama_index.core.base.response.schema import Response
from llama_index.core.evaluation import BaseEvaluator

from llamaindex_scaffolding.judging.evaluation import evaluated
from llamaindex_scaffolding.translation.citations import (
    are_numbered,
    cited_numbers,
    source_text,
    without_citations,
)
from scaffolding_core import Answer, InvalidRequestError, WorkerError
from scaffolding_core.adapting import run_in_thread

__all__ = ["EvaluatorSupport", "SourceSupport", "Support", "UnsupportedAnswerError", "support_of"]

_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_]+")


class UnsupportedAnswerError(WorkerError):
    """A sample's answer is not found in the nodes that it retrieved, so it has no vote.

    Attributes:
        answer: what it answered.
    """

    def __init__(self, message: str, answer: object = None) -> None:
        super().__init__(message)
        self.answer = answer


class Support(Protocol):
    """Decides whether a sample's answer may count. Safe to share between requests and threads."""

    async def unsupported(self, query: str, answer: Answer, response: Response) -> str | None:
        """Why the answer has no support, as the end of a sentence; None if it has.

        Args:
            query: what was asked.
            answer: what a vote would compare; values as they are for a structured answer.
            response: the sample's response, whole.
        """


class SourceSupport(Support):
    """An answer counts if its words and numbers occur in the text of the source nodes.

    Each number must occur, by its value (`1,000` is `1000`), and a share of the words. Where sources are
    numbered, as `CitationQueryEngine` does it, each citation must point at one, and a text that cites is
    looked up in the sources that it cites alone. Cheap: it calls no model, and so takes other words for the
    same thing as missing; where answers paraphrase, take an evaluator such as `FaithfulnessEvaluator`.

    Args:
        min_share: of the answer's words that must occur, 0 to 1.

    Raises:
        InvalidRequestError: a share outside 0 to 1.
    """

    def __init__(self, min_share: float = 0.7) -> None:
        if not 0 <= min_share <= 1:
            raise InvalidRequestError(f"min_share must be between 0 and 1, got {min_share!r}")
        self.min_share = min_share

    async def unsupported(self, query: str, answer: Answer, response: Response) -> str | None:
        """Why the answer is not in the sources; None if it is."""
        return await run_in_thread(self._why, answer, response)  # sources may be long

    def _why(self, answer: Answer, response: Response) -> str | None:
        nodes = response.source_nodes
        if are_numbered(nodes):
            numbers = cited_numbers(response.response or "")
            missing = [number for number in numbers if not 1 <= number <= len(nodes)]
            if missing:
                return f"it cites source {missing[0]}, and there are {len(nodes)}"
            nodes = [nodes[number - 1] for number in sorted(set(numbers))] or nodes
        return self._not_in(" ".join(_leaves(answer)), "\n".join(source_text(node) for node in nodes))

    def _not_in(self, said: str, sources: str) -> str | None:
        said = without_citations(said)
        unknown = _numbers(said) - _numbers(sources)
        if unknown:
            return f"the number {min(unknown)} is in none of its sources"
        words = _words(said)
        known = words & _words(sources)
        if len(known) < self.min_share * len(words):
            return f"{len(words) - len(known)} of its {len(words)} words are in none of its sources"
        return None


class EvaluatorSupport(Support):
    """An answer counts if one of LlamaIndex's evaluators lets the response pass.

    Cost: one evaluation for each sample; its LLM calls are counted with the sample.

    Args:
        evaluator: such as `FaithfulnessEvaluator`.
    """

    def __init__(self, evaluator: BaseEvaluator) -> None:
        self.evaluator = evaluator

    async def unsupported(self, query: str, answer: Answer, response: Response) -> str | None:
        """The evaluator's feedback where the response fails; None if it passes."""
        result = await evaluated(self.evaluator, query, response)
        if result.passing is None:
            raise WorkerError(f"the evaluator gave no verdict: {result.invalid_reason or repr(result)}")
        if result.passing:
            return None
        return f"{type(self.evaluator).__name__} says: {(result.feedback or 'it fails').strip()}"


def support_of(support: Support | BaseEvaluator | None) -> Support | None:
    """The check that a user named, an evaluator included."""
    return EvaluatorSupport(support) if isinstance(support, BaseEvaluator) else support


def _numbers(text: str) -> set[str]:
    return {_plain(number) for number in _NUMBER.findall(text)}


def _plain(number: str) -> str:
    digits = number.replace(",", "").lstrip("0") or "0"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def _leaves(answer: object) -> Iterator[str]:
    """The values of a structured answer, or the answer itself."""
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        for part in answer:
            yield from _leaves(part)
    elif answer is not None and not isinstance(answer, bool):
        yield str(answer)
