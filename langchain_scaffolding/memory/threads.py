"""Threads of LangGraph's checkpoint savers: one for each sample, which begins where the caller's is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

from langchain_scaffolding.memory.steps import MemorySteps

__all__ = ["Saver", "Threads", "new_thread"]

Saver: TypeAlias = "BaseCheckpointSaver[Any]"


class Threads:
    """The caller's thread in one saver, and those of the samples.

    Args:
        saver: has them all.
        place: `thread_id`, and the checkpoint to begin at, where it is not the latest.
        nested: whether graphs inside the graph have checkpoints of their own there.
    """

    def __init__(self, saver: Saver, place: dict[str, Any], *, nested: bool) -> None:
        self._saver = saver
        self._place = {"checkpoint_ns": "", **place}
        self._nested = nested
        self._start: list[CheckpointTuple] = []

    def begins(self) -> MemorySteps:
        """Read where the caller's thread is."""
        latest = yield self._saver, "get_tuple", ({"configurable": self._place},)
        self._start = [latest] if latest is not None else []
        if self._nested and latest is not None:
            thread = {"configurable": {"thread_id": self._place["thread_id"]}}
            saved = yield self._saver, "list", (thread,)
            found = {_namespace(one): one for one in reversed(saved)}
            self._start = [*(one for name, one in found.items() if name != self._place["checkpoint_ns"]), latest]

    def forked(self, thread_id: str) -> MemorySteps:
        """Begin a sample's thread."""
        yield from self._copied(self._start, thread_id)

    def kept(self, thread_id: str) -> MemorySteps:
        """Go on in the caller's thread with what is new in a sample's."""
        saved = yield self._saver, "list", ({"configurable": {"thread_id": thread_id}},)
        begun = {one.checkpoint["id"]: one for one in self._start}
        new = [one for one in reversed(saved) if not _same_writes(one, begun.get(one.checkpoint["id"]))]
        yield from self._copied(new, self._place["thread_id"])

    def dropped(self, thread_id: str) -> MemorySteps:
        """Delete a sample's thread, where the saver can."""
        try:
            yield self._saver, "delete_thread", (thread_id,)
        except NotImplementedError:
            return

    def _copied(self, saved: Iterable[CheckpointTuple], thread_id: str) -> MemorySteps:
        for one in saved:
            place = {"thread_id": thread_id, "checkpoint_ns": _namespace(one)}
            if one.parent_config is not None:
                place["checkpoint_id"] = one.parent_config["configurable"]["checkpoint_id"]
            versions = one.checkpoint["channel_versions"]
            put = yield self._saver, "put", ({"configurable": place}, one.checkpoint, one.metadata, versions)
            for task, writes in groupby(one.pending_writes or (), key=lambda write: write[0]):
                values = [(channel, value) for _, channel, value in writes]
                yield self._saver, "put_writes", (put, values, task)


def new_thread(of: str) -> str:
    """The id of a thread for a sample."""
    return f"{of}:sample:{uuid4()}"


def _namespace(saved: CheckpointTuple) -> str:
    name: str = saved.config["configurable"].get("checkpoint_ns", "")
    return name


def _same_writes(one: CheckpointTuple, other: CheckpointTuple | None) -> bool:
    return other is not None and len(one.pending_writes or ()) == len(other.pending_writes or ())
