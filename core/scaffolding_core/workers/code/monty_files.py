"""MontyFiles: the files of a program in `pydantic-monty`, kept in memory and counted."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from pydantic_monty import MemoryFile, MontyFileHandle, OSAccess

__all__ = ["MontyFiles"]

_ROOT = PurePosixPath("/")


class MontyFiles(OSAccess):
    """Files in memory, of which a program may write so many bytes in all.

    Args:
        files: content by path.
        most_bytes: to write.
    """

    def __init__(self, files: Mapping[str, bytes], most_bytes: int) -> None:
        super().__init__([MemoryFile(str(_ROOT / path), content) for path, content in files.items()])
        self._left = most_bytes

    def path_write_text(self, path: PurePosixPath | MontyFileHandle, data: str) -> int:
        """Write a text; too much of it is an OSError of the program."""
        self._take(len(data.encode()))
        return super().path_write_text(path, data)

    def path_write_bytes(self, path: PurePosixPath | MontyFileHandle, data: bytes) -> int:
        """Write bytes; too many are an OSError of the program."""
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
        return {str(path.relative_to(_ROOT)): self.path_read_bytes(path) for path in self._under(_ROOT)}

    def _under(self, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        for path in self.path_iterdir(folder):
            if self.path_is_dir(path):
                yield from self._under(path)
            else:
                yield path

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
