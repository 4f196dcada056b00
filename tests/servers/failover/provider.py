"""A provider of the failover bench: it streams one known text unless its fault forbids, and logs who asked.

Raw, since no HTTP server resets a connection, stalls or writes half an answer on demand.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

WORDS = [f"word{number}" for number in range(1, 61)]
WHOLE = " ".join(WORDS)
GARBAGE = "gar%bage"
DOWN = "the service is down"
REFUSES_PREFILL = "the last message must not be the assistant's"


@dataclass
class Provider:
    """What it is and what reached it.

    Attributes:
        asked: when each request for a text came, in seconds of the bench.
        well: its fault is over, whatever its script says.
        down_until: until then it serves nothing at all, in seconds of the bench.
        refuses_prefill: it refuses to write on in an answer that another began.
    """

    name: str
    scale: float
    script: "Script"
    url: str = ""
    asked: list[float] = field(default_factory=list)
    well: bool = False
    down_until: float = 0.0
    refuses_prefill: bool = False
    started: float = 0.0

    def now(self) -> float:
        """Seconds of the bench since its start."""
        return (asyncio.get_running_loop().time() - self.started) / self.scale

    async def wait(self, seconds: float) -> None:
        """Let time of the bench pass."""
        await asyncio.sleep(seconds * self.scale)


@dataclass
class Reply:
    """How one request is answered, in the order of these steps.

    Args:
        provider: who answers.
        writer: to whoever asked.
        number: of the request at this provider, from 1.
    """

    provider: Provider
    writer: asyncio.StreamWriter
    number: int

    async def refuse(self, status: int, message: str, code: str | None = None, wait: float | None = None) -> None:
        """An error with a body, and how long to wait before another try."""
        error = {"message": message, "type": "error", "param": None, "code": code}
        body = json.dumps({"error": error}).encode()
        head = [f"HTTP/1.1 {status} Error", "content-type: application/json", f"content-length: {len(body)}"]
        if wait is not None:
            head.append(f"retry-after-ms: {wait * self.provider.scale * 1000:g}")
        self.writer.write("\r\n".join([*head, "", ""]).encode() + body)

    def head(self) -> None:
        """The head of a streamed answer."""
        self.writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )

    def words(self, first: int, last: int) -> None:
        """Some of the words, an event each."""
        for place in range(first, last):
            word = WORDS[place] if place == 0 else " " + WORDS[place]
            self.event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})

    def end(self, *, done: bool = True) -> None:
        """The finish reason, the usage, and what says that nothing follows."""
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 9, "completion_tokens": 60, "total_tokens": 69}
        self.event({"choices": [], "usage": usage})
        if done:
            self.chunk(b"data: [DONE]\n\n")
        self.writer.write(b"0\r\n\r\n")

    def event(self, part: dict[str, object]) -> None:
        """One event."""
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": self.provider.name}
        self.chunk(b"data: " + json.dumps({**head, **part}).encode() + b"\n\n")

    def chunk(self, data: bytes) -> None:
        """Bytes of the body."""
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def whole(self) -> None:
        """A healthy answer."""
        self.head()
        self.words(0, len(WORDS))
        self.end()

    async def reset(self) -> None:
        """Break the connection once what was written is out."""
        await self.writer.drain()
        self.writer.transport.abort()


Script = Callable[[Reply], Awaitable[None]]
"""Answers one request."""


async def healthy(reply: Reply) -> None:
    """No fault."""
    reply.whole()


@asynccontextmanager
async def serving(provider: Provider) -> AsyncIterator[Provider]:
    """Serve on a free loopback port until the end of the `async with`."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
                body = await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
                if head.startswith(b"POST"):
                    await _generate(provider, writer, body)
                else:
                    await _tell(provider, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(talk(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    provider.started = asyncio.get_running_loop().time()
    provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield provider
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _generate(provider: Provider, writer: asyncio.StreamWriter, body: bytes) -> None:
    provider.asked.append(provider.now())
    reply = Reply(provider, writer, len(provider.asked))
    if provider.now() < provider.down_until:
        await reply.refuse(503, DOWN)
    elif provider.refuses_prefill and json.loads(body)["messages"][-1]["role"] == "assistant":
        await reply.refuse(400, REFUSES_PREFILL)
    else:
        await (healthy if provider.well else provider.script)(reply)


async def _tell(provider: Provider, writer: asyncio.StreamWriter) -> None:
    """What costs no tokens: the list of models."""
    if provider.now() < provider.down_until:
        await Reply(provider, writer, 0).refuse(503, DOWN)
        return
    body = json.dumps({"object": "list", "data": [{"id": "bench", "object": "model"}]}).encode()
    kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    writer.write(kind + f"content-length: {len(body)}\r\n\r\n".encode() + body)
