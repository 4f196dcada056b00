"""A ScaffoldingLlm that closes the workers which were opened for it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from scaffolding_core.controller import Controller
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.worker import Worker

__all__ = ["OwningLlm"]


class OwningLlm(ScaffoldingLlm):
    """As `ScaffoldingLlm`; workers that were opened for it are closed with it.

    Args:
        method: what it runs.
        workers: by role.
        options: of each request that gives none of its own.
        opened: the workers to close.

    Raises:
        InvalidRequestError: as `ScaffoldingLlm`.
    """

    def __init__(
        self,
        method: Controller,
        workers: Mapping[Hashable, Worker],
        *,
        options: Mapping[str, object],
        opened: Sequence[Worker],
    ) -> None:
        super().__init__(method, workers, options=options)
        self._opened = opened

    def shutdown(self, shutdown_workers: bool = False) -> None:
        """As the base, and closes what was opened."""
        super().shutdown(shutdown_workers)
        for worker in self._opened:
            worker.shutdown()

    async def aclose(self, shutdown_workers: bool = False) -> None:
        """As the base, and closes what was opened."""
        await super().aclose(shutdown_workers)
        for worker in self._opened:
            await worker.async_shutdown()
