"""OpenAIWorker: any server that speaks OpenAI's API."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from scaffolding_core.errors import (
    BackendTimeoutError,
    BackendUnavailableError,
    ClosedError,
    IncompleteResponseError,
    InvalidRequestError,
    ModelNotFoundError,
    WorkerError,
)
from scaffolding_core.task import Delta, GenerationTask, StreamGenerationTask, Task
from scaffolding_core.usage import Usage
from scaffolding_core.worker import Capabilities, TaskHandler, Worker
from scaffolding_core.workers.http_errors import error_from_event
from scaffolding_core.workers.http_stream import AttemptFailed, Gate, HttpStream
from scaffolding_core.workers.openai_wire import Choice, read_chunk, read_usage, request_body, route
from scaffolding_core.workers.retry import backoff
from scaffolding_core.workers.sessions import Sessions
from scaffolding_core.workers.siblings import Siblings

__all__ = ["OpenAIWorker"]


class OpenAIWorker(Worker):
    """Runs tasks on a server that speaks OpenAI's API: trtllm-serve, NIM, vLLM, SGLang, llama.cpp, ...

    A `GenerationTask` goes to `/completions`, a `ChatTask` to `/chat/completions`. Answers are always
    streamed on the wire, since several servers run a plain request to its end when its client goes; closing
    the stream is what aborts a cut sample. An answer counts only with a finish reason.

    Cost: one request for each task; siblings that start together share one, so their prompt is read once.

    Source: https://platform.openai.com/docs/api-reference/chat

    Args:
        base_url: such as `http://localhost:8000/v1`; or, as TensorRT-LLM's worker has it, an
            `openai.AsyncOpenAI` client, whose address and key are taken.
        model: its name; None takes the first that the server lists.
        api_key: sent as bearer token.
        headers: sent with every request.
        extra_body: sent with every request.
        accepts: sampling parameters beyond OpenAI's that the server takes, or their names on the wire by
            name; see `scaffolding_core.workers.parameters` for known servers.
        siblings: most samples in one request (`n`); 1 sends each alone.
        max_concurrency: tasks at once, over all event loops.
        max_attempts: attempts for each task, the first included.
        timeout: seconds for a task, over all attempts; the request's own deadline holds too.
        connect_timeout: seconds for one connection.
        first_byte_timeout: seconds until an answer begins; a busy server queues requests meanwhile.
        idle_timeout: seconds between two pieces of an answer.

    Raises:
        InvalidRequestError: an address that is none, or a number out of range.
    """

    def __init__(
        self,
        base_url: object,
        model: str | None = None,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra_body: Mapping[str, object] | None = None,
        accepts: Mapping[str, str] | Iterable[str] = (),
        siblings: int = 16,
        max_concurrency: int = 256,
        max_attempts: int = 3,
        timeout: float | None = None,
        connect_timeout: float = 5.0,
        first_byte_timeout: float = 600.0,
        idle_timeout: float = 120.0,
    ) -> None:
        if not isinstance(base_url, str):
            api_key = api_key or getattr(base_url, "api_key", None)
            base_url = str(getattr(base_url, "base_url", base_url))
        if not base_url.startswith(("http://", "https://")):
            raise InvalidRequestError(f"base_url must start with http:// or https://, got {base_url!r}")
        if max_attempts < 1 or siblings < 1:
            raise InvalidRequestError("max_attempts and siblings must be at least 1")
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.extra_body = dict(extra_body or {})
        self.accepts = dict(accepts) if isinstance(accepts, Mapping) else {name: name for name in accepts}
        self.max_concurrency = max_concurrency
        self.max_attempts = max_attempts
        self.timeout = timeout
        self.first_byte_timeout = first_byte_timeout
        self.idle_timeout = idle_timeout
        self._siblings = Siblings(self._answer, self._leave, siblings)
        self._choices: dict[int, Choice] = {}
        all_headers = dict(headers or {})
        if api_key:
            all_headers.setdefault("Authorization", f"Bearer {api_key}")
        self._sessions = Sessions(all_headers, connect_timeout)
        self._random = random.Random()
        self._running: dict[asyncio.AbstractEventLoop, int] = {}
        self._closed = False

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "_running": {}, "_choices": {}}  # what runs stays in its process

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, {self.model!r})"

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # siblings may turn out not to be taken
        """What such a server can do."""
        return Capabilities(
            logprobs=True, tools=True, streaming=True, siblings=self._siblings.most, token_prompts=True
        )

    async def release_loop(self) -> None:
        """Close the running loop's connections, unless they are in use."""
        if not self._running.get(asyncio.get_running_loop()):
            await self._sessions.close_here()

    async def async_shutdown(self) -> None:
        """Close the worker and all its connections."""
        self._closed = True
        await self._sessions.close_all()

    def shutdown(self) -> None:
        """Close the worker and all its connections, from a thread without a running loop."""
        self._closed = True
        self._sessions.close_elsewhere()

    async def served_models(self) -> list[str]:
        """The names of the models that the server lists.

        Raises:
            WorkerError: the server does not answer, or lists none.
        """
        try:
            session = await self._sessions.get()
            async with asyncio.timeout(30), session.get(f"{self.base_url}/models") as response:
                listed = await response.json(content_type=None)
            return [str(model["id"]) for model in listed["data"]]
        except (KeyError, TypeError, ValueError) as error:
            raise WorkerError(f"{self.base_url} does not list its models: name one with model=") from error
        except (TimeoutError, OSError) as error:
            raise _unreachable(self.base_url, error) from error

    async def _generate(self, task: GenerationTask) -> None:
        body = await self._body(task)
        await self._counted(self._with_siblings(task, body))

    async def _step(self, task: StreamGenerationTask) -> None:
        if task.request_handle is None:
            body = await self._body(task)
            task.request_handle = _OpenStream(self, task, body)
        handle = task.request_handle
        assert isinstance(handle, _OpenStream)
        if task.cancel_flag:
            await handle.aclose()
        else:
            await self._counted(self._until_deadline(task, handle.read(task.streaming_step)))

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        GenerationTask: _generate,
        StreamGenerationTask: _step,
    }

    async def _body(self, task: GenerationTask) -> dict[str, Any]:
        if self._closed:
            raise ClosedError(f"{self!r} is closed: make a new one")
        body = request_body(task, self.accepts, type(self).__name__)
        if self.model is None:
            models = await self.served_models()
            if not models:
                raise ModelNotFoundError(f"{self.base_url} lists no model: name one with model=")
            self.model = models[0]
        return {"model": self.model, **body, **self.extra_body}

    async def _counted(self, work: Any) -> None:  # Any: a coroutine of nothing
        loop = asyncio.get_running_loop()
        self._running[loop] = self._running.get(loop, 0) + 1
        try:
            await work
        finally:
            self._running[loop] -= 1
            if not self._running[loop]:
                del self._running[loop]

    async def _with_siblings(self, task: GenerationTask, body: dict[str, Any]) -> None:
        if task.group is None or self._siblings.most == 1 or task.seed is not None:
            await self._until_deadline(task, self._answer([task], body))
        else:
            await self._until_deadline(task, self._siblings.run(task, body, self._most_together(body)))

    async def _until_deadline(self, task: GenerationTask, work: Any) -> None:  # Any: a coroutine of nothing
        deadline = task.scope.deadline if task.scope is not None else None
        if self.timeout is not None:
            own = asyncio.get_running_loop().time() + self.timeout
            deadline = own if deadline is None else min(own, deadline)
        try:
            async with asyncio.timeout_at(deadline):
                await work
        except TimeoutError as error:
            raise BackendTimeoutError(
                f"{self.base_url} did not answer before the deadline: allow more time, or ask for less"
            ) from error

    async def _answer(self, tasks: list[GenerationTask], body: dict[str, Any]) -> None:
        """Answer tasks of one body with one request, and try again where that makes sense."""
        paid = Usage()
        attempt = 0
        stale = False
        while True:
            if self._closed:
                raise ClosedError(f"{self!r} was closed while the task ran")
            attempt += 1
            choices = [Choice(_emitter(task)) for task in tasks]
            self._choices.update({id(task): choice for task, choice in zip(tasks, choices, strict=True)})
            paid.calls += 1
            try:
                usage = await self._attempt(tasks, body, choices)
                break
            except AttemptFailed as failed:
                if len(tasks) > 1 and _refuses_n(failed):
                    self._siblings.most = 1
                    await asyncio.gather(*(self._answer([task], body) for task in tasks))
                    return
                if failed.stale and not stale:
                    stale, attempt, paid.calls = True, attempt - 1, paid.calls - 1
                    continue  # the server had closed an idle connection: nothing was tried yet
                paid.lost_calls += failed.sent
                await self._wait_before_next(failed, attempt, tasks, choices, paid)
            except asyncio.CancelledError:
                paid.lost_calls += 1
                _charge(tasks, choices, None, paid)
                for task in tasks:
                    self._leave(task)
                raise
            finally:
                for task in tasks:
                    self._choices.pop(id(task), None)
        _charge(tasks, choices, usage, paid)
        for task, choice in zip(tasks, choices, strict=True):
            if task.finish_reason != "cancelled":
                choice.fill(task)

    def _leave(self, task: GenerationTask) -> None:
        """A task is cut: keep what it wrote, and what that cost."""
        choice = self._choices.get(id(task))
        if choice is None or task.finish_reason == "cancelled":
            return
        choice.fill(task)
        task.finish_reason = "cancelled"
        task.usage = task.usage or Usage(completion_tokens=choice.pieces)

    async def _attempt(
        self, tasks: list[GenerationTask], body: dict[str, Any], choices: list[Choice]
    ) -> Usage | None:
        if len(tasks) > 1:
            body = {**body, "n": len(tasks)}
        usage = None
        async with self._stream(tasks[0], body) as stream:
            while events := await stream.events():
                for data in events:
                    chunk = self._read(data, choices)
                    if chunk is not None and chunk.get("usage"):
                        usage = read_usage(chunk["usage"])
        for choice in choices:
            if not choice.complete:
                raise AttemptFailed(self._incomplete(choice), again=True)
        return usage

    def _stream(self, task: GenerationTask, body: dict[str, Any]) -> HttpStream:
        return HttpStream(
            self._sessions,
            lambda: self.base_url + route(task),
            body,
            model=self.model,
            first_byte_timeout=self.first_byte_timeout,
            idle_timeout=self.idle_timeout,
            gate=self._gate(body),
        )

    def _gate(self, body: dict[str, Any]) -> Gate | None:
        """What a request waits for before it is sent."""
        return None

    def _most_together(self, body: dict[str, Any]) -> int:
        """How many siblings one request may answer."""
        return self._siblings.most

    def _read(self, data: bytes, choices: list[Choice]) -> dict[str, Any] | None:
        if data == b"[DONE]":  # proves nothing, and some servers never send it
            return None
        try:
            chunk = read_chunk(data, choices)
        except WorkerError as error:
            raise AttemptFailed(error, again=True) from error
        if chunk.get("error"):
            raise AttemptFailed(error_from_event(chunk, self.base_url, self.model), again=True)
        return chunk

    def _incomplete(self, choice: Choice) -> WorkerError:
        how = f"with {choice.finish_reason!r}" if choice.finish_reason else "without saying why"
        return IncompleteResponseError(f"the answer of {self.base_url} ended {how}: it is not whole")

    async def _wait_before_next(
        self,
        failed: AttemptFailed,
        attempt: int,
        tasks: list[GenerationTask],
        choices: list[Choice],
        paid: Usage,
    ) -> None:
        """Wait for the next attempt, or raise if there is none."""
        shown = any(
            choice.pieces and task.scope is not None and task.scope.listening
            for task, choice in zip(tasks, choices, strict=True)
        )  # text that somebody has seen cannot be taken back
        wait = failed.wait if failed.wait is not None else backoff(attempt, self._random)
        if attempt >= self.max_attempts or not failed.again or shown or math.isinf(wait):
            failed.error.attempts = attempt
            _charge(tasks, choices, None, paid)
            raise failed.error from failed.__cause__
        await asyncio.sleep(wait)


