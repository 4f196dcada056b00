"""Whether a class of one's own may be slow: yes, unless it says that it is not."""

from __future__ import annotations

from typing import Protocol

__all__ = ["costly_unless_told"]


class _MayBeCostly(Protocol):
    costly: bool


def costly_unless_told(kind: type[_MayBeCostly], *methods: str) -> None:
    """Make a class costly that has one of these methods of its own, whatever its base says of that base's."""
    own = vars(kind)
    if "costly" not in own and any(method in own for method in methods):
        kind.costly = True
