"""Probes: requests for one token that show how much of a prompt the server still has in its cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

__all__ = ["DropPathStats", "RetentionProbeStats"]

_Record: TypeAlias = dict[str, Any]  # Any: numbers, names, paths and token ids


class DropPathStats:
    """The probes before and after each drop of a replay; what the server had comes with its `/perf_metrics`.

    Attributes:
        records: one for each probe, in the order in which they were answered.
    """

    def __init__(self) -> None:
        self._records: list[_Record] = []
        self._drops = 0

    @property
    def records(self) -> list[_Record]:
        """The probes so far."""
        return list(self._records)

    def next_drop_index(self) -> int:
        """A number for a drop."""
        self._drops += 1
        return self._drops - 1

    def record(
        self,
        *,
        drop_event_index: int,
        branch_path: Sequence[int],
        conv_id: int,
        phase: str,
        request_id: str | None,
        prefix_len: int,
        num_tokens_to_keep: int,
    ) -> None:
        """Add a probe.

        Args:
            drop_event_index: of the drop.
            branch_path: of the branch.
            conv_id: the conversation that is dropped.
            phase: `before` or `after` the drop.
            request_id: of the server, where the worker tells.
            prefix_len: tokens of the conversation.
            num_tokens_to_keep: those at its beginning that are not dropped.

        Raises:
            ValueError: another phase.
        """
        if phase not in ("before", "after"):
            raise ValueError(f"the phase of a probe is 'before' or 'after', got {phase!r}")
        self._records.append(
            {
                "drop_event_index": drop_event_index,
                "branch_path": list(branch_path),
                "conv_id": conv_id,
                "phase": phase,
                "request_id": request_id,
                "prefix_len": prefix_len,
                "num_tokens_to_keep": num_tokens_to_keep,
            }
        )


class RetentionProbeStats:
    """Prompts to probe once all replays have ended, and what came of that; whoever has run the replays probes.

    Attributes:
        pending_probes: the last prompt of each conversation on the root branch.
        records: the probes that were sent.
    """

    def __init__(self) -> None:
        self._pending: list[_Record] = []
        self._records: list[_Record] = []

    @property
    def pending_probes(self) -> list[_Record]:
        """What is to be probed."""
        return list(self._pending)

    @property
    def records(self) -> list[_Record]:
        """The probes that were sent."""
        return list(self._records)

    def record_pending(self, *, branch_path: Sequence[int], conv_id: int, prefix: Sequence[int]) -> None:
        """Add what is to be probed: the token ids of a conversation's last prompt."""
        self._pending.append({"branch_path": tuple(branch_path), "conv_id": conv_id, "prefix": list(prefix)})

    def record(self, *, branch_path: Sequence[int], conv_id: int, request_id: str | None, prefix_len: int) -> None:
        """Add a probe that was sent: the server's id of it, and the tokens of its prompt."""
        self._records.append(
            {
                "branch_path": list(branch_path),
                "conv_id": conv_id,
                "request_id": request_id,
                "prefix_len": prefix_len,
            }
        )
