"""Model-written Python, run in a sandbox."""

from scaffolding_core.workers.code.worker import CodeWorker

__all__ = ["CodeWorker"]
