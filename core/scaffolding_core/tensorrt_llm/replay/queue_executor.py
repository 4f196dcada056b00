"""QueueExecutor: replays the events of one branch."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tensorrt_llm.execution_trace import TraceEvent
from scaffolding_core.tensorrt_llm.replay.conversation import Conversation
from scaffolding_core.tensorrt_llm.replay.synthetic_tokens import random_token_ids
from scaffolding_core.tensorrt_llm.task import GenerationTask
from scaffolding_core.tensorrt_llm.together import together
from scaffolding_core.tensorrt_llm.workers.base import raise_status

if TYPE_CHECKING:
    from scaffolding_core.tensorrt_llm.replay.queue_manager import QueueManager

__all__ = ["SETTLES", "QueueExecutor"]

SETTLES = {"before": 0.5, "after": 3.0}
"""Seconds until a server has kept what it wrote last, and has dropped what it was told to: it tells neither."""


class QueueExecutor:
    """One branch of a trace: does what its queue holds, one after another, and forks where it forked.

    Args:
        manager: holds what the branches share.
        branch_path: of the branch.
        rng: draws its tokens.

    Attributes:
        queue: what it has to do: events, and for a fork the executors of its branches.
    """

    def __init__(self, manager: QueueManager, branch_path: tuple[int, ...], rng: random.Random) -> None:
        self.queue: deque[TraceEvent | Sequence[QueueExecutor]] = deque()
        self.branch_path = branch_path
        self._manager = manager
        self._rng = rng
        self._conversations: set[int] = set()

    async def run(self) -> None:
        """Do all of it.

        Raises:
            InvalidRequestError: the trace tells a generation of no tokens.
            ScaffoldingError: the worker failed.
        """
        while self.queue:
            step = self.queue.popleft()
            if not isinstance(step, TraceEvent):
                await self._fork(step)
            elif step.event_type == "tool_call":
                await asyncio.sleep((step.duration_ms or 0.0) / 1000)
            elif step.event_type == "message":
                await self._say(step)
            elif step.event_type == "drop_kv_cache":
                await self._drop(step)
        self._leave_probes()

    async def _fork(self, branches: Sequence[QueueExecutor]) -> None:
        started = time.perf_counter()
        await together(branch.run() for branch in branches)
        stats = self._manager.generation_stats
        if stats is not None and not self.branch_path:
            stats.record_parallel_region(started, time.perf_counter())

    async def _say(self, event: TraceEvent) -> None:
        conversation = self._conversation(event)
        if event.is_call:
            await self._generate(event, conversation)
        elif event.role == "system":
            conversation.system_tokens = event.tokens or 0
            conversation.put(event.message_index, self._manager.system_tokens.of(event, self._rng))
        else:
            conversation.put(event.message_index, random_token_ids(event.tokens or 0, self._rng))

    def _conversation(self, event: TraceEvent) -> Conversation:
        number = -1 if event.conversation_id is None else event.conversation_id
        self._conversations.add(number)
        return self._manager.conversations.setdefault(number, Conversation())

    async def _generate(self, event: TraceEvent, conversation: Conversation) -> None:
        wanted, thoughts = event.completion_tokens or 0, event.reasoning_tokens or 0
        if wanted <= 0:
            raise InvalidRequestError(
                f"the trace tells a generation on branch {list(self.branch_path)} of {event.completion_tokens!r} "
                "tokens: record it with a worker that tells how many it writes"
            )
        prompt = conversation.prompt(event.prompt_tokens or 0, self._rng)
        task = GenerationTask(input_tokens=prompt, max_tokens=wanted, ignore_eos=True)
        started = time.perf_counter()
        await self._run_task(task)
        ended = time.perf_counter()
        written = task.usage.completion_tokens if task.usage is not None else 0
        output = task.output_tokens or random_token_ids(written or wanted, self._rng)
        conversation.put(event.message_index, output[thoughts:])
        if self._manager.generation_stats is not None:
            self._manager.generation_stats.record_assistant(
                trace_completion_tokens=wanted,
                replay_output_token_len=len(output),
                replay_content_token_len=len(output[thoughts:]),
                reasoning_tokens=thoughts,
                ttft_s=getattr(task, "ttft_s", None),
                latency_s=getattr(task, "latency_s", None) or ended - started,
                usage_completion_tokens=written or None,
                usage_prompt_tokens=(task.usage.prompt_tokens or None) if task.usage is not None else None,
                request_id=getattr(task, "request_id", None),
                branch_path=self.branch_path,
                client_request_start_s=started,
                client_request_end_s=ended,
            )

    async def _drop(self, event: TraceEvent) -> None:
        """Let the server forget the conversation, or all of the branch's, but for their system messages."""
        dropped = self._conversations if event.conversation_id is None else {event.conversation_id}
        known = {
            one: found for one in sorted(dropped) if (found := self._manager.conversations.get(one)) is not None
        }
        truncate = getattr(self._manager.worker, "send_kv_cache_truncate_tokens", None)
        if not known or truncate is None:
            return
        stats = self._manager.drop_path_stats
        drop = -1 if stats is None else stats.next_drop_index()
        await self._probe("before", drop, known)
        await truncate([one.tokens for one in known.values()], [one.system_tokens for one in known.values()])
        await self._probe("after", drop, known)

    async def _probe(self, phase: str, drop: int, dropped: Mapping[int, Conversation]) -> None:
        """Ask for one token after each conversation, once the server can have done what it was told."""
        stats = self._manager.drop_path_stats
        if stats is None:
            return
        await asyncio.sleep(SETTLES[phase])
        for number, conversation in dropped.items():
            task = GenerationTask(input_tokens=conversation.tokens, max_tokens=1, ignore_eos=True)
            await self._run_task(task)
            stats.record(
                drop_event_index=drop,
                branch_path=self.branch_path,
                conv_id=number,
                phase=phase,
                request_id=getattr(task, "request_id", None),
                prefix_len=len(conversation.tokens),
                num_tokens_to_keep=conversation.system_tokens,
            )

    async def _run_task(self, task: GenerationTask) -> None:
        worker = self._manager.worker
        raise_status(worker, task, await worker.run_task(task))

    def _leave_probes(self) -> None:
        """Tell what is to be probed in the end: what the root branch asked last in each conversation."""
        stats = self._manager.retention_probe_stats
        if stats is None or self.branch_path:
            return
        for number in sorted(self._conversations):
            prompt = self._manager.conversations[number].last_prompt
            if prompt:
                stats.record_pending(branch_path=self.branch_path, conv_id=number, prefix=prompt)
