"""InScope: a branch of a request, and the branches below it, each run in an execution scope of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from scaffolding_core.controller import ParallelProcess
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope, current_scope
from scaffolding_core.tensorrt_llm.task import Task
from scaffolding_core.tensorrt_llm.watched import Watch, watched

__all__ = ["InScope"]


class InScope(Watch):
    """Lets a branch know its scope, and its tasks too; tasks may come in any iterable.

    Args:
        scope: of the branch.
        end: told the id of each scope below the request's own when it ends.
    """

    def __init__(self, scope: ExecutionScope, end: Callable[[str], None]) -> None:
        self._scope = scope
        self._end = end

    @contextmanager
    def running(self) -> Iterator[None]:
        """With the scope as the current one."""
        before = current_scope.set(self._scope)
        try:
            yield
        finally:
            current_scope.reset(before)

    def before(self, yielded: Any) -> Any:  # Any: whatever a method may yield
        """Hand the scope on."""
        if isinstance(yielded, ParallelProcess):
            paths = getattr(yielded, "branch_paths", None)
            yielded.sub_gens = [
                watched(branch, InScope(self._below(index, paths), self._end))
                for index, branch in enumerate(yielded.sub_gens)
            ]
            return yielded
        if not isinstance(yielded, Iterable):
            return yielded
        tasks = list(yielded)
        for task in tasks:
            if isinstance(task, Task):
                task.execution_scope = self._scope
        return tasks

    def ended(self) -> None:
        """The branch has ended."""
        if self._scope.branch_path:
            self._end(self._scope.scope_id)

    def _below(self, index: int, paths: Sequence[Sequence[int]] | None) -> ExecutionScope:
        return self._scope.child(index) if paths is None else self._scope.with_branch_path(paths[index])
