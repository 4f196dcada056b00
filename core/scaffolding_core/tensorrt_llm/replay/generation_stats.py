"""ReplayGenerationStats: what each generation of a replay was meant to write, and what it wrote, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

__all__ = ["ReplayGenerationStats"]

_Entry: TypeAlias = dict[str, Any]  # Any: numbers, and a path


class ReplayGenerationStats:
    """A list of the generations of a replay.

    Args:
        session_index: which of several replays it was; stands in each entry.
        trace_index: which of several traces it replayed; stands in each entry.

    Attributes:
        entries: one for each generation, in the order in which they ended.
        parallel_regions: when each fork of the root branch started and ended, in seconds of `time.perf_counter()`.
    """

    def __init__(self, *, session_index: int | None = None, trace_index: int | None = None) -> None:
        self.session_index = session_index
        self.trace_index = trace_index
        self.parallel_regions: list[dict[str, float]] = []
        self._entries: list[_Entry] = []

    @property
    def entries(self) -> list[_Entry]:
        """The generations so far."""
        return list(self._entries)

    def record_assistant(
        self,
        *,
        trace_completion_tokens: int,
        replay_output_token_len: int,
        replay_content_token_len: int,
        reasoning_tokens: int,
        ttft_s: float | None = None,
        latency_s: float | None = None,
        usage_completion_tokens: int | None = None,
        usage_prompt_tokens: int | None = None,
        request_id: str | None = None,
        branch_path: Sequence[int] | None = None,
        client_request_start_s: float | None = None,
        client_request_end_s: float | None = None,
    ) -> None:
        """Add a generation.

        Args:
            trace_completion_tokens: that it was meant to write.
            replay_output_token_len: that it wrote.
            replay_content_token_len: those of them that are no thoughts.
            reasoning_tokens: those that are.
            ttft_s: seconds until the first, where the worker tells.
            latency_s: seconds until the last.
            usage_completion_tokens: as the server counts them.
            usage_prompt_tokens: those that it read.
            request_id: of the server.
            branch_path: of the branch.
            client_request_start_s: when it was sent, as `time.perf_counter()` has it.
            client_request_end_s: when it was answered.
        """
        self._entries.append(
            {
                "trace_completion_tokens": trace_completion_tokens,
                "replay_output_token_len": replay_output_token_len,
                "replay_content_token_len": replay_content_token_len,
                "reasoning_tokens": reasoning_tokens,
                "ttft_s": ttft_s,
                "latency_s": latency_s,
                "usage_completion_tokens": usage_completion_tokens,
                "usage_prompt_tokens": usage_prompt_tokens,
                "session_index": self.session_index,
                "trace_index": self.trace_index,
                "request_id": request_id,
                "branch_path": list(branch_path or ()),
                "client_request_start_s": client_request_start_s,
                "client_request_end_s": client_request_end_s,
            }
        )

    def record_parallel_region(self, start_s: float, end_s: float) -> None:
        """Add a fork."""
        self.parallel_regions.append({"start_s": start_s, "end_s": end_s, "duration_s": end_s - start_s})

    def sum_trace_completion_tokens(self) -> int:
        """The tokens that were meant to be written."""
        return sum(entry["trace_completion_tokens"] for entry in self._entries)

    def sum_replay_output_tokens(self) -> int:
        """The tokens that were written."""
        return sum(entry["replay_output_token_len"] for entry in self._entries)
