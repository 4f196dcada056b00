"""QueueManager: the branches of a replay, and what they share."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tensorrt_llm.execution_trace import TraceEvent
from scaffolding_core.tensorrt_llm.replay.conversation import Conversation, SystemTokens
from scaffolding_core.tensorrt_llm.replay.generation_stats import ReplayGenerationStats
from scaffolding_core.tensorrt_llm.replay.probes import DropPathStats, RetentionProbeStats
from scaffolding_core.tensorrt_llm.replay.queue_executor import QueueExecutor
from scaffolding_core.tensorrt_llm.replay.synthetic_tokens import RngFactory
from scaffolding_core.worker import Worker

__all__ = ["QueueManager"]


class QueueManager:
    """Has an executor for each branch that is open, by its path; a later fork of the same path takes its place.

    Args:
        worker: generates.
        system_token_cache: token ids of system messages, which replays may share.
        rng_factory: makes what each branch draws its tokens with.
        generation_stats: gets an entry for each generation; None for nobody.
        drop_path_stats: gets a probe before and after each drop; None for no probes.
        retention_probe_stats: gets what is to be probed in the end; None for nobody.

    Attributes:
        conversations: of all branches, by their numbers.
        system_tokens: of all branches.
    """

    def __init__(
        self,
        worker: Worker,
        system_token_cache: dict[str, list[int]],
        rng_factory: RngFactory,
        generation_stats: ReplayGenerationStats | None = None,
        drop_path_stats: DropPathStats | None = None,
        retention_probe_stats: RetentionProbeStats | None = None,
    ) -> None:
        self.worker = worker
        self.generation_stats = generation_stats
        self.drop_path_stats = drop_path_stats
        self.retention_probe_stats = retention_probe_stats
        self.system_tokens = SystemTokens(system_token_cache)
        self.conversations: dict[int, Conversation] = {}
        self._rng_factory = rng_factory
        self._open: dict[tuple[int, ...], QueueExecutor] = {}

    def open_branch(self, branch_path: tuple[int, ...]) -> QueueExecutor:
        """A new executor, for what comes on this path from now on."""
        executor = self._open[branch_path] = QueueExecutor(self, branch_path, self._rng_factory(branch_path))
        return executor

    def get_queue(self, branch_path: tuple[int, ...]) -> deque[TraceEvent | Sequence[QueueExecutor]]:
        """What the branch of this path has to do.

        Raises:
            InvalidRequestError: no fork has opened it.
        """
        try:
            return self._open[branch_path].queue
        except KeyError:
            raise InvalidRequestError(
                f"the trace tells of a branch {list(branch_path)} that no parallel_start opens"
            ) from None
