"""ReplayEngine: sends a backend the load that a trace tells of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace, TraceEvent
from scaffolding_core.tensorrt_llm.replay.generation_stats import ReplayGenerationStats
from scaffolding_core.tensorrt_llm.replay.probes import DropPathStats, RetentionProbeStats
from scaffolding_core.tensorrt_llm.replay.queue_manager import QueueManager
from scaffolding_core.tensorrt_llm.replay.synthetic_tokens import RngFactory, unseeded_rng
from scaffolding_core.worker import Worker

__all__ = ["ReplayEngine"]


class ReplayEngine:
    """Replays a trace without its controller: generations of the recorded lengths, tools as waits.

    A branch does one thing after another, and goes on after a fork once all its branches have ended. Prompts are
    random tokens, as many as were recorded; what was written in a conversation stands in its next prompt.

    Args:
        worker: generates; it must take prompts as token ids. One that has `send_kv_cache_truncate_tokens` is told
            what to drop.
        generation_stats: gets an entry for each generation; None for nobody.
        system_token_cache: token ids of system messages; replays that share it share a prefix. None for its own.
        rng_factory: makes what each branch draws its tokens with; None for other tokens each time.
        drop_path_stats: gets a probe before and after each drop, which takes 3.5 seconds more; None for no probes.
        retention_probe_stats: gets what is to be probed in the end; None for nobody.
    """

    def __init__(
        self,
        worker: Worker,
        generation_stats: ReplayGenerationStats | None = None,
        system_token_cache: dict[str, list[int]] | None = None,
        rng_factory: RngFactory | None = None,
        drop_path_stats: DropPathStats | None = None,
        retention_probe_stats: RetentionProbeStats | None = None,
    ) -> None:
        cache = {} if system_token_cache is None else system_token_cache
        self.queue_manager = QueueManager(
            worker,
            cache,
            rng_factory or unseeded_rng,
            generation_stats,
            drop_path_stats,
            retention_probe_stats,
        )

    async def launch_trace(self, trace: ExecutionTrace) -> None:
        """Replay it.

        Raises:
            InvalidRequestError: the trace cannot be replayed.
            ScaffoldingError: the worker failed; what else ran is cancelled.
        """
        manager = self.queue_manager
        manager.conversations.clear()
        root = manager.open_branch(())
        for event in _flat(trace.events):
            path = tuple(event.branch_path)
            if event.event_type == "parallel_start":
                branches = [manager.open_branch((*path, index)) for index in range(event.num_branches or 0)]
                manager.get_queue(path).append(branches)
            else:
                manager.get_queue(path).append(event)
        await root.run()


def _flat(events: Iterable[TraceEvent]) -> Iterator[TraceEvent]:
    """The events, those of a fork that tells them as its children after it, each on a branch of its own."""
    for event in events:
        yield event
        for index, child in enumerate(event.children or ()):
            yield replace(child, branch_path=[*event.branch_path, index])
