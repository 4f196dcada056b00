"""ExecutionScope: where in a request something runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["ExecutionScope", "current_scope"]


@dataclass(frozen=True)
class ExecutionScope:
    """Where in a request something runs: `()` is the request itself, each `ParallelProcess` adds a branch.

    Args:
        request_id: the request's.
        branch_path: from the request down.
    """

    request_id: str
    branch_path: tuple[int, ...] = ()

    @property
    def scope_id(self) -> str:
        """A key for what belongs to the scope, such as a sandbox: `12`, or `12:0.2` for a branch."""
        path = ".".join(map(str, self.branch_path))
        return f"{self.request_id}:{path}" if path else self.request_id

    @property
    def branch_path_list(self) -> list[int]:
        """The path, fit for JSON."""
        return list(self.branch_path)

    def child(self, branch_index: int) -> ExecutionScope:
        """The scope of a branch below."""
        return self.with_branch_path((*self.branch_path, branch_index))

    def with_branch_path(self, branch_path: Sequence[int]) -> ExecutionScope:
        """The scope of another branch of the request."""
        return ExecutionScope(self.request_id, tuple(branch_path))


current_scope: ContextVar[ExecutionScope | None] = ContextVar("current_scope", default=None)
"""The scope whose controller, or whose worker's call, runs."""
