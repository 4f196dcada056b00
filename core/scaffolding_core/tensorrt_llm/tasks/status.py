"""TaskStatus: how a worker says that a task ended."""

from __future__ import annotations

import enum

__all__ = ["TaskStatus"]


class TaskStatus(enum.Enum):
    """How a worker says that a task ended."""

    SUCCESS = "success"
    WORKER_NOT_SUPPORTED = "worker_not_supported"
    WORKER_EXECEPTION = "worker_exception"  # the misspelt name is the public one
