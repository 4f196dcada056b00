"""Extractor: finds the answer in what a model said."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from scaffolding_core.answers.costly import costly_unless_told
from scaffolding_core.answers.tool_arguments import Tools
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage

__all__ = ["REFUSAL", "Answer", "Extractor", "FirstOf", "Reading"]

Answer: TypeAlias = object
"""Whatever an extractor finds: mostly text, or plain data. Never None, which means that there is no answer."""


REFUSAL = "refusal"
"""How a message is read that declines to answer: it has no answer, but it counts in the agreement."""


class Reading(NamedTuple):
    """What was found in a message, and how.

    Attributes:
        answer: None if the message has none, so that the sample abstains.
        how: such as `boxed`, `stated`, `json:answer`, `last sentence`, `whole` or `refusal`; empty where nothing
            was found.
    """

    answer: Answer | None
    how: str = ""

    @property
    def refused(self) -> bool:
        """Whether the message declines to answer."""
        return self.how == REFUSAL


class Extractor(Protocol):
    """Finds the answer in a message. Safe to share between requests and threads.

    Attributes:
        costly: it may take more than a few milliseconds, so a method runs it in a thread; one that never
            does says False, which spares the thread; that holds for the methods of the class that says it. One
            that asks a model may have `as_task(message)`, which makes a `ComputeTask` whose result is the answer.
        how: what `read` tells of its answers; empty for the name of the class.
    """

    costly: bool = True
    how: str = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        costly_unless_told(cls, "extract", "read")

    @abstractmethod
    def extract(self, message: AssistantMessage) -> Answer | None:
        """The answer; None if the message has none, so that the sample abstains."""

    def read(self, message: AssistantMessage) -> Reading:
        """The answer, and how it was read."""
        answer = self.extract(message)
        return Reading(answer, "" if answer is None else self.how or type(self).__name__)

    def with_tools(self, tools: Tools) -> Extractor:
        """The same, for a message that may call these tools; only what reads calls is another."""
        return self


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
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The first answer found, as its extractor read it."""
        readings = (extractor.read(message) for extractor in self.extractors)
        return next((reading for reading in readings if reading.how), Reading(None))

    def with_tools(self, tools: Tools) -> FirstOf:
        """The same, of extractors that know the tools."""
        return FirstOf(*(extractor.with_tools(tools) for extractor in self.extractors))
