"""Gathering: samples of one prompt that start together are answered with one call (`n=k`)."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TypeAlias

from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.trtllm.call import Call, Member

__all__ = ["Gathering"]

_Key: TypeAlias = tuple[asyncio.AbstractEventLoop, Hashable, str]


class Gathering:
    """Collects siblings for one tick of their loop.

    Args:
        most: tasks in one call at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._latest: dict[_Key, Call] = {}

    def join(self, task: GenerationTask, asked: str, call: Call) -> tuple[Call, Member]:
        """Let a task share a call with its siblings.

        Args:
            task: one of a group.
            asked: what it asks for; siblings that ask for the same share.
            call: for it, unless another collects still.
        """
        key = (call.loop, task.group, asked)
        latest = self._latest.get(key)
        if latest is None or not latest.open or len(latest.waiting) >= self._most:
            latest = self._latest[key] = call
            call.loop.call_soon(self._begin, key, call)  # siblings started in this tick join before it
        return latest, latest.join(task)

    def _begin(self, key: _Key, call: Call) -> None:
        if self._latest.get(key) is call:
            del self._latest[key]
        if call.waiting:
            call.go_on()
