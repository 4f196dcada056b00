"""Extractor: finds the answer in what a model said."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage

__all__ = ["Answer", "Extractor", "FirstOf"]

Answer: TypeAlias = object
"""Whatever an extractor finds: mostly text, or plain data. Never None, which means that there is no answer."""


class Extractor(Protocol):
    """Finds the answer in a message. Safe to share between requests and threads.

    Attributes:
        costly: it may take more than a few milliseconds, so a method runs it in a thread. One that asks a
            model may have `as_task(message)`, which makes a `ComputeTask` whose result is the answer.
    """

    costly: bool = False

    @abstractmethod
    def extract(self, message: AssistantMessage) -> Answer | None:
        """The answer; None if the message has none, so that the sample abstains."""


class FirstOf(Extractor):
    """The answer of the first extractor that finds one.

    Args:
        extractors: in order of preference, at least one.

    Raises:
        InvalidRequestError: no extractor.
    """

    def __init__(self, *extractors: Extractor) -> None:
        if not extractors:
            raise InvalidRequestError("FirstOf needs at least one extractor")
        self.extractors: Sequence[Extractor] = extractors
        self.costly = any(extractor.costly for extractor in extractors)

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The first answer found."""
        for extractor in self.extractors:
            answer = extractor.extract(message)
            if answer is not None:
                return answer
        return None
