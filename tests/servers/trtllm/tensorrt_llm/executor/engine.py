"""The engine: one token of each running sequence at a time, in a thread, as long as its process lives."""

import asyncio
import contextlib
import math
import queue
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tensorrt_llm.executor import Logprob, RequestError
from tensorrt_llm.sampling_params import SamplingParams
from tensorrt_llm.tokenizer import Tokenizer
from tensorrt_llm.writer import Writer

BLOCK = 16
"""Tokens of a prompt that are kept for reuse together."""


class ResponseQueue:
    """Bound to the event loop that runs where it is made, if one does."""

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._async: asyncio.Queue[Any] = asyncio.Queue()
        self._sync: queue.Queue[Any] = queue.Queue()

    def put(self, item: Any) -> None:
        if self._loop is None:
            self._sync.put(item)
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._async.put_nowait, item)

    def get(self) -> Any:
        return self._sync.get()

    async def aget(self) -> Any:
        assert self._loop is not None, (
            "The asyncio event loop was not present during initialization, so async operations are not available."
        )
        return await self._async.get()


@dataclass
class Sequence:
    index: int
    pending: list[int]
    written: list[int] = field(default_factory=list)
    finish: str | None = None
    reported: int = 0


@dataclass
class Response:
    """What one sequence of a request has gained."""

    index: int = 0
    tokens: list[int] = field(default_factory=list)
    logprobs: list[Any] | None = None
    finish: str | None = None
    is_final: bool = False
    cached_tokens: int = 0
    context_logits: Any = None
    metrics: dict[str, float] | None = None
    error: str | None = None


@dataclass
class Request:
    id: int
    prompt: list[int]
    params: SamplingParams
    streaming: bool
    extras: dict[str, Any]
    responses: ResponseQueue
    sequences: list[Sequence] = field(default_factory=list)
    cached: int = 0
    aborted: bool = False
    arrived: float = field(default_factory=time.monotonic)