class _OpenStream:
    """The stream of a `StreamGenerationTask`, open between its steps."""

    def __init__(self, worker: OpenAIWorker, task: StreamGenerationTask, body: dict[str, Any]) -> None:
        self._worker = worker
        self._task = task
        self._choice = Choice(_emitter(task))
        self._stream = worker._stream(task, body)
        self._begun = False
        self._usage: Usage | None = None

    async def read(self, step: int) -> None:
        """Read on until there are `step` more pieces, or no more."""
        try:
            await self._read(self._choice.pieces + step)
        except AttemptFailed as failed:
            self._charge(lost=1)
            raise failed.error from failed.__cause__
        except asyncio.CancelledError:
            self._charge(lost=1)
            self._stream.close()
            raise
        self._choice.fill(self._task)
        self._charge(lost=0 if self._task.end_flag else 1)

    async def aclose(self) -> None:
        """Abort at the server."""
        if not self._task.end_flag:
            self._stream.close()
            self._choice.fill(self._task)
            self._task.finish_reason = self._task.finish_reason or "cancelled"
            self._task.end_flag = True

    async def _read(self, target: int) -> None:
        if not self._begun:
            self._begun = True
            await self._stream.__aenter__()
        while self._choice.pieces < target:
            events = await self._stream.events()
            if not events:
                self._end()
                return
            for data in events:
                chunk = self._worker._read(data, [self._choice])
                if chunk is not None and chunk.get("usage"):
                    self._usage = read_usage(chunk["usage"])

    def _end(self) -> None:
        self._stream.close()
        if not self._choice.complete:
            raise AttemptFailed(self._worker._incomplete(self._choice), again=False)
        self._task.end_flag = True

    def _charge(self, lost: int) -> None:
        usage = self._usage or Usage(completion_tokens=self._choice.pieces)
        usage.calls, usage.lost_calls = 1, lost if self._usage is None else 0
        self._task.usage = usage


