"""A pool of replicas of one role."""

from scaffolding_core.workers.pool.replica import Replica, ReplicaState
from scaffolding_core.workers.pool.worker import WorkerPool

__all__ = ["Replica", "ReplicaState", "WorkerPool"]
