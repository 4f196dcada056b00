"""The arguments of a tool call, read."""

from __future__ import annotations

import json

__all__ = ["tool_arguments"]


def tool_arguments(args: object) -> object:
    """What a call's JSON text says; what is no JSON text, as it is."""
    if not isinstance(args, str):
        return args
    try:
        return json.loads(args)
    except json.JSONDecodeError:
        return args
