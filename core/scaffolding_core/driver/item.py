"""Item: what the driver advances, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from scaffolding_core.driver.request import Request

__all__ = ["Item"]


class Item(Protocol):
    """A request, a branch or a call: it goes on by one step and names what can go on after it."""

    @property
    def request(self) -> Request:
        """Whose it is."""

    def advance(self) -> Item | None:
        """Go on by one step."""
