"""Where trtllm-serve truncates its KV cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["TRUNCATIONS", "Truncation"]


@dataclass(frozen=True)
class Truncation:
    """Where a server truncates its KV cache.

    Args:
        route: below its address.
        beside: last part of the address that is left out.
        fields: of the body, that it wants besides.
    """

    route: str
    beside: str = "/v1"
    fields: Mapping[str, str] = field(default_factory=dict)


TRUNCATIONS = (
    Truncation("/_control/kv_cache/truncate"),
    Truncation("/_resource_governor/truncate"),
    Truncation("/kv_cache_hints", "", {"action": "truncate"}),
)
"""Where trtllm-serve does, the newest first: its versions have moved it."""
