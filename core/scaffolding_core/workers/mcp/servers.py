"""Servers: the connections of one event loop to servers of tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from scaffolding_core.errors import WorkerError
from scaffolding_core.workers.mcp.connection import Connection

__all__ = ["Servers"]


class Servers:
    """Connections to some servers, each opened when it is first needed, and anew after it was lost.

    Args:
        urls: of the servers.
        connect_timeout: seconds for each attempt to open a session.
    """

    def __init__(self, urls: Sequence[str], connect_timeout: float) -> None:
        self._urls = urls
        self._connect_timeout = connect_timeout
        self._connections: dict[str, Connection] = {}

    def all(self) -> list[Connection]:
        """A connection to each server."""
        for url in self._urls:
            connection = self._connections.get(url)
            if connection is None or connection.is_over:
                self._connections[url] = Connection(url, self._connect_timeout)
        return [self._connections[url] for url in self._urls]

    async def with_tool(self, name: str, deadline: float) -> Connection | None:
        """The connection to the first server that has a tool; None where none has it.

        Args:
            name: of the tool.
            deadline: on the loop's clock.

        Raises:
            WorkerError: no server that can be reached has it, and one cannot.
        """
        connections = self.all()
        if len(connections) == 1:
            return connections[0]  # the server tells by itself
        failure: WorkerError | None = None
        for anew in (False, True):
            for connection in connections:
                try:
                    if name in await connection.tool_names(deadline, anew=anew):
                        return connection
                except WorkerError as error:
                    failure = error
        if failure is not None:
            raise failure
        return None

    async def release(self) -> None:
        """Close the connections on which no call waits."""
        idle = {url: connection for url, connection in self._connections.items() if connection.is_idle}
        for url, connection in idle.items():
            del self._connections[url]
            await connection.close()

    async def close(self) -> None:
        """Close all connections; calls that wait are told."""
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))

    def leave(self) -> None:
        """Close all connections soon."""
        for connection in self._connections.values():
            connection.leave()