def _emitter(task: GenerationTask) -> Any:  # Any: a bound method, or None
    scope = task.scope

    def emit(delta: Delta) -> None:
        if scope is not None and scope.listening:
            scope.emit(delta)

    return emit if scope is not None else None


def _charge(tasks: list[GenerationTask], choices: list[Choice], usage: Usage | None, paid: Usage) -> None:
    """Share the cost of one request: each task pays what it wrote, the first that is left pays the rest.

    A task that was cut has paid already; what the server wrote for it since is in the rest.
    """
    left = []
    for task, choice in zip(tasks, choices, strict=True):
        if task.finish_reason != "cancelled":
            task.usage = Usage(completion_tokens=choice.pieces)
            left.append(task.usage)
    if not left:
        return
    first = left[0]
    first.calls, first.lost_calls = paid.calls, paid.lost_calls
    if usage is None:
        return
    first.prompt_tokens, first.cached_tokens = usage.prompt_tokens, usage.cached_tokens
    first.reasoning_tokens = usage.reasoning_tokens
    counted = sum(task.usage.completion_tokens for task in tasks if task.usage is not None)
    first.completion_tokens += max(0, usage.completion_tokens - counted)  # llama.cpp counts one sibling only


def _refuses_n(failed: AttemptFailed) -> bool:
    words = str(failed.error).lower()
    return not failed.again and any(hint in words for hint in (" n ", "'n'", '"n"', "n_cmpl", "slots"))


def _unreachable(base_url: str, error: BaseException) -> WorkerError:
    return BackendUnavailableError(f"no server answers at {base_url}: start it, or correct the address ({error})")
