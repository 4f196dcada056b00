"""MontyFiles: the files of a program in `pydantic-monty`, kept in memory and counted."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import PurePosixPath

from pydantic_monty import MemoryFile, MontyFileHandle, OSAccess
from pydantic_monty.os_access import path_from_arg

__all__ = ["MontyFiles"]

_ROOT = PurePosixPath("/")

_LONGEST = 4096
"""Characters of a path."""

_ENTRY = 1024
"""Bytes that a file or a folder counts beside its content."""


class MontyFiles(OSAccess):
    """Files in memory, of which a program may write so many bytes in all.

    Args:
        files: content by path.
        most_bytes: to write.
    """

    def __init__(self, files: Mapping[str, bytes], most_bytes: int) -> None:
        super().__init__([MemoryFile(str(_ROOT / path), content) for path, content in files.items()])
        self._left = most_bytes

    def path_open(self, path: PurePosixPath, mode: str) -> MontyFileHandle:
        """Open a file; one too many is an OSError of the program."""
        if not mode.startswith("r"):
            self._take_entries(path)
        return super().path_open(path, mode)

    def path_mkdir(self, path: PurePosixPath, parents: bool, exist_ok: bool) -> None:
        """Make a folder; one too many is an OSError of the program."""
        self._take_entries(path)
        super().path_mkdir(path, parents, exist_ok)

    def path_rename(self, path: PurePosixPath, target: PurePosixPath) -> None:
        """Rename; a path too long is an OSError of the program."""
        self._take_entries(target)
        super().path_rename(path, target)
        entry = self._get_entry(target)
        if isinstance(entry, MemoryFile):  # which still has its old name, by which it would be removed
            entry.path, entry.name = target, target.name

    def path_write_text(self, path: PurePosixPath | MontyFileHandle, data: str) -> int:
        """Write a text; too much of it is an OSError of the program."""
        self._take_entries(path_from_arg(path))
        self._take(len(data.encode()))
        return super().path_write_text(path, data)

    def path_write_bytes(self, path: PurePosixPath | MontyFileHandle, data: bytes) -> int:
        """Write bytes; too many are an OSError of the program."""
        self._take_entries(path_from_arg(path))
        self._take(len(data))
        return super().path_write_bytes(path, data)

    def path_append_text(self, path: PurePosixPath | MontyFileHandle, data: str) -> int:
        """Append a text; too much of it is an OSError of the program."""
        self._take(len(data.encode()))
        return super().path_append_text(path, data)

    def path_append_bytes(self, path: PurePosixPath | MontyFileHandle, data: bytes) -> int:
        """Append bytes; too many are an OSError of the program."""
        self._take(len(data))
        return super().path_append_bytes(path, data)

    def contents(self) -> dict[str, bytes]:
        """The content of all files, by path."""
        return {path: entry for path, entry in self._ends() if entry is not None}

    def empty_folders(self) -> list[str]:
        """The path of each folder without anything in it."""
        return [path for path, entry in self._ends() if entry is None]

    def make_folders(self, paths: Iterable[str]) -> None:
        """Make folders, unless a file stands there now."""
        for path in paths:
            with suppress(OSError):
                self.path_mkdir(_ROOT / path, parents=True, exist_ok=True)

    def _ends(self) -> Iterator[tuple[str, bytes | None]]:
        """The path and content of each file, and None for a folder without anything in it."""
        folders = [("", self._get_dir(_ROOT))]
        while folders:  # no recursion: a program nests them as deep as a path is long
            above, folder = folders.pop()
            for name, entry in folder.items():
                if isinstance(entry, dict):
                    folders.append((f"{above}{name}/", entry))
                    if not entry:
                        yield above + name, None
                else:
                    content = entry.read_content()
                    yield above + name, content.encode() if isinstance(content, str) else content

    def _take_entries(self, path: PurePosixPath) -> None:
        """Count a path, as if none of its folders were there yet."""
        if len(str(path)) > _LONGEST:
            raise OSError(errno.ENAMETOOLONG, "File name too long")
        self._take(_ENTRY * len(path.parts))

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
