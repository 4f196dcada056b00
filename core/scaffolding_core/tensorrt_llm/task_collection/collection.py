"""TaskCollection: watches the tasks of a controller, without touching the controller."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.task import Task

__all__ = ["TaskCollection"]


class TaskCollection:
    """Sees every task that a controller yields, those of its branches included.

    Subclass it and override what you need; here nothing happens. One belongs to each controller, and a request's
    copy of the controller has a copy of it.
    """

    def __init__(self) -> None:
        """Nothing is kept here."""

    def before_yield(self, tasks: list[Task]) -> None:
        """These tasks are about to run."""

    def after_yield(self, tasks: list[Task]) -> None:
        """These tasks have run."""

    def after_failure(self, tasks: list[Task]) -> None:
        """These tasks were told before they ran, and not all of them did: one failed, or they were cut."""

    def on_parallel_start(self, num_branches: int) -> None:
        """A `ParallelProcess` of so many branches is about to run."""

    def on_parallel_end(self, num_branches: int) -> None:
        """A `ParallelProcess` of so many branches has run."""

    @staticmethod
    def get_global_info() -> object:
        """What a collection tells of all requests; nothing here."""
        return None
