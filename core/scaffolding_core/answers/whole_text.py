"""WholeText: all that was said."""

from __future__ import annotations

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.messages import AssistantMessage

__all__ = ["WholeText"]


class WholeText(Extractor):
    """The whole text, stripped; for classes, labels and short answers."""

    costly = False

    how = "whole"

    def extract(self, message: AssistantMessage) -> str | None:
        """The text; None if it is empty."""
        return message.text.strip() or None
