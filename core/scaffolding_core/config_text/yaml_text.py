"""Trees in YAML: the plain values of JSON, with anchors and merges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scaffolding_core.config_text.where import Path, Place, Tree, Where
from scaffolding_core.errors import MissingExtraError

try:
    import yaml
except ImportError as error:
    raise MissingExtraError("a configuration in YAML", "yaml") from error

__all__ = ["yaml_text", "yaml_tree"]

MOST_VALUES = 100_000
"""Values that a file may hold, counted once for each alias that stands for them."""

_PREFIX = "tag:yaml.org,2002:"
_PLAIN = {
    "null": re.compile(r"~|null|Null|NULL|"),
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "int": re.compile(r"[-+]?[0-9]+"),
    "float": re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)"),
}
"""What a plain scalar is read as, by YAML 1.2: `yes`, `no` and `1:30` are texts, and `1e-3` is a number."""


_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")
"""What ends a line to YAML, and would not be read again as it was."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # it ships no types
    yaml_implicit_resolvers: dict[str | None, Any] = {}  # noqa: RUF012  # as its base class has it


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # as above
    """Quotes what either version of YAML would take for something else than text."""

    def ignore_aliases(self, data: object) -> bool:
        return True


for _tag, _pattern in _PLAIN.items():
    _whole = re.compile(f"(?:{_pattern.pattern})$")
    _Loader.add_implicit_resolver(_PREFIX + _tag, _whole, None)
    _Dumper.add_implicit_resolver(_PREFIX + _tag, _whole, None)
_Loader.add_implicit_resolver(_PREFIX + "merge", re.compile("<<$"), ["<"])


def yaml_tree(text: str, name: str) -> Tree:
    """The tree that a text holds.

    Raises:
        ValueError: it is no YAML; the error says where.
        InvalidRequestError: a key that stands twice in one mapping or is no text, an anchor that holds itself, a
            value that is no plain one, or too many of them.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    reading = _Reading(name)
    return Tree(None if root is None else reading.value(root, ()), reading.places, name)


def yaml_text(data: object) -> str:
    """A tree as text.

    Raises:
        ValueError: it holds what YAML has no plain value for.
    """
    try:
        text = _dumped(data, allow_unicode=True)
        return _dumped(data, allow_unicode=False) if _BREAKS.search(text) else text
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _dumped(data: object, *, allow_unicode: bool) -> str:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=allow_unicode, width=100)
    return text


class _Reading:
    def __init__(self, name: str) -> None:
        self.places: dict[Path, Place] = {}
        self._name = name
        self._around: list[Any] = []
        self._count = 0

    def value(self, node: Any, path: Path) -> object:
        self.places.setdefault(path, _place(node))
        self._counted(node)
        if any(node is outer for outer in self._around):
            raise self._at(node).error("an anchor holds itself: a configuration has an end")
        self._around.append(node)
        try:
            if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
                return {key: self.value(value, (*path, key)) for key, value in self._pairs(node, path)}
            if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
                return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._around.pop()

    def _counted(self, node: Any) -> None:
        self._count += 1
        if self._count > MOST_VALUES:
            raise self._at(node).error(f"the file holds more than {MOST_VALUES} values: its aliases multiply them")

    def _pairs(self, node: Any, path: Path) -> Iterator[tuple[str, Any]]:
        """What a mapping holds; what is merged into it comes last, where it has no such key of its own."""
        own: set[str] = set()
        merged: list[Any] = []
        for key, value in node.value:
            if key.tag == _PREFIX + "merge":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
                continue
            name = self._scalar(key) if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                raise self._at(key).error(f"a key must be a text, got {getattr(key, 'value', key)!r}")
            if name in own:
                raise self._at(key).error(f"the key {name!r} stands here twice")
            own.add(name)
            self.places[(*path, name)] = _place(key)
            yield name, value
        for node in merged:
            self._counted(node)
            if not isinstance(node, yaml.MappingNode) or node in self._around:
                raise self._at(node).error("only a mapping can be merged into another, and none into itself")
            for key, value in self._pairs(node, path):
                if key not in own:
                    own.add(key)
                    yield key, value

    def _scalar(self, node: Any) -> object:
        kind = node.tag.removeprefix(_PREFIX) if isinstance(node, yaml.ScalarNode) else ""
        text: Any = node.value
        if kind in ("str", "null", "bool"):
            return {"str": text, "null": None, "bool": text.lower() == "true"}[kind]
        if kind in ("int", "float") and _PLAIN[kind].fullmatch(text):
            return int(text) if kind == "int" else float(text.lower().replace(".inf", "inf"))
        raise self._at(node).error(f"the tag {node.tag!r} has no meaning here, where only plain values have one")

    def _at(self, node: Any) -> Where:
        return Where(Tree(None, {(): _place(node)}, self._name))


def _place(node: Any) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1
