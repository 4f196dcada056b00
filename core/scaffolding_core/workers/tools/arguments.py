"""The arguments of a tool call, as a model wrote them."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["read_arguments"]


def read_arguments(written: object) -> dict[str, Any]:  # Any: whatever JSON holds
    """The arguments of a call; nothing written is no arguments.

    Args:
        written: a JSON object as text; one that is read already is taken as it is.

    Raises:
        ValueError: it is neither, in a sentence that the model may read.
    """
    try:
        read = json.loads(written) if isinstance(written, str) and written.strip() else written
    except ValueError as error:
        raise ValueError(f"the arguments are no JSON: {error}") from None
    if read is None or read == "":
        return {}
    if not isinstance(read, dict):
        raise ValueError(f"the arguments must be a JSON object, got {written!r}")
    return read
