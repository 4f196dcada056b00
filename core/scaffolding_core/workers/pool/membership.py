"""Membership: which addresses a pool has, where they stand in a file or in DNS."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Protocol

from scaffolding_core.errors import BackendUnavailableError, InvalidRequestError

__all__ = ["DnsMembership", "FileMembership", "Membership"]


class Membership(Protocol):
    """Where the addresses of replicas are found.

    Attributes:
        every: seconds after which they are looked for anew.
    """

    every: float

    async def read(self) -> list[str] | None:
        """The addresses; None if they are the same as before."""


class FileMembership:
    """Addresses in a file, one a line; empty lines, and what follows a `#`, are left out.

    Args:
        path: of the file.

    Raises:
        InvalidRequestError: it cannot be read.
    """

    every = 1.0

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._read: tuple[int, int] | None = None

    def addresses(self) -> list[str]:
        """What stands in it."""
        try:
            stat = self._path.stat()
            lines = self._path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidRequestError(f"the file of replicas cannot be read: {error}") from error
        self._read = (stat.st_mtime_ns, stat.st_size)
        addresses = (line.partition("#")[0].strip().rstrip("/") for line in lines)
        return [address for address in dict.fromkeys(addresses) if address]

    async def read(self) -> list[str] | None:
        """What stands in it, if it has changed."""
        return await asyncio.to_thread(self._changed)

    def _changed(self) -> list[str] | None:
        try:
            stat = self._path.stat()
        except OSError:  # it is being replaced, or is gone: the replicas are still there
            return None
        return None if (stat.st_mtime_ns, stat.st_size) == self._read else self.addresses()


class DnsMembership:
    """The addresses that a name has.

    Args:
        host: the name.
        port: of each server.
        scheme: `http` or `https`.
        path: of each server.
    """

    every = 30.0

    def __init__(self, host: str, port: int, scheme: str, path: str) -> None:
        self._host = host
        self._port = port
        self._form = f"{scheme}://{{}}:{port}{path}"

    async def read(self) -> list[str] | None:
        """Resolve the name.

        Raises:
            BackendUnavailableError: it has no address.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # the name cannot even be one
            raise BackendUnavailableError(
                f"{self._host!r} has no address, correct the name of the replicas: {error}"
            ) from error
        hosts = dict.fromkeys(str(where[4][0]) for where in found)
        return [self._form.format(f"[{host}]" if ":" in host else host) for host in hosts]
