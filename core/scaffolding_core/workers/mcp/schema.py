"""Arguments held against the JSON schema that a server tells of its tool."""

from __future__ import annotations

from scaffolding_core.messages import JsonObject

__all__ = ["what_does_not_fit"]


def what_does_not_fit(arguments: JsonObject, schema: JsonObject) -> str:
    """What is wrong with the arguments, for a model to read; nothing where they fit, or the schema is none."""
    from jsonschema.validators import validator_for  # these come with mcp, and load slowly
    from referencing import Registry

    try:
        validator = validator_for(schema)(schema, registry=Registry())  # which fetches nothing
        wrong = sorted(validator.iter_errors(arguments), key=lambda error: error.json_path)
    except Exception:  # a schema that is none fails in many ways, and its server is to judge
        return ""
    return "; ".join(f"{error.json_path.removeprefix('$.')}: {error.message}" for error in wrong)
