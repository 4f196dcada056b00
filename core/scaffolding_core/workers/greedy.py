"""Whether samples are drawn at all."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["is_greedy"]


def is_greedy(parameters: Mapping[str, object]) -> bool:
    """Whether the likeliest token is taken each time, so that all samples would be one.

    Args:
        parameters: those that are set, by the names that they have on the wire and in TensorRT-LLM.
    """
    return parameters.get("temperature") == 0 or parameters.get("top_p") == 0 or parameters.get("top_k") == 1
