"""What an answer must look like, as TensorRT-LLM's guided decoding has it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from scaffolding_core.errors import InvalidRequestError, UnsupportedParameterError

__all__ = ["guide"]

_KINDS = "text, json, json_schema, json_object, regex, ebnf, grammar or structural_tag"


def guide(wanted: object) -> dict[str, object] | None:
    """The arguments of `GuidedDecodingParams` for a `response_format`; None for plain text.

    Raises:
        InvalidRequestError: it lacks what its type needs.
        UnsupportedParameterError: a type that TensorRT-LLM does not have.
    """
    if not isinstance(wanted, Mapping):
        raise InvalidRequestError(f"response_format must be a mapping with a type, got {wanted!r}")
    kind = wanted.get("type")
    match kind:
        case "text":
            return None
        case "json_object":
            return {"json_object": True}
        case "json_schema" | "json":
            given = _part(wanted, "schema" if "schema" in wanted else "json_schema")
            inner = given.get("schema") if isinstance(given, Mapping) and kind == "json_schema" else None
            schema = inner if isinstance(inner, Mapping) else given
            if not isinstance(schema, Mapping | str):
                raise InvalidRequestError(f"response_format must have a JSON schema, got {schema!r}")
            return {"json": schema}
        case "regex":
            return {"regex": _part(wanted, "regex")}
        case "ebnf" | "grammar":
            return {"grammar": _part(wanted, str(kind))}
        case "structural_tag":
            return {"structural_tag": json.dumps(wanted)}
    raise UnsupportedParameterError(f"TRTLLMWorker knows no response_format of type {kind!r}: it must be {_KINDS}")


def _part(wanted: Mapping[str, object], name: str) -> object:
    part = wanted.get(name)
    if not part:
        raise InvalidRequestError(f"response_format of type {wanted.get('type')!r} needs {name!r}")
    return part
