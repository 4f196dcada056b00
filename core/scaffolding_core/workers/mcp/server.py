"""Servers of tools: where each is, or how it is started."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from scaffolding_core.errors import InvalidRequestError

__all__ = ["HttpServer", "Server", "StdioServer", "server_of"]


@dataclass(frozen=True, slots=True)
class HttpServer:
    """A server that is reached over streamable HTTP or SSE.

    Args:
        url: such as `http://localhost:8000/mcp` or `http://localhost:8000/sse`.
        headers: sent with each request, such as `{"Authorization": "Bearer ..."}`.
        prefix: put before the names of its tools, so that they differ from another server's.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False)
    prefix: str = field(default="", kw_only=True)

    @property
    def shown(self) -> str:
        """The address without what may be secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class StdioServer:
    """A server that is a program: started with its first call on an event loop, and ended with the worker.

    What it writes to its standard error is dropped.

    Args:
        command: the program.
        args: its arguments.
        env: variables of its environment, beside the few that it needs to run; this program's others are kept
            from it.
        cwd: the folder that it runs in; this program's unless said.
        prefix: put before the names of its tools, so that they differ from another server's.
    """

    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] | None = field(default=None, repr=False)
    cwd: str | None = None
    prefix: str = field(default="", kw_only=True)

    @property
    def shown(self) -> str:
        """The program, without its arguments, which may be secret."""
        return f"`{self.command}`"


Server: TypeAlias = HttpServer | StdioServer


def server_of(given: object) -> Server:
    """The server that an address or a command line stands for.

    Raises:
        InvalidRequestError: it is neither.
    """
    if isinstance(given, HttpServer | StdioServer):
        return given
    if not isinstance(given, str) or not given.strip():
        shown = repr(given) if isinstance(given, str) else type(given).__name__  # it may hold a key
        raise InvalidRequestError(f"a server of tools is an address or a command in one text, got {shown}")
    if urlsplit(given).scheme in ("http", "https"):
        return HttpServer(given)
    if "://" in given:
        raise InvalidRequestError(
            f"{given!r} is no address of a server of tools: it must begin with http or https"
        )
    try:
        command, *args = shlex.split(given)
    except ValueError as error:
        raise InvalidRequestError(f"the command {given!r} cannot be read: {error}") from error
    return StdioServer(command, args)
