"""Trees in files and in texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scaffolding_core.config_text.json_text import json_text, json_tree
from scaffolding_core.config_text.where import Tree
from scaffolding_core.errors import InvalidRequestError

__all__ = ["read_tree", "tree_of", "tree_text"]


class _UnreadableFileError(InvalidRequestError, OSError):
    """The file cannot be read."""

    __str__ = Exception.__str__


def read_tree(path: str | Path) -> Tree:
    """The tree in a file.

    Args:
        path: of the file, YAML unless it ends in `.json`.

    Raises:
        InvalidRequestError: it cannot be read (also an OSError), or see `tree_of`.
        MissingExtraError: a YAML file, and the extra `yaml` is not installed.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _UnreadableFileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidRequestError(f"{path} cannot be read: it is not written in UTF-8") from error
    return tree_of(text, str(path), in_json=Path(path).suffix == ".json")


def tree_of(text: str, name: str = "", *, in_json: bool = False) -> Tree:
    """The tree that a text holds.

    Args:
        text: YAML, or JSON.
        name: of the file, for errors.
        in_json: whether it is JSON.

    Raises:
        InvalidRequestError: it holds none, or one with a key twice, without an end, or of unbounded size.
        MissingExtraError: YAML, and the extra `yaml` is not installed.
    """
    parse = json_tree if in_json else _yaml_tree()
    try:
        return parse(text, name)
    except InvalidRequestError:
        raise
    except ValueError as error:
        raise InvalidRequestError(f"{name or 'the text'} cannot be read: {error}") from error
    except RecursionError:
        raise InvalidRequestError(f"{name or 'the text'} cannot be read: it is nested too deeply") from None


def tree_text(data: object, *, in_json: bool = False) -> str:
    """A tree as text, such that `tree_of` reads the same.

    Raises:
        InvalidRequestError: it holds what no file can, such as a function.
        MissingExtraError: YAML, and the extra `yaml` is not installed.
    """
    write: Callable[[object], str] = json_text
    if not in_json:
        from scaffolding_core.config_text.yaml_text import yaml_text as write
    try:
        text = write(data)
        text.encode()
        return text
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"no file can hold this: {error}") from error


def _yaml_tree() -> Callable[[str, str], Tree]:
    from scaffolding_core.config_text.yaml_text import yaml_tree  # an extra brings the library for it

    return yaml_tree
