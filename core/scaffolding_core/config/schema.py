"""The JSON schema of configurations, for editors: made of the tables and signatures that they are read by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scaffolding_core.config.config import OF_REQUESTS
from scaffolding_core.config.method import TURN, method_options, reward_options
from scaffolding_core.config.options import Option, options_of
from scaffolding_core.config.parts import NAMES
from scaffolding_core.controllers.roles import SCORING_ROLES
from scaffolding_core.driver.budget import Budget
from scaffolding_core.methods import METHODS
from scaffolding_core.rewards import REWARDS
from scaffolding_core.tasks import SAMPLING_PARAMETERS, GenerationTask
from scaffolding_core.workers.named import WORKER_KINDS, worker_options

__all__ = ["schema"]

Schema = dict[str, Any]  # Any: a schema holds texts, numbers, lists and schemas

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_ADDRESS: Schema = {"type": "string", "pattern": "://|^[$][{]"}
_ANY_MAPPING: Schema = {"type": "object"}
_OBJECT: Schema = {"$ref": "#/$defs/object"}  # one that the program gives


def schema() -> Schema:
    """The schema, of draft 2020-12.

    Cost: some hundredths of a second.
    """
    sampling = {
        name: option
        for name, option in options_of(GenerationTask).items()
        if name in SAMPLING_PARAMETERS - {"seed"}
    }
    beside: dict[str, Schema] = {
        "model": _defined("worker"),
        "roles": _defined("roles"),
        **{name: {} for name in sorted(OF_REQUESTS)},
        "budget": _mapping(_properties(options_of(Budget))),
    }
    controller = _mapping({"controller": _ANY_MAPPING, **beside}, needed=["controller"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of scaffolding-llm",
        "anyOf": [*_methods(beside), controller],
        "$defs": {
            "object": _mapping({"$ref": _TEXT}, needed=["$ref"]),
            "method": {"anyOf": [_names(METHODS), *_methods({}), _OBJECT]},
            "sampling": _mapping(_properties(sampling)),
            "roles": _roles(),
            "reward": _reward(),
            "worker": _worker(),
            **{part: _part(part) for part in NAMES},
        },
    }


def _methods(beside: Mapping[str, Schema]) -> list[Schema]:
    turn = {**dict.fromkeys(TURN, _TEXT), "sampling": _defined("sampling")}
    return [
        _mapping(
            {
                "method": {**_names([row.name]), "description": f"{row.summary}; {row.cost}"},
                **_properties(method_options(row)),
                "generation": _defined("method"),
                **turn,
                **beside,
            },
            needed=[] if row.name == "direct" else ["method"],
        )
        for row in METHODS.values()
    ]


def _roles() -> Schema:
    tools = {"anyOf": [_TEXT, {"type": "array", "items": {"anyOf": [_TEXT, _ANY_MAPPING]}}, _OBJECT]}
    scoring = {role: _defined("reward") for role in sorted(SCORING_ROLES)}
    return {
        "type": "object",
        "properties": {**scoring, "tools": tools, "code": {"anyOf": [_TEXT, _ANY_MAPPING]}},
        "additionalProperties": _defined("worker"),
    }


def _reward() -> Schema:
    told = _kinds({name: reward_options(name) or {} for name in REWARDS})
    combined = next(each for each in told if "combined" in each["properties"]["kind"]["enum"])
    combined["properties"]["rewards"] = {"type": "array", "items": _defined("reward")}
    server = _properties(reward_options("http://") or {})
    servers = [_mapping({name: _ADDRESS, **server}, needed=[name]) for name in ("url", "kind")]
    return {
        "anyOf": [
            _bare({name: reward_options(name) or {} for name in REWARDS}),
            _ADDRESS,
            *told,
            *servers,
            _OBJECT,
        ]
    }


def _worker() -> Schema:
    kinds = [
        {
            "type": "object",
            "properties": {**{name: {} for name in known or ()}, kind: {"anyOf": [_TEXT, _TEXTS]}},
            "required": [kind],
            "additionalProperties": known is None,
        }
        for kind in WORKER_KINDS
        for known in [worker_options(kind, several=kind == "url")]
    ]
    return {"anyOf": [_TEXT, _TEXTS, *kinds, _OBJECT]}


def _part(part: str) -> Schema:
    """A part of a method that has a name, alone or with its options."""
    options = {name: options_of(make) for name, make in NAMES[part].items()}
    several = [{"type": "array", "items": _defined(part)}] if part == "extractor" else []
    return {"anyOf": [_bare(options), *_kinds(options), *several, _OBJECT]}


def _bare(options: Mapping[str, Mapping[str, Option]]) -> Schema:
    """The names that need nothing beside them."""
    return _names(name for name, own in options.items() if not any(option.needed for option in own.values()))


def _kinds(options: Mapping[str, Mapping[str, Option]]) -> list[Schema]:
    """Mappings with a name in `kind`."""
    return [
        _mapping(
            {"kind": _names([name]), **_properties(own)},
            needed=["kind", *(option.name for option in own.values() if option.needed)],
        )
        for name, own in options.items()
    ]


def _properties(options: Mapping[str, Option]) -> dict[str, Schema]:
    return {name: _value(name, option) for name, option in options.items()}


def _value(name: str, option: Option) -> Schema:
    if option.part is None:
        plain = option.schema
        return {} if not plain or "$defs" in plain else {"anyOf": [plain, _OBJECT]}
    named = _defined("reward" if name in SCORING_ROLES else option.part)
    several = [{"type": "array", "items": named}, {"type": "object", "additionalProperties": named}]
    return {"anyOf": [named, *(several if option.many else []), *([] if option.needed else [{"type": "null"}])]}


def _defined(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _mapping(properties: Mapping[str, Schema], needed: Iterable[str] = ()) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(needed),
        "additionalProperties": False,
    }


def _names(names: Iterable[str]) -> Schema:
    return {"enum": list(dict.fromkeys(each for name in names for each in (name, name.replace("_", "-"))))}
