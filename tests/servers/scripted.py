"""A scripted OpenAI-compatible server, in a thread.

Scripted, because faults, tool calls and error bodies cannot be had from a real model on demand. Each request
is answered by the next reply of the script, or by a function of its body.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Reply:
    """How one request is answered: pieces of text per choice, or a fault."""

    pieces: Iterable[str] = ("7",)
    finish: str | None = "stop"
    tool_calls: tuple[tuple[str, str], ...] = ()
    reasoning: str = ""
    usage: dict[str, Any] | None = field(default_factory=lambda: {"prompt_tokens": 5, "completion_tokens": 2})
    logprobs: Any = None  # of each piece; or a function of pieces
    each: tuple["Reply", ...] = ()  # what each choice is, instead
    wait: float = 0.0  # before the answer begins
    held: threading.Event | None = None  # until which the answer does not begin
    held_choices: Mapping[int, threading.Event] = field(default_factory=dict)  # until which one is not written
    between: float = 0.0  # between two pieces
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None  # sent as it is, instead of an answer
    events: tuple[str, ...] | None = None  # raw data of the events, instead of pieces
    reset: bool = False  # break the connection after the pieces
    stream: bool = True  # False answers with plain JSON
    model: str = "scripted-model"

    def of(self, index: int) -> "Reply":
        """What a choice is."""
        return self.each[index] if self.each else self

    def scores(self, *pieces: str) -> Any:
        """The log probabilities of pieces."""
        return self.logprobs(pieces) if callable(self.logprobs) else self.logprobs


class Paced:
    """A script that writes an answer piece by piece, each once the one before was taken."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces
        self._taken = threading.Semaphore(0)

    def __call__(self, body: dict[str, Any]) -> Reply:
        return Reply(pieces=self._one_by_one())

    def take(self, text: str | None) -> str | None:
        """Let the next piece be written, if this is one."""
        if text:
            self._taken.release()
        return text

    def _one_by_one(self) -> Iterator[str]:
        for piece in self.pieces:
            yield piece
            assert self._taken.acquire(timeout=60)


