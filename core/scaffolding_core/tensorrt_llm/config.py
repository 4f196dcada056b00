"""Controllers by name: a tree of `type`, `args` and `$ref` in JSON or YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scaffolding_core.config_text import read_tree
from scaffolding_core.controller import Controller
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tensorrt_llm import controller

__all__ = ["build_controller", "load_controller_config", "register_controller"]

_registered: dict[str, type[Controller]] = {
    name: kind
    for name in controller.__all__
    if issubclass(kind := getattr(controller, name), Controller) and kind is not controller.Controller
}


class _UnknownReferenceError(InvalidRequestError, KeyError):
    """A `$ref` names no object."""

    __str__ = Exception.__str__  # KeyError quotes


class _WrongTypeError(InvalidRequestError, TypeError):
    """A part of the tree is of the wrong type."""


def register_controller(name: str, controller_cls: type[Controller]) -> None:
    """Let trees name a controller of yours, in this process.

    Args:
        name: its `type` there.
        controller_cls: made with the node's `args`.

    Raises:
        InvalidRequestError: no class of controllers (also a TypeError), or another one has the name.
    """
    if not (isinstance(controller_cls, type) and issubclass(controller_cls, Controller)):
        raise _WrongTypeError(f"{name!r} must be a subclass of Controller, got {controller_cls!r}")
    if _registered.setdefault(name, controller_cls) is not controller_cls:
        raise InvalidRequestError(f"{name!r} is already registered: choose another name")


def load_controller_config(path: str | Path, objects: Mapping[str, object] | None = None) -> Controller:
    """Build the tree under the key `controller` of a file.

    Args:
        path: of the file, YAML unless it ends in `.json`.
        objects: what a file cannot hold, such as a tokenizer, for the tree's `$ref`.

    Raises:
        InvalidRequestError: the file cannot be read (also an OSError), or holds no such tree; see
            `build_controller`.
        MissingExtraError: a YAML file, and the extra `yaml` is not installed.
    """
    config = read_tree(path).data
    if not isinstance(config, Mapping):
        raise InvalidRequestError(f"{path} must hold a mapping, got {type(config).__name__}")
    if "controller" not in config:
        raise InvalidRequestError(f"{path}: missing required top-level key 'controller'")
    return build_controller(config["controller"], objects)


def build_controller(spec: Mapping[str, Any], objects: Mapping[str, object] | None = None) -> Controller:
    """Build a controller, and those it is made of.

    Any mapping with a `type`, as an argument or in a list of them, is a controller; any with a `$ref` is one of
    the objects. What else arguments hold, stays as it is.

    Args:
        spec: `{"type": name, "args": {...}}`; Any is what the controller takes.
        objects: by the name in `$ref`.

    Raises:
        InvalidRequestError: an unknown or missing `type`, an unexpected key, an unknown `$ref` (also a KeyError),
            or arguments that the controller does not take (also a TypeError); it says where.
    """
    return _controller(spec, objects or {}, "controller")


def _controller(spec: object, objects: Mapping[str, object], where: str) -> Controller:
    if not isinstance(spec, Mapping):
        raise _WrongTypeError(f"{where} must be a mapping that describes a controller, got {type(spec).__name__}")
    name = spec.get("type")
    if name is None:
        raise InvalidRequestError(f"{where}: missing required key 'type'")
    if not isinstance(name, str) or name not in _registered:
        known = ", ".join(sorted(_registered))
        raise InvalidRequestError(f"{where}: unknown controller type {name!r}; known are {known}")
    if unexpected := sorted(str(key) for key in spec.keys() - {"type", "args"}):
        raise InvalidRequestError(f"{where}: unexpected keys {unexpected}: write arguments under 'args'")
    args = spec.get("args") or {}
    if not isinstance(args, Mapping):
        raise _WrongTypeError(f"{where}.args must be a mapping, got {type(args).__name__}")
    built = {key: _argument(value, objects, f"{where}.args.{key}") for key, value in args.items()}
    try:
        return _registered[name](**built)
    except TypeError as error:
        raise _WrongTypeError(f"{where}: cannot construct {name} with {sorted(built)}: {error}") from error


def _argument(value: object, objects: Mapping[str, object], where: str) -> object:
    if isinstance(value, list):
        return [_argument(item, objects, f"{where}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    if "type" in value:
        return _controller(value, objects, where)
    if "$ref" not in value:
        return value
    if value["$ref"] not in objects:
        known = ", ".join(sorted(objects)) or "none"
        raise _UnknownReferenceError(f"{where}: unknown object reference {value['$ref']!r}; known are {known}")
    return objects[value["$ref"]]
