"""Servers: the connections of one event loop to servers of tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import ToolDescription
from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.server import Server

__all__ = ["Servers"]


class Servers:
    """Connections to some servers, each opened when it is first needed, and anew after it was lost.

    Args:
        servers: each may stand there twice.
        connect_timeout: seconds for each attempt to open a session.
    """

    def __init__(self, servers: Sequence[Server], connect_timeout: float) -> None:
        self._servers = servers
        self._connect_timeout = connect_timeout
        self._connections: dict[int, Connection] = {}

    def all(self) -> list[Connection]:
        """A connection to each server."""
        for index, server in enumerate(self._servers):
            connection = self._connections.get(index)
            if connection is None or connection.is_over:
                self._connections[index] = Connection(server, self._connect_timeout)
        return [self._connections[index] for index in range(len(self._servers))]

    async def tools(self, deadline: float) -> dict[str, ToolDescription]:
        """The tools of all servers that can be reached; of two with one name, that of the first.

        Args:
            deadline: on the loop's clock.

        Raises:
            WorkerError: none can be reached.
        """
        known: dict[str, ToolDescription] = {}
        failures = []
        connections = self.all()
        for tools in await _listed(connections, deadline):
            if isinstance(tools, WorkerError):
                failures.append(tools)
            else:
                known.update((name, tool) for name, tool in tools.items() if name not in known)
        if len(failures) == len(connections):
            raise failures[0]
        return known

    async def with_tool(self, name: str, deadline: float) -> Connection | None:
        """The connection to the first server that has a tool; None where none has it.

        Args:
            name: of the tool.
            deadline: on the loop's clock.

        Raises:
            WorkerError: no server that can be reached has it, and one cannot.
        """
        connections = self.all()
        failure: WorkerError | None = None
        for anew in (False, True):
            for connection, tools in zip(
                connections, await _listed(connections, deadline, anew=anew), strict=True
            ):
                if isinstance(tools, WorkerError):
                    failure = tools
                elif name in tools or (not tools and len(connections) == 1):  # that server tells by itself
                    return connection
        if failure is not None:
            raise failure
        return None

    async def release(self) -> None:
        """Close the connections on which no call waits."""
        idle = {index: connection for index, connection in self._connections.items() if connection.is_idle}
        for index, connection in idle.items():
            del self._connections[index]
            await connection.close()

    async def close(self) -> None:
        """Close all connections; calls that wait are told."""
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))

    def leave(self) -> None:
        """Close all connections soon."""
        for connection in self._connections.values():
            connection.leave()


async def _listed(
    connections: Sequence[Connection], deadline: float, *, anew: bool = False
) -> list[dict[str, ToolDescription] | WorkerError]:
    """The tools of each server, or why it does not tell; all are asked at once."""

    async def of(connection: Connection) -> dict[str, ToolDescription] | WorkerError:
        try:
            return await connection.tools(deadline, anew=anew)
        except WorkerError as error:
            return error

    return await asyncio.gather(*map(of, connections))