class Engine:
    """Runs requests; what tests may do with it beside.

    Attributes:
        requests: all that were submitted.
        refusal: what each further request fails with; None for none.
        error: what the next response fails with, and all that follows with the engine's end.
        held: tokens that are still let; None for all.
        plain_logprobs: log probabilities are numbers alone.
    """

    def __init__(self, tokenizer: Tokenizer, writer: Writer, args: Any) -> None:
        self.requests: list[Request] = []
        self.refusal: str | None = None
        self.error: BaseException | None = None
        self.plain_logprobs = False
        self.is_shutdown = False
        self._tokenizer, self._writer, self._args = tokenizer, writer, args
        self._running: list[Request] = []
        self.held: int | None = None
        self._kept: set[tuple[Any, ...]] = set()
        self._changed = threading.Condition()
        self._process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self._thread = threading.Thread(target=self._run, daemon=True, name="engine")
        self._thread.start()

    # What tests do.

    def hold(self, tokens: int = 0) -> None:
        """Write so many tokens more for each sequence, and then none."""
        with self._changed:
            self.held = tokens
            self._changed.notify_all()

    def go_on(self) -> None:
        with self._changed:
            self.held = None
            self._changed.notify_all()

    def kill(self) -> None:
        """End the engine's process: whoever waits is never answered."""
        self._process.kill()
        self._process.wait()

    def break_down(self, error: BaseException) -> None:
        """End with an error, which one of those that wait is told."""
        with self._changed:
            self.error = error
            self._running[0].responses.put(Response())
            self.kill()

    def wait_for(self, condition: Any) -> None:
        """Wait until something holds of the engine."""
        with self._changed:
            assert self._changed.wait_for(condition, 60)

    @property
    def running(self) -> int:
        return len(self._running)

    # What the LLM does.

    def submit(
        self, prompt: list[int], params: SamplingParams, streaming: bool, extras: dict[str, Any]
    ) -> Request:
        with self._changed:
            request = Request(len(self.requests) + 1, prompt, params, streaming, extras, ResponseQueue())
            self.requests.append(request)
            if self.refusal is not None:
                request.responses.put(Response(error=self.refusal))
                return request
            text = self._tokenizer.decode(prompt, skip_special_tokens=True)
            for index in range(params.best_of or 1):
                written = self._tokenizer.encode(self._writer.write(text, params, index), add_special_tokens=False)
                request.sequences.append(Sequence(index, written))
            request.cached = self._reuse(prompt, extras.get("cache_salt"))
            self._running.append(request)
            self._changed.notify_all()
            return request

    def abort(self, request: Request) -> None:
        with self._changed:
            request.aborted = True
            self._changed.notify_all()

    def check(self, error: str | None) -> None:
        """Raise what a response reports, or what the engine has ended with."""
        if error is not None:
            raise RequestError(error)
        if self.error is not None:
            error, self.error = self.error, None
            self.shutdown()
            raise error

    def shutdown(self) -> None:
        with self._changed:
            self.is_shutdown = True
            self._changed.notify_all()
        self._process.stdin.close()
        self._process.wait()

    # Its thread.

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.is_shutdown or self._has_work())
                if self.is_shutdown or self._process.poll() is not None:
                    return
                cut = [request for request in self._running if request.aborted]
                if self.held and not cut:
                    self.held -= 1
                for request in cut or list(self._running):
                    self._step(request)
                self._changed.notify_all()

    def _has_work(self) -> bool:
        return any(request.aborted for request in self._running) or bool(self._running and self.held != 0)

    def _step(self, request: Request) -> None:
        for sequence in request.sequences:
            if sequence.finish is None:
                self._write(request, sequence)

    def _write(self, request: Request, sequence: Sequence) -> None:
        params, room = request.params, (self._args.max_seq_len or 4096) - len(request.prompt)
        most = room if params.max_tokens is None else min(params.max_tokens, room)
        if request.aborted:
            sequence.finish = "cancelled"
        elif sequence.pending:
            sequence.written.append(sequence.pending.pop(0))
        elif params.ignore_eos:
            sequence.written.append(self._tokenizer.encode("x", add_special_tokens=False)[0])
        else:
            sequence.finish = "stop"
        if sequence.finish is None and sequence.written[-1] in (params.stop_token_ids or ()):
            sequence.finish = "stop"
        if sequence.finish is None and len(sequence.written) >= most:
            sequence.finish = "length"
        if request.streaming or sequence.finish is not None:
            self._report(request, sequence)

    def _report(self, request: Request, sequence: Sequence) -> None:
        over = all(each.finish is not None for each in request.sequences)
        news = sequence.written[sequence.reported :]
        sequence.reported = len(sequence.written)
        response = Response(
            sequence.index, news, self._logprobs(request, news), sequence.finish, over, request.cached
        )
        if over:
            self._running.remove(request)
            if request.params.return_context_logits:
                response.context_logits = [[0.0, float(token)] for token in request.prompt]
            if request.params.return_perf_metrics or self._args.return_perf_metrics:
                response.metrics = {"ttft": 0.25, "e2e": time.monotonic() - request.arrived + 0.25}
        request.responses.put(response)

    def _logprobs(self, request: Request, tokens: list[int]) -> list[Any] | None:
        """The likeliest of each place; the token itself comes last, beyond them."""
        most = request.params.logprobs
        if not most:
            return None
        if self.plain_logprobs:
            return [-0.5] * len(tokens)
        places = []
        for token in tokens:
            others = [other for other in range(3, 4 + most) if other != token][:most]
            place = {other: Logprob(math.log(0.5**rank), rank) for rank, other in enumerate(others, 1)}
            places.append({**place, token: Logprob(math.log(0.5 ** (most + 1)), most + 1)})
        return places

    def _reuse(self, prompt: list[int], salt: object) -> int:
        """How many tokens of a prompt are kept already; from now on all of its whole blocks are."""
        blocks = [(salt, *prompt[:end]) for end in range(BLOCK, len(prompt) + 1, BLOCK)]
        known = sum(block in self._kept for block in blocks)
        self._kept.update(blocks)
        return known * BLOCK
