"""A folder that several work on, each in a copy of its own, one of which takes its place in the end."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from pathlib import Path

from scaffolding_core.errors import InvalidRequestError, WorkspaceChangedError

__all__ = ["Folder"]

_EXCHANGE = 2
_HERE = -100 if sys.platform == "linux" else -2


class Folder:
    """A folder of the user's, and copies of it beside it.

    The copies stand in one hidden folder beside it, on the same disk, so that a rename puts one in its place.

    Args:
        path: need not be there yet.

    Raises:
        InvalidRequestError: what is no folder, or has none to stand in.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()  # where it is a link, the folder behind it
        if not self.path.parent.is_dir() or (self.path.exists() and not self.path.is_dir()):
            raise InvalidRequestError(
                f"workspace must be a folder, or a new one in a folder that is there: {path}"
            )
        self._seen: object = None
        self._copies: Path | None = None
        self._ended = False

    def begin(self) -> None:
        """Remember how it is."""
        self._seen = _look(self.path)
        name = f".{self.path.name}.runs-"
        self._copies = Path(tempfile.mkdtemp(prefix=name, dir=self.path.parent))

    def copy(self, name: str) -> Path:
        """A copy, or an empty folder where it is not there yet."""
        copies = self._copies
        assert copies is not None
        copy = copies / name
        if self.path.exists():
            shutil.copytree(self.path, copy, symlinks=True)
        else:
            copy.mkdir()
        if self._ended:
            self.end()
        return copy

    def replace(self, copy: Path) -> None:
        """Let a copy take its place, at once and whole.

        Raises:
            WorkspaceChangedError: it has changed since it was copied, and stays as it is.
        """
        if not self.path.exists() and self._seen is None:
            copy.rename(self.path)
            return
        if self.path.exists():
            _exchange(copy, self.path)  # looked at behind that: nobody changes it any more then
            if _look(copy) == self._seen:
                return
            _exchange(copy, self.path)
        kept = Path(tempfile.mkdtemp(prefix=f"{self.path.name}.chosen-", dir=self.path.parent))
        copy.rename(kept / self.path.name)
        raise WorkspaceChangedError(
            f"{self.path} has changed while copies of it were worked on, and stays as it is now; the chosen copy "
            f"is in {kept}"
        )

    def end(self) -> None:
        """Remove the copies; again, where one that was cut still worked on its own."""
        self._ended = True
        if self._copies is not None:
            shutil.rmtree(self._copies, ignore_errors=True)


def _look(folder: Path) -> object:
    """What tells whether anything in a folder has changed; None where there is none."""
    if not folder.exists():
        return None
    found: list[tuple[object, ...]] = []
    for place, _, files in os.walk(folder):
        for name in files:
            path = Path(place, name)
            at = path.lstat()
            found.append((str(path.relative_to(folder)), at.st_ino, at.st_size, at.st_mtime_ns, at.st_mode))
        found.append((str(Path(place).relative_to(folder)),))
    return sorted(found, key=repr)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders take each other's place, in one step where the system can: neither is ever missing."""
    library = ctypes.CDLL(None) if os.name == "posix" else None
    swap = getattr(library, "renameat2" if sys.platform == "linux" else "renameatx_np", None)
    if swap is not None and swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{other.name}.", dir=other.parent)) / other.name
    other.rename(aside)
    try:
        one.rename(other)
    except OSError:
        aside.rename(other)
        raise
    finally:
        if aside.exists():
            aside.rename(one)
        aside.parent.rmdir()