class Scripted:
    """The server; `requests`, `asked` and `cut` tell what it saw, and `listed` and `props` what it is."""

    def __init__(self, script: Callable[[dict[str, Any]], Reply] | list[Reply] | Reply) -> None:
        self.script = script
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.routes: list[str] = []
        self.cut = 0
        self.open = 0
        self.keep_alive = 75.0  # seconds for an idle connection
        self.runner: web.AppRunner | None = None
        self.url = ""
        self.listed: Any = [{"id": "scripted-model"}]
        self.list_wait = 0.0
        self.list_held: threading.Event | None = None
        self.props: Any = None
        self.asked: list[str] = []  # what it is

    @property
    def connected(self) -> int:
        """Connections that are open."""
        assert self.runner is not None
        assert self.runner.server is not None
        return len(self.runner.server.connections)

    def reply(self, body: dict[str, Any]) -> Reply:
        if callable(self.script):
            return self.script(body)
        if isinstance(self.script, Reply):
            return self.script
        return self.script[min(len(self.requests) - 1, len(self.script) - 1)]

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/completions", self.answer)
        app.router.add_post("/v1/chat/completions", self.answer)
        app.router.add_get("/v1/models", self.models)
        app.router.add_get("/props", self.tell_props)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.routes.append(request.path.removeprefix("/v1"))
        reply = self.reply(body)
        self.open += 1
        try:
            return await self._send(request, body, reply)
        except (asyncio.CancelledError, ConnectionError):
            self.cut += 1
            raise
        finally:
            self.open -= 1

    async def _send(self, request: web.Request, body: dict[str, Any], reply: Reply) -> web.StreamResponse:
        await asyncio.sleep(reply.wait)
        await _released(reply.held)
        if reply.body is not None:
            text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            kind = "text/html" if text.startswith("<") else "application/json"
            return web.Response(status=reply.status, text=text, content_type=kind, headers=reply.headers)
        chat = request.path.endswith("/chat/completions")
        choices = range(body.get("n", 1))
        if not reply.stream or not body.get("stream"):
            return web.json_response(self._plain(reply, chat, choices))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for index, data in self._events(reply, chat, choices):
            await _released(reply.held_choices.get(index))
            await response.write(f"data: {data}\n\n".encode())
            await asyncio.sleep(reply.between)
        if reply.reset:
            assert request.transport is not None
            request.transport.abort()
        return response

    def _events(self, reply: Reply, chat: bool, choices: range):
        """Data of the events, each with the choice it belongs to."""
        if reply.events is not None:
            yield from ((-1, data) for data in reply.events)
            return
        head = {**_HEAD, "model": reply.model}
        for index in choices:
            for part in self._parts(reply.of(index), chat):
                choice = {"index": index, "finish_reason": None, **part}
                yield index, json.dumps({**head, "choices": [choice]})
        if reply.usage is not None:
            yield -1, json.dumps({**head, "choices": [], "usage": _with_total(reply.usage)})
        yield -1, "[DONE]"

    def _parts(self, reply: Reply, chat: bool) -> Iterator[dict[str, Any]]:
        """The pieces of one choice."""
        if chat:
            yield {"delta": {"role": "assistant", "content": ""}}
        if reply.reasoning:
            yield {"delta": {"reasoning_content": reply.reasoning}}
        for piece in reply.pieces:
            part = {"delta": {"content": piece}} if chat else {"text": piece}
            yield {**part, "logprobs": reply.scores(piece)}
        for place, (name, arguments) in enumerate(reply.tool_calls):
            named = {"index": place, "id": f"call-{place}", "function": {"name": name, "arguments": ""}}
            yield {"delta": {"tool_calls": [named]}}
            for half in (arguments[:3], arguments[3:]):
                part = {"index": place, "function": {"arguments": half}}  # only the first has a name
                yield {"delta": {"tool_calls": [part]}}
        if reply.finish is not None:
            yield {"delta": {}, "text": "", "finish_reason": reply.finish}

    def _plain(self, reply: Reply, chat: bool, choices: range) -> dict[str, Any]:
        return {
            "id": "scripted",
            "object": "chat.completion" if chat else "text_completion",
            "created": 0,
            "model": reply.model,
            "choices": [{"index": index, **self._plain_choice(reply.of(index), chat)} for index in choices],
            "usage": reply.usage and _with_total(reply.usage),
        }

    def _plain_choice(self, reply: Reply, chat: bool) -> dict[str, Any]:
        pieces = tuple(reply.pieces)
        calls = [
            {"id": f"call-{place}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for place, (name, arguments) in enumerate(reply.tool_calls)
        ]
        message = {"role": "assistant", "content": "".join(pieces), **({"tool_calls": calls} if calls else {})}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        part = {"message": message} if chat else {"text": "".join(pieces)}
        return {"finish_reason": reply.finish, **part, "logprobs": reply.scores(*pieces)}

    async def models(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        await asyncio.sleep(self.list_wait)
        await _released(self.list_held)
        return web.json_response({"data": self.listed})

    async def tell_props(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(self.props or {"error": "not here"}, status=200 if self.props else 404)


_HEAD = {"id": "scripted", "object": "chat.completion.chunk", "created": 0}


async def _released(held: threading.Event | None) -> None:
    while held is not None and not held.is_set():
        await asyncio.sleep(0.001)


def _with_total(usage: dict[str, Any]) -> dict[str, Any]:
    return {**usage, "total_tokens": usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)}


def scripted_server(script: Callable[[dict[str, Any]], Reply] | list[Reply] | Reply):
    """Serve a script on a free loopback port until the end of the `with`."""
    return serve(Scripted(script))


@contextmanager
def serve(server: Scripted):
    """Serve on a free loopback port until the end of the `with`."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=1 << 24)
        server.add_routes(app)
        server.runner = runner = web.AppRunner(
            app,
            handler_cancellation=True,
            shutdown_timeout=0.1,
            access_log=None,
            keepalive_timeout=server.keep_alive,
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    def run() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        loop.call_soon(ready.set)
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
