"""What a message holds: JSON, texts and content parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["Content", "JsonObject", "JsonValue"]

JsonValue: TypeAlias = "None | bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue]"
JsonObject: TypeAlias = Mapping[str, JsonValue]
Content: TypeAlias = str | Sequence[JsonObject]
"""Plain text, or OpenAI content parts (`{"type": "text", ...}`, `{"type": "image_url", ...}`)."""
