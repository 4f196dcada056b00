"""ModelInfo: what is known of a backend's model."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelInfo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known of a backend's model.

    Args:
        name: as the backend knows it; None if nobody told.
        context_window: tokens that one request may have, prompt and answer together; None if nobody told.
    """

    name: str | None = None
    context_window: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to find out."""
        return self.name is not None and self.context_window is not None

    def or_else(self, other: ModelInfo) -> ModelInfo:
        """The same, with what is not known in it from another."""
        return ModelInfo(
            name=other.name if self.name is None else self.name,
            context_window=other.context_window if self.context_window is None else self.context_window,
        )
