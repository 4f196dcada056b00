"""OpenAIWorker: any server that speaks OpenAI's API."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import (
    BackendTimeoutError,
    ClosedError,
    ContentFilterError,
    InvalidRequestError,
    UnsupportedParameterError,
)
from scaffolding_core.messages import RoleMessage, Usage
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.tasks import ChatTask, GenerationTask, StreamChatTask, StreamGenerationTask, Task
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.greedy import is_greedy
from scaffolding_core.workers.http.endpoint import headers_with_key
from scaffolding_core.workers.http.stream import Gate
from scaffolding_core.workers.limits import AnswerLimits, check_counts, check_seconds, deadline_of
from scaffolding_core.workers.openai.attempts import Attempts
from scaffolding_core.workers.openai.exchange import Exchange
from scaffolding_core.workers.openai.hints import TRUNCATION, Hinting, chosen_hints
from scaffolding_core.workers.openai.known_servers import KNOWN_SERVERS, known_server
from scaffolding_core.workers.openai.kv_cache import leading_system_messages, truncate
from scaffolding_core.workers.openai.perf_metrics import PerfMetrics, perf_metrics
from scaffolding_core.workers.openai.prefill import Prefill, is_long
from scaffolding_core.workers.openai.prompt_logprobs import check_prompt_is_told
from scaffolding_core.workers.openai.running_chats import RunningChats
from scaffolding_core.workers.openai.server import OpenAIServer
from scaffolding_core.workers.openai.shared_prompt import SharedPrompts
from scaffolding_core.workers.openai.siblings import Siblings
from scaffolding_core.workers.openai.stream import OpenStream
from scaffolding_core.workers.openai.wire import request_body, route
from scaffolding_core.workers.stepping import step

__all__ = ["OpenAIWorker"]

_SHORT = 512
"""Tokens of an answer that may come whole."""


class OpenAIWorker(Worker):
    """Runs tasks on a server that speaks OpenAI's API: trtllm-serve, NIM, vLLM, SGLang, llama.cpp, ...

    A `GenerationTask` goes to `/completions`, a `ChatTask` to `/chat/completions`. Answers are streamed on the
    wire, since several servers run a plain request to its end when its client goes; closing the stream is what
    aborts a cut sample. A server that is known to do without, as vLLM, SGLang and trtllm-serve, is sent a plain
    request for a sample alone that is short (`max_tokens` of at most 512), if nobody listens and no budget of
    tokens runs. An answer counts only with a finish reason.

    Cost: one request for each task; siblings that start together share one, so their prompt is read once. Each is
    done with its own choice, and the request is closed when nobody waits for the rest.

    Source: https://platform.openai.com/docs/api-reference/chat

    Args:
        base_url: such as `http://localhost:8000/v1`; or, as TensorRT-LLM's worker has it, an
            `openai.AsyncOpenAI` client, whose address and key are taken. User, password and query are sent and
            not shown.
        model: its name; None takes the first that the server lists.
        api_key: sent as bearer token.
        headers: sent with every request.
        extra_body: sent with every request.
        accepts: sampling parameters beyond OpenAI's that the server takes, or their names on the wire by
            name; those of known servers, in `scaffolding_core.workers.parameters`, need not be named.
        server: what kind of server it is, where that is known: `vllm`, `sglang`, `dynamo` (NVIDIA's),
            `trtllm-serve` or `llama.cpp`; None learns it from what the server tells anyhow, and asks for its list
            of models where a parameter is set that not every server takes.
        siblings: most samples in one request (`n`); 1 sends each alone, None is 16.
        prefill_first: where siblings take several requests, the others wait until the first has shown a token,
            for 10 s at most, if their prompt has 1,024 characters or 256 tokens: then it is in the server's cache.
        hints: what a server is told besides what is asked, as far as it is known to take it: `priority` of the
            request, `agent_hierarchy` (its number, and its branches), `osl` (tokens of the answer at most),
            `speculative_prefill` (a tool's turn follows), `truncation` (with the end of a request, trtllm-serve
            drops its chats from the KV cache, but for the system messages that they begin with); True for all
            but the last. What was sent, and what not and why, is in the request's trace. What a server refuses
            it is not told again.
        max_concurrency: tasks at once, over all event loops.
        max_attempts: attempts for each task, the first included.
        timeout: seconds for a task, over all attempts; the request's own deadline holds too.
        connect_timeout: seconds for one connection.
        headers_timeout: seconds until a server begins to answer, over all attempts: its headers come at once from
            most servers, while llama.cpp's and some gateways send them with the first token. A server that says
            nothing for so long is not asked again.
        first_byte_timeout: seconds from there until the first token; a busy server queues requests meanwhile.
        idle_timeout: seconds between two pieces of an answer; what keeps a connection alive is no piece. A server
            that pauses longer is asked once more, for itself or the way to it may have been lost.
        max_answer_bytes: bytes of one answer at most, as they come: some 300 for each token, 2,000 with 20 log
            probabilities.

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
        server: str | None = None,
        siblings: int | None = None,
        prefill_first: bool = True,
        hints: bool | Iterable[str] = (),
        max_concurrency: int = 256,
        max_attempts: int = 3,
        timeout: float | None = None,
        connect_timeout: float = 5.0,
        headers_timeout: float = 60.0,
        first_byte_timeout: float = 600.0,
        idle_timeout: float = 20.0,
        max_answer_bytes: int = 64 << 20,
    ) -> None:
        if not isinstance(base_url, str):
            api_key = api_key or getattr(base_url, "api_key", None)
            base_url = str(getattr(base_url, "base_url", base_url))
        siblings = 16 if siblings is None else siblings
        check_counts(
            siblings=siblings,
            max_concurrency=max_concurrency,
            max_attempts=max_attempts,
            max_answer_bytes=max_answer_bytes,
        )
        check_seconds(
            timeout=1 if timeout is None else timeout,
            connect_timeout=connect_timeout,
            headers_timeout=headers_timeout,
            first_byte_timeout=first_byte_timeout,
            idle_timeout=idle_timeout,
        )
        if isinstance(accepts, str):
            raise InvalidRequestError(f"accepts must be a list of names, not a text: write accepts=[{accepts!r}]")
        all_headers = headers_with_key(headers, api_key)
        self._server = OpenAIServer(
            base_url,
            model,
            all_headers,
            kind=None if server is None else known_server(server),
            connect_timeout=connect_timeout,
            limits=AnswerLimits(headers_timeout, first_byte_timeout, idle_timeout, max_answer_bytes),
        )
        self._attempts = Attempts(self._server, max_attempts, self._gate)
        self._siblings = Siblings(self._attempts.answer, siblings, self._server)
        self._prompts = SharedPrompts()
        self.prefill_first = prefill_first
        self.hints = chosen_hints(hints)
        self._chats = RunningChats()
        self.extra_body = dict(extra_body or {})
        self.accepts = dict(accepts) if isinstance(accepts, Mapping) else {name: name for name in accepts}
        self.max_concurrency = max_concurrency
        self.timeout = timeout
        self.context_window: int | None = None
        self._learned = False
        self._running: dict[asyncio.AbstractEventLoop, int] = {}

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "_running": {}}  # what runs stays in its process

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, {self.model!r})"

    @property
    def base_url(self) -> str:
        """Address of the server, without user, password and query."""
        return self._server.base_url

    @base_url.setter
    def base_url(self, base_url: str) -> None:
        self._server.base_url = base_url

    @property
    def model(self) -> str | None:
        """Name of the model, once it is known."""
        return self._server.model

    @model.setter
    def model(self, model: str | None) -> None:
        self._server.model = model

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # siblings may turn out not to be taken
        """What such a server can do."""
        return Capabilities(
            logprobs=True, tools=True, streaming=True, siblings=self._siblings.most, token_prompts=True
        )

    @property
    def hears_of_ends(self) -> bool:  # type: ignore[override]  # only where it has something to do then
        """Whether something is to be done when a request ends: here, or in a subclass."""
        return TRUNCATION in self.hints or type(self).on_scope_end is not OpenAIWorker.on_scope_end

    async def on_scope_end(self, scope_id: str) -> None:
        """Have the chats of a request dropped from the KV cache, if that is among the hints."""
        await self._chats.end(scope_id, lambda messages, given: self.truncate_kv_cache(messages, parameters=given))

    async def release_loop(self) -> None:
        """Close the running loop's connections, unless they are in use."""
        if not self._running.get(asyncio.get_running_loop()):
            await self._server.release_loop()

    async def async_shutdown(self) -> None:
        """Close the worker and all its connections."""
        await self._server.aclose()

    def shutdown(self) -> None:
        """Close the worker and all its connections, from a thread without a running loop."""
        self._server.close()

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # it grows
        """What is known of the model: as it was named, and what the server has told."""
        return ModelInfo(name=self.model, context_window=self.context_window)

    async def learn_model(self) -> None:
        """Ask the server for the model's name and context window, unless both are known or it was asked before.

        All who ask share one question: tasks, event loops, threads, and workers with the same address and headers.
        vLLM, SGLang and llama.cpp tell the window, several services too; trtllm-serve tells names alone.

        Cost: one small request; two to an older llama.cpp.

        Raises:
            WorkerError: the server does not answer, or lists no models.
        """
        if self._learned or self.model_info.is_complete:
            return
        server, facts = self._server, self._server.facts
        listed = await facts.models.answer(server.listed_models)
        info = listed.info(self.model)
        if info.context_window is None and listed.server is KNOWN_SERVERS["llama.cpp"]:
            info = info.or_else(ModelInfo(context_window=await facts.slot_window.answer(server.slot_window)))
        self.model, self.context_window, self._learned = info.name, info.context_window, info.name is not None

    async def check_health(self) -> None:
        """Ask the server whether it is there: at `/health`, or for its models where it has none.

        Cost: one small request or two; no tokens.

        Raises:
            WorkerError: it does not answer, or refuses.
        """
        if not await self._server.is_healthy():
            await self._server.ask("/models")

    async def served_models(self) -> list[str]:
        """The names of the models that the server lists.

        Raises:
            WorkerError: the server does not answer, or lists none.
        """
        return (await self._server.listed_models()).names

    async def truncate_kv_cache(
        self,
        messages: Sequence[RoleMessage],
        messages_to_retain: Sequence[RoleMessage] | None = None,
        *,
        parameters: Mapping[str, object] | None = None,
    ) -> bool:
        """Let trtllm-serve drop a chat from its KV cache, all but its beginning.

        Cost: one small request; up to three the first time, since versions of trtllm-serve have it at other
        addresses, and none once the server is known to have it nowhere.

        Args:
            messages: the chat, as it was sent.
            messages_to_retain: its beginning that is kept; None keeps the system messages that it begins with.
            parameters: what else the chat's template was given: `tools`, `chat_template_kwargs`, ...

        Returns:
            Whether the server was told; False where it does not truncate.

        Raises:
            WorkerError: it refuses, or does not answer.
        """
        if self._server.closed:
            return False
        kept = leading_system_messages(messages) if messages_to_retain is None else messages_to_retain
        body = {
            "model": await self._model(),
            "messages": [message.to_dict() for message in messages],
            "messages_to_retain": [message.to_dict() for message in kept],
            **(parameters or {}),
        }
        return await truncate(self._server, body) is not None

    async def perf_metrics(self) -> list[PerfMetrics]:
        """What trtllm-serve has measured of the requests that have ended since it was asked last, by anybody.

        Empty unless it runs with `return_perf_metrics` and with `perf_metrics_max_requests` above 0.

        Cost: one small request, whose answer the server then forgets.

        Raises:
            WorkerError: the server tells none, or does not answer.
        """
        return await perf_metrics(self._server)

    async def _generate(self, task: GenerationTask) -> None:
        task.usage = Usage()  # as long as nothing is sent
        await self._bounded(task, self._answer(task))
        self._check_whole(task)

    async def _step(self, task: StreamGenerationTask) -> None:
        await step(task, lambda: self._bounded(task, self._read_on(task)))
        if task.end_flag and not task.cancel_flag:
            self._check_whole(task)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        GenerationTask: _generate,
        StreamGenerationTask: _step,
        StreamChatTask: _step,
    }

    async def _answer(self, task: GenerationTask) -> None:
        exchange, kind = await self._exchange(task), self._server.kind
        shares = task.group is not None and task.seed is None and task.best_of is None
        repeats = kind is None or kind.repeats_greedy or not is_greedy(exchange.body)
        together = min(self._siblings.most, self._most_together(exchange.body)) if shares and repeats else 1
        if together > 1:
            left = await self._siblings.answer(task, exchange, together)
            if left is None:
                return
            exchange = left
        member = exchange.join(task)
        try:
            await self._siblings.answer_alone(exchange)
        except asyncio.CancelledError:
            exchange.cut(member)
            raise
        except BaseException:
            exchange.leave(member)
            raise

    async def _read_on(self, task: StreamGenerationTask) -> None:
        if task.request_handle is None:
            task.request_handle = OpenStream(self._attempts, await self._exchange(task), task)
        assert isinstance(task.request_handle, OpenStream)
        await task.request_handle.read(task.streaming_step)

    def _check_whole(self, task: GenerationTask) -> None:
        """Raise if a part of the answer is missing: what is there is no whole answer, and paid."""
        if task.echo or task.prompt_logprobs is not None:
            check_prompt_is_told(task, self.base_url)
        if task.finish_reason == "content_filter":
            raise ContentFilterError(
                f"the content filter of {self.base_url} withheld the answer: ask in other words, or another model"
            )

    async def _exchange(self, task: GenerationTask) -> Exchange:
        """What a task that starts now asks for."""
        body = await self._body(task)
        if self.hints and self._server.kind is None:
            await self._server.is_recognised()
        kind, prompt = self._server.kind, self._prompts.of(task.group)
        waits = task.group is not None and self._waits_for_prompt(body)
        hinting = Hinting(task, self.hints, body, kind, self._server.facts.refuses) if self.hints else None
        if TRUNCATION in self.hints and isinstance(task, ChatTask):
            self._chats.add(task)
        return Exchange(
            route(task),
            body,
            self._deadline(task),
            prompt,
            waits_for_prompt=waits,
            plain=(prompt.is_read or not waits)
            and kind is not None
            and kind.drops_plain
            and _may_come_whole(task, body),
            counts_along=kind is not None and kind.counts_along,
            hinting=hinting,
        )

    async def _body(self, task: GenerationTask) -> dict[str, Any]:  # Any: whatever JSON holds
        if self._server.closed:
            raise ClosedError(f"{self!r} is closed: make a new one")
        asks_its_own_way = task.num_logprobs == 0 or (task.answer_prefix and isinstance(task, ChatTask))
        if asks_its_own_way and self._server.kind is None:
            await self._server.is_recognised()  # servers differ in how they are told so
        try:
            body = self._request_body(task)
        except UnsupportedParameterError:
            if self._server.kind is not None or not await self._server.is_recognised():
                raise
            body = self._request_body(task)
        return {"model": await self._model(), **body, **self.extra_body}

    def _request_body(self, task: GenerationTask) -> dict[str, Any]:
        return request_body(task, self.accepts, type(self).__name__, self._server.kind)

    async def _model(self) -> str | None:
        if self.model is None:
            await self.learn_model()
        return self.model

    def _waits_for_prompt(self, body: dict[str, Any]) -> bool:
        """Whether a prompt is worth waiting for while it is read for another sample."""
        kind = self._server.kind
        return self.prefill_first and (kind is None or kind.shares_prompts) and is_long(body)

    def _gate(self, exchange: Exchange) -> Gate | None:
        """What an exchange waits for before it is sent."""
        return Prefill(exchange.prompt) if exchange.waits_for_prompt else None

    def _most_together(self, body: dict[str, Any]) -> int:
        """How many siblings fit into one request."""
        return self._siblings.most

    def _deadline(self, task: GenerationTask) -> float | None:
        """When a task that starts now has to be done, on the running loop's clock."""
        return deadline_of(task, self.timeout)

    async def _bounded(self, task: GenerationTask, work: Coroutine[Any, Any, None]) -> None:
        """Do what a task asks for, before its deadline."""
        loop = asyncio.get_running_loop()
        self._running[loop] = self._running.get(loop, 0) + 1
        try:
            deadline = self._deadline(task)
            if deadline is None:
                await work
                return
            async with asyncio.timeout_at(deadline):
                await work
        except TimeoutError as error:
            raise BackendTimeoutError(
                f"{self.base_url} did not answer before the deadline: allow more time, or ask for less",
                attempts=max(1, task.usage.calls) if task.usage is not None else 1,
            ) from error
        finally:
            self._running[loop] -= 1
            if not self._running[loop]:
                del self._running[loop]


def _may_come_whole(task: GenerationTask, body: dict[str, Any]) -> bool:
    """Whether nobody needs an answer before its end, which is soon."""
    scope, most = task.scope, body.get("max_tokens")
    nobody = scope is None or not (scope.listening or getattr(scope, "counts_tokens", True))
    return nobody and not task.goes_on and isinstance(most, int) and most <= _SHORT
