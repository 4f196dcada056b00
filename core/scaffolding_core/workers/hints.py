"""What a request knows of itself, in the terms of TensorRT-LLM's scheduler."""

from __future__ import annotations

from scaffolding_core.tasks import GenerationTask, Scope

__all__ = ["agent_hierarchy", "scheduler_priority"]


def scheduler_priority(priority: int) -> float:
    """A priority between 0 and 1, more being sooner, around the 0.5 of requests that have none."""
    return 0.5 + priority / (2 + 2 * abs(priority))


def agent_hierarchy(task: GenerationTask, scope: Scope) -> list[tuple[str, int]]:
    """The place of a task among those of its request, from the request down: what each is, and its number."""
    branch = scope.branch if task.group is None else scope.branch[:-1]  # siblings are one branch
    return [("request", scope.request_id), *(("branch", number) for number in branch)]
