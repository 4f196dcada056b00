"""Where a value stands, for errors that say so."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeAlias

from scaffolding_core.errors import InvalidRequestError

__all__ = ["Path", "Place", "Tree", "Where", "near_miss"]

Path: TypeAlias = "tuple[str | int, ...]"
Place: TypeAlias = "tuple[int, int]"
"""Line and column, from 1."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of mappings, lists and plain values.

    Args:
        data: the tree.
        places: where each of its values is written, by the keys and indices that lead there.
        name: of the file; empty where there is none.
    """

    data: object
    places: Mapping[Path, Place] = field(default_factory=dict, repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a tree.

    Args:
        tree: of which.
        path: the keys and indices that lead there.
    """

    tree: Tree = field(default=Tree(None), repr=False)
    path: Path = ()

    def __truediv__(self, key: object) -> Where:
        return Where(self.tree, (*self.path, key if isinstance(key, int) else str(key)))

    def __str__(self) -> str:
        if not self.tree.name:
            return ".".join(map(str, self.path))
        path = self.path
        while path and path not in self.tree.places:
            path = path[:-1]
        return ":".join(map(str, (self.tree.name, *self.tree.places.get(path, ()))))

    def error(self, sentence: str, kind: type[InvalidRequestError] = InvalidRequestError) -> InvalidRequestError:
        """An error here."""
        error = kind(sentence)
        _place(error, self)
        return error

    @contextmanager
    def __call__(self, names: Collection[str] = ()) -> Generator[None, None, None]:
        """Errors of what is done in the `with` say that they are here; those that say where they are, stay.

        Args:
            names: of what is here; an error whose sentence begins with one of them is there.
        """
        try:
            yield
        except InvalidRequestError as error:
            first = str(error).split(maxsplit=1)[0]
            _place(error, self / first if first in names else self)
            raise

    def mapping(self, value: object, named: str, known: Collection[str] | None = None) -> dict[str, object]:
        """The value, if it is a mapping of names, all of them known.

        Args:
            value: to check.
            named: what it is.
            known: the names that it may have; None for any.

        Raises:
            InvalidRequestError: it is none, or has an unknown name.
        """
        if not isinstance(value, Mapping):
            raise self.error(f"{named} must be a mapping of names to values, got {value!r}")
        for key in value:
            if not isinstance(key, str):
                raise (self / key).error(f"{named} has the key {key!r}, which is no text")
            if known is not None and key not in known:
                raise (self / key).error(f"{named} has no {key!r}{near_miss(key, known)}")
        return dict(value)


def near_miss(given: object, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: which ones there are, and which was meant."""
    names = list(known)
    spelt = str(given).lower().replace("-", "_")
    meant = get_close_matches(spelt, names, n=1, cutoff=0.6)
    asked = f", did you mean {meant[0]!r}?" if meant else ";"
    return f"{asked} there are: {', '.join(names) or 'none'}"


def _place(error: InvalidRequestError, where: Where) -> None:
    if str(where) and not getattr(error, "placed", False) and error.args == (str(error),):
        error.args = (f"{where}: {error}",)
        error.placed = True  # type: ignore[attr-defined]  # once is enough
