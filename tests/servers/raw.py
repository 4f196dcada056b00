"""A server without HTTP: it reads each request, and what it writes is up to the test.

Raw, since no HTTP server closes a connection that it has just called alive, or writes what nobody asked for.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Raw:
    """What it saw: the head of each request, and its connections."""

    url: str = ""
    seen: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)


def http(body: bytes, kind: str = "text/event-stream", status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    head = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def event(text: str, finish: str | None = "stop") -> bytes:
    """An event that holds a piece of the only choice."""
    return b"data: " + json.dumps({"choices": [{"index": 0, "text": text, "finish_reason": finish}]}).encode()


def answer(text: str) -> bytes:
    """A whole streamed answer."""
    return http(event(text) + b"\n\n")


@asynccontextmanager
async def raw_server(reply: Callable[[int, asyncio.StreamWriter], Awaitable[object]]) -> AsyncIterator[Raw]:
    """Serve on a free loopback port; `reply` gets the number of the request, and may close its connection."""
    raw = Raw()
    serving = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.writers.append(writer)
        serving.add(asyncio.current_task())
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ength" in line), 0)
                await reader.readexactly(length)
                raw.seen.append(head)
                await reply(len(raw.seen), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield raw
    finally:
        server.close()
        for writer in raw.writers:
            writer.close()
        if serving:
            await asyncio.wait(serving)
