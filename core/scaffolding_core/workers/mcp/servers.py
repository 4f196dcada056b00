"""Servers: the connections of one event loop to servers of tools."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import ToolDescription
from scaffolding_core.messages.tools import lawful_name
from scaffolding_core.workers.mcp.connection import Connection
from scaffolding_core.workers.mcp.server import Server
from scaffolding_core.workers.tools.left_alone import LeftAlone

__all__ = ["Servers"]


class Servers:
    """Connections to some servers, each opened when it is first needed, and anew after it was lost.

    One of several that does not tell its tools is left alone for a while, so that nobody waits for it each time.

    Args:
        servers: each may stand there twice.
        connect_timeout: seconds for each attempt to open a session.
    """

    def __init__(self, servers: Sequence[Server], connect_timeout: float) -> None:
        self._servers = servers
        self._connect_timeout = connect_timeout
        self._connections: dict[int, Connection] = {}
        self._left_alone = LeftAlone()

    def all(self) -> list[Connection]:
        """A connection to each server."""
        return [self._connection(index) for index in range(len(self._servers))]

    def _connection(self, index: int) -> Connection:
        connection = self._connections.get(index)
        if connection is None or connection.is_over:
            connection = self._connections[index] = Connection(self._servers[index], self._connect_timeout)
        return connection

    async def tools(self, deadline: float) -> dict[str, ToolDescription]:
        """The tools of all servers that can be reached; of two with one name, that of the first.

        Args:
            deadline: on the loop's clock.

        Raises:
            WorkerError: none can be reached.
        """
        known: dict[str, ToolDescription] = {}
        listed = await self._listed(deadline)
        for tools in listed:
            if not isinstance(tools, WorkerError):
                known.update((name, tool) for name, tool in tools.items() if name not in known)
        failures = [tools for tools in listed if isinstance(tools, WorkerError)]
        if len(failures) == len(listed):
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
        failure: WorkerError | None = None
        names = {name, lawful_name(name)}
        for anew in (False, True):
            for index, tools in enumerate(await self._listed(deadline, anew=anew)):
                if isinstance(tools, WorkerError):
                    failure = tools
                elif names & tools.keys() or (
                    not tools and len(self._servers) == 1
                ):  # that server tells by itself
                    return self._connection(index)
        if failure is not None:
            raise failure
        return None

    async def _listed(
        self, deadline: float, *, anew: bool = False
    ) -> list[dict[str, ToolDescription] | WorkerError]:
        """The tools of each server, or why it does not tell; all are asked at once."""
        asked = (self._tools_of(index, deadline, anew) for index in range(len(self._servers)))
        return await asyncio.gather(*asked)

    async def _tools_of(self, index: int, deadline: float, anew: bool) -> dict[str, ToolDescription] | WorkerError:
        if (failed := self._left_alone.why(index)) is not None:
            return failed
        try:
            return await self._connection(index).tools(deadline, anew=anew)
        except WorkerError as error:
            if len(self._servers) > 1 and asyncio.get_running_loop().time() < deadline:
                self._left_alone.add(index, error)
            return error

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
