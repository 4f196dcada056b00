"""FromFunction, FromMessage: a function of yours finds the answer."""

from __future__ import annotations

from collections.abc import Callable

from scaffolding_core.answers.extractor import Answer, Extractor
from scaffolding_core.messages import AssistantMessage

__all__ = ["FromFunction", "FromMessage"]


class FromMessage(Extractor):
    """What a function finds in a message; an exception of the function ends the request with it.

    Args:
        function: takes the message, returns the answer, or None for none; it may run in several threads.
        costly: it may take more than a few milliseconds: run it in a thread, about 0.1 ms each time.
    """

    def __init__(self, function: Callable[[AssistantMessage], Answer | None], *, costly: bool = True) -> None:
        self.function = function
        self.costly = costly

    def extract(self, message: AssistantMessage) -> Answer | None:
        """What the function returns."""
        return self.function(message)


class FromFunction(Extractor):
    """What a function finds in the text; an exception of the function ends the request with it.

    Args:
        function: takes the text, returns the answer, or None for none; it may run in several threads.
        costly: it may take more than a few milliseconds: run it in a thread, about 0.1 ms each time.
    """

    def __init__(self, function: Callable[[str], Answer | None], *, costly: bool = True) -> None:
        self.function = function
        self.costly = costly

    def extract(self, message: AssistantMessage) -> Answer | None:
        """What the function returns."""
        return self.function(message.text)
