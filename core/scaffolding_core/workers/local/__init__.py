"""llama.cpp in this process, as a backend."""

from scaffolding_core.workers.local.worker import LocalWorker, embedded_model, shared_local_worker

__all__ = ["LocalWorker", "embedded_model", "shared_local_worker"]
