"""A scripted server that speaks the wires of other providers, too.

Its script sees each request as chat completions would put it, and its replies go out on the wire that asked.
"""

from functools import partial
from types import ModuleType

from aiohttp import web

from tests.servers.scripted import Scripted
from tests.servers.wires import anthropic, ollama, responses

WIRES = {"/v1/responses": responses, "/v1/messages": anthropic, "/api/chat": ollama}


class Speaking(Scripted):
    """The server; `url` is its OpenAI address, `root` that of the others."""

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def add_routes(self, app: web.Application) -> None:
        super().add_routes(app)
        for path, wire in WIRES.items():
            app.router.add_post(path, partial(self.answer_on, wire))

    async def answer_on(self, wire: ModuleType, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.routes.append(request.path)
        reply = self.reply(wire.as_chat(body))
        if not body.get("stream"):
            return web.json_response(wire.plain(reply, body))
        response = web.StreamResponse(headers={"content-type": wire.CONTENT_TYPE})
        await response.prepare(request)
        for text in wire.streamed(reply, body):
            await response.write(text.encode())
        return response


class SpeakingOnce(Speaking):
    """The same, whose connections serve one request each: many clients keep theirs beyond the loop of a test."""

    def add_routes(self, app: web.Application) -> None:
        super().add_routes(app)
        app.on_response_prepare.append(_close_after)


async def _close_after(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["connection"] = "close"
    response.force_close()
