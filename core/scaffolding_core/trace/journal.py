"""Journal: records in a file, one JSON line each, appended as calls end."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO

from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.trace.record import Record

__all__ = ["Journal", "read_records", "write_records"]

_FORMAT = "scaffolding-recording"
_VERSION = 2


class Journal:
    """A file that takes records from any thread, and holds each once it is taken.

    A record is one unbuffered write, made where it is taken: what ended before the process was killed is in the
    file, and only a power cut can lose the last seconds.

    Args:
        path: of the file; made if it is not there, else continued after its last whole line.
        content: whether it keeps what was said.

    Raises:
        InvalidRequestError: the file is no recording, keeps content otherwise, or cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], *, content: bool) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        header = _header(content)
        try:
            present = self.path.read_bytes() if self.path.exists() else b""
            if header.startswith(present):  # nothing is there, or it was killed while it wrote the first line
                present = b""
            elif _content_of(self.path, present) != content:
                raise InvalidRequestError(f"{path} was begun with content={not content}: go on with the same")
            self._file: BinaryIO = self.path.open("ab", buffering=0)
            self._file.truncate(present.rfind(b"\n") + 1)
            if not present:
                self._file.write(header)
        except OSError as error:
            raise InvalidRequestError(f"cannot record to {path}: {error.strerror}") from error

    def append(self, record: Record) -> None:
        """Write a record.

        Raises:
            WorkerError: the file takes no more; what was there stays whole.
        """
        line = _line(record.to_line())
        with self._lock:
            end = self._file.seek(0, os.SEEK_END)
            try:
                written = self._file.write(line)
            except (OSError, ValueError) as error:
                raise WorkerError(f"cannot record to {self.path}: {error}") from error
            if written != len(line):
                self._file.truncate(end)
                raise WorkerError(f"cannot record to {self.path}: it takes no more")

    def records(self) -> list[Record]:
        """Those in the file."""
        return read_records(self.path)[0]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_records(path: str | os.PathLike[str]) -> tuple[list[Record], bool]:
    """The records in a file, and whether they keep what was said; a last line that was cut short is read over.

    Raises:
        InvalidRequestError: the file is not there or is no recording, or a line of it is broken.
    """
    try:
        present = Path(path).read_bytes()
    except FileNotFoundError:
        raise InvalidRequestError(f"there is no recording {path}: correct the path") from None
    except OSError as error:
        raise InvalidRequestError(f"{path} is no recording: {error.strerror}") from error
    content = _content_of(path, present)
    lines = present.split(b"\n")[1:-1]
    return [_record(path, number, line) for number, line in enumerate(lines, 2)], content


def write_records(path: str | os.PathLike[str], records: list[Record], *, content: bool) -> None:
    """Write a whole file of records."""
    Path(path).write_bytes(_header(content) + b"".join(_line(record.to_line()) for record in records))


def _header(content: bool) -> bytes:
    return _line({"format": _FORMAT, "version": _VERSION, "content": content})


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _content_of(path: str | os.PathLike[str], present: bytes) -> bool:
    """Whether a file that begins as a recording keeps what was said."""
    first = present.partition(b"\n")[0] + b"\n"
    for content in (True, False):
        if first == _header(content):
            return content
    raise InvalidRequestError(f"{path} is no recording of this version: record anew, or correct the path")


def _record(path: str | os.PathLike[str], number: int, line: bytes) -> Record:
    try:
        return Record.from_line(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidRequestError(f"{path}, line {number} is no record: {error}; delete the line") from error
