"""OpenAIWorker: any server that speaks OpenAI's API."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp

from scaffolding_core.errors import (
    BackendTimeoutError,
    ClosedError,
    IncompleteResponseError,
    InvalidRequestError,
    ModelNotFoundError,
    WorkerError,
)
from scaffolding_core.messages import Usage
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.tasks import GenerationTask, StreamGenerationTask, Task
from scaffolding_core.worker import Capabilities, TaskHandler, Worker
from scaffolding_core.workers.http_errors import (
    error_from_answer,
    error_from_event,
    may_succeed_later,
    status_of_event,
)
from scaffolding_core.workers.http_stream import AttemptFailed, Gate, HttpStream, unreachable
from scaffolding_core.workers.limits import check_counts, check_seconds
from scaffolding_core.workers.model_list import ListedModels
from scaffolding_core.workers.openai_stream import OpenStream
from scaffolding_core.workers.openai_wire import Choice, read_chunk, read_usage, request_body, route
from scaffolding_core.workers.retry import backoff
from scaffolding_core.workers.sessions import Sessions
from scaffolding_core.workers.siblings import Siblings, TogetherRefused

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

    Attributes:
        context_window: tokens that one request may have, once the server has told.

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
        _check_address(base_url)
        check_counts(siblings=siblings, max_concurrency=max_concurrency, max_attempts=max_attempts)
        check_seconds(
            timeout=1 if timeout is None else timeout,
            connect_timeout=connect_timeout,
            first_byte_timeout=first_byte_timeout,
            idle_timeout=idle_timeout,
        )
        if isinstance(accepts, str):
            raise InvalidRequestError(f"accepts must be a list of names, not a text: write accepts=[{accepts!r}]")
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.context_window: int | None = None
        self._learned = False
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
            all_headers.setdefault("Authorization", f"Bearer {api_key.strip()}")  # files end in a newline
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

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # it grows
        """What is known of the model: as it was named, and what the server has told."""
        return ModelInfo(name=self.model, context_window=self.context_window)

    async def learn_model(self) -> None:
        """Ask the server for the model's name and context window, unless both are known or it was asked before.

        vLLM, SGLang and llama.cpp tell the window, several services too; trtllm-serve tells names alone.

        Cost: one small request; two to an older llama.cpp.

        Raises:
            WorkerError: the server does not answer, or lists no models.
        """
        if self._learned or self.model_info.is_complete:
            return
        listed = await self._listed_models()
        info = listed.info(self.model)
        if info.context_window is None and listed.by_llama_cpp:
            info = info.or_else(ModelInfo(context_window=await self._slot_window()))
        self.model, self.context_window, self._learned = info.name, info.context_window, info.name is not None

    async def served_models(self) -> list[str]:
        """The names of the models that the server lists.

        Raises:
            WorkerError: the server does not answer, or lists none.
        """
        return (await self._listed_models()).names

    async def _listed_models(self) -> ListedModels:
        try:
            return ListedModels(await self._get(f"{self.base_url}/models"))
        except (KeyError, TypeError, ValueError) as error:
            raise WorkerError(
                f"{self.base_url} does not list its models: correct the address, most end in /v1, "
                "or name a model with model="
            ) from error

    async def _slot_window(self) -> int | None:
        """The context window of each of llama.cpp's slots; None if it does not tell."""
        try:
            properties = await self._get(f"{self.base_url.removesuffix('/v1')}/props")
            window = properties["default_generation_settings"]["n_ctx"]
        except (KeyError, TypeError, ValueError, WorkerError):
            return None
        return window if isinstance(window, int) and window > 0 else None

    async def _get(self, url: str) -> Any:  # Any: whatever JSON holds
        try:
            session = await self._sessions.get()
            async with asyncio.timeout(30), session.get(url) as response:
                if response.status not in (200, 404, 405):
                    raise error_from_answer(response.status, await response.read(), url, self.model)
                return await response.json(content_type=None)
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise unreachable(self.base_url, error) from error

    async def _generate(self, task: GenerationTask) -> None:
        await self._counted(self._until_deadline(task, self._with_siblings(task)))

    async def _step(self, task: StreamGenerationTask) -> None:
        if task.request_handle is None:
            task.request_handle = OpenStream(self, task)
        handle = task.request_handle
        assert isinstance(handle, OpenStream)
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
            await self.learn_model()
        if self.model is None:
            raise ModelNotFoundError(f"{self.base_url} lists no model: name one with model=")
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

    async def _with_siblings(self, task: GenerationTask) -> None:
        task.usage = Usage()  # as long as nothing is sent
        body = await self._body(task)
        if task.group is None or self._siblings.most == 1 or task.seed is not None:
            await self._answer([task], body)
        else:
            await self._siblings.run(task, body, self._most_together(body))

    def _deadline(self, task: GenerationTask) -> float | None:
        """When a task that starts now has to be done, on the running loop's clock."""
        deadline = task.scope.deadline if task.scope is not None else None
        if self.timeout is None:
            return deadline
        own = asyncio.get_running_loop().time() + self.timeout
        return own if deadline is None else min(own, deadline)

    async def _until_deadline(self, task: GenerationTask, work: Any) -> None:  # Any: a coroutine of nothing
        deadline = self._deadline(task)
        if deadline is None:
            await work
            return
        try:
            async with asyncio.timeout_at(deadline):
                await work
        except TimeoutError as error:
            raise BackendTimeoutError(
                f"{self.base_url} did not answer before the deadline: allow more time, or ask for less",
                attempts=max(1, task.usage.calls) if task.usage is not None else 1,
            ) from error

    async def _answer(self, tasks: list[GenerationTask], body: dict[str, Any]) -> None:
        """Answer tasks of one body with one request, and try again where that makes sense."""
        deadline = self._deadline(tasks[0])
        paid = Usage()
        attempt = 0
        stale = False
        while True:
            attempt += 1
            choices = [Choice(task.scope) for task in tasks]
            self._choices.update({id(task): choice for task, choice in zip(tasks, choices, strict=True)})
            paid.calls += 1
            try:
                usage = await self._attempt(tasks[0], body, choices, paid)
                break
            except AttemptFailed as failed:
                if len(tasks) > 1 and _refuses_n(failed):
                    self._siblings.most = 1
                    raise TogetherRefused from failed.error
                if (
                    failed.stale and not stale and not self._closed
                ):  # the server had closed an idle connection: nothing was tried yet
                    stale, attempt, paid.calls = True, attempt - 1, paid.calls - 1
                else:
                    paid.lost_calls += failed.sent
                    await self._wait_before_next(failed, attempt, deadline, tasks, choices, paid)
                tasks = [task for task, choice in zip(tasks, choices, strict=True) if not choice.cut]
            except asyncio.CancelledError:
                self._cut(tasks, choices, paid)
                raise
            finally:
                for task in tasks:
                    self._choices.pop(id(task), None)
        _charge(tasks, choices, usage, paid)
        for task, choice in zip(tasks, choices, strict=True):
            if not choice.cut:
                choice.fill(task)

    def _cut(self, tasks: list[GenerationTask], choices: list[Choice], paid: Usage) -> None:
        """All that are left are cut."""
        _charge(tasks, choices, None, paid)
        for task, choice in zip(tasks, choices, strict=True):
            if not choice.cut:
                _keep_piece(task, choice)

    def _leave(self, task: GenerationTask) -> None:
        """A task is cut: keep what it wrote, and what that cost."""
        choice = self._choices.pop(id(task), None)
        if choice is not None:
            choice.cut = True
            _keep_piece(task, choice)
            task.usage = Usage(completion_tokens=choice.pieces)

    async def _attempt(
        self, task: GenerationTask, body: dict[str, Any], choices: list[Choice], paid: Usage
    ) -> Usage | None:
        wanted: list[Choice] = []

        def request() -> tuple[str, dict[str, Any]]:
            wanted.extend(choice for choice in choices if not choice.cut)  # while it waited
            return self.base_url + route(task), _for_samples(body, len(wanted))

        usage = None
        try:
            async with self._stream(request, self._gate(_for_samples(body, len(choices)))) as stream:
                while events := await stream.events():
                    for data in events:
                        chunk = self._read(data, wanted)
                        if chunk is not None and chunk.get("usage"):
                            usage = read_usage(chunk["usage"])
        except asyncio.CancelledError:
            paid.calls -= not wanted  # it was never sent
            paid.lost_calls += bool(wanted)
            raise
        for choice in wanted:
            if not choice.complete and not choice.cut:
                raise AttemptFailed(self._incomplete(choice), again=True)
        return usage

    def _stream(self, request: Callable[[], tuple[str, dict[str, Any]]], gate: Gate | None) -> HttpStream:
        return HttpStream(
            self._sessions,
            request,
            model=self.model,
            first_byte_timeout=self.first_byte_timeout,
            idle_timeout=self.idle_timeout,
            gate=gate,
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
        status = status_of_event(chunk)
        if status is not None:
            reported = error_from_event(status, chunk, self.base_url, self.model)
            raise AttemptFailed(reported, again=may_succeed_later(status))
        return chunk

    def _incomplete(self, choice: Choice) -> WorkerError:
        how = f"with {choice.finish_reason!r}" if choice.finish_reason else "without saying why"
        return IncompleteResponseError(f"the answer of {self.base_url} ended {how}: it is not whole")

    async def _wait_before_next(
        self,
        failed: AttemptFailed,
        attempt: int,
        deadline: float | None,
        tasks: list[GenerationTask],
        choices: list[Choice],
        paid: Usage,
    ) -> None:
        """Wait for the next attempt, or raise if there is none."""
        self._refuse_if_closed(tasks, choices, paid)
        shown = any(
            choice.pieces and task.scope is not None and task.scope.listening
            for task, choice in zip(tasks, choices, strict=True)
        )  # text that somebody has seen cannot be taken back
        # Jitter on top of what the server asks for, lest all whom it sent away come back at once.
        wait = failed.wait + backoff(attempt, self._random)
        late = deadline is not None and asyncio.get_running_loop().time() + wait >= deadline
        if attempt >= self.max_attempts or not failed.again or shown or math.isinf(wait) or late:
            failed.error.attempts = attempt
            _charge(tasks, choices, None, paid)
            raise failed.error from failed.__cause__
        try:
            await asyncio.sleep(wait)
        except asyncio.CancelledError:
            self._cut(tasks, choices, paid)
            raise
        self._refuse_if_closed(tasks, choices, paid)

    def _refuse_if_closed(self, tasks: list[GenerationTask], choices: list[Choice], paid: Usage) -> None:
        if self._closed:
            _charge(tasks, choices, None, paid)
            raise ClosedError(f"{self!r} was closed while the task ran")


def _keep_piece(task: GenerationTask, choice: Choice) -> None:
    choice.fill(task)
    task.finish_reason = "cancelled"


def _charge(tasks: list[GenerationTask], choices: list[Choice], usage: Usage | None, paid: Usage) -> None:
    """Share the cost of one request: each task pays what it wrote, the first that is left pays the rest.

    A task that was cut has paid already; what the server wrote for it since is in the rest.
    """
    left = []
    for task, choice in zip(tasks, choices, strict=True):
        if not choice.cut:
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
    if len(tasks) == 1:
        first.completion_tokens = usage.completion_tokens or first.completion_tokens
        return
    counted = sum(task.usage.completion_tokens for task in tasks if task.usage is not None)
    first.completion_tokens += max(0, usage.completion_tokens - counted)  # llama.cpp counts one sibling only


def _for_samples(body: dict[str, Any], count: int) -> dict[str, Any]:
    return {**body, "n": count} if count > 1 else body


def _refuses_n(failed: AttemptFailed) -> bool:
    words = str(failed.error).lower()
    return not failed.again and any(hint in words for hint in (" n ", "'n'", '"n"', "n_cmpl", "slots"))


def _check_address(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise InvalidRequestError(f"base_url must be like http://localhost:8000/v1, got {base_url!r}")
