"""OpenaiWorker and TRTOpenaiWorker: a server, through the OpenAI client that a program has made."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from typing import Any, ClassVar

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.task import ChatTask, DropKVCacheTask, GenerationTask, TaskStatus, TokenizeTask
from scaffolding_core.tensorrt_llm.workers import control_plane
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.tensorrt_llm.workers.client_call import ClientCall
from scaffolding_core.worker import TaskHandler
from scaffolding_core.workers.openai.wire import request_body
from scaffolding_core.workers.parameters import TRTLLM_PARAMETERS

__all__ = ["OpenaiWorker", "TRTOpenaiWorker"]

# Any: whatever JSON holds.
Params = dict[str, Any]


class OpenaiWorker(Worker):
    """Runs tasks through an `openai.AsyncOpenAI` client, with all that the program has set on it.

    A completion is streamed, and so is a chat that somebody wants to see as it is written. The client's own
    retries and timeouts hold. `OpenAIWorker` of the core needs no client, sends siblings in one request and costs
    a fraction of the CPU time.

    Args:
        async_client: the client.
        model: its name at the server.
        kv_cache_hint_enabled: whether a `DropKVCacheTask` is sent to trtllm-serve; else it does nothing.
        extra_body: sent with every request.

    Raises:
        InvalidRequestError: an address in place of the client.
    """

    capabilities = Capabilities(logprobs=True, tools=True, streaming=True, token_prompts=True)
    accepts: ClassVar[Mapping[str, str]] = {name: name for name in ("ignore_eos", "min_tokens")}
    """Parameters beyond OpenAI's that are sent, and their names on the wire."""

    # Programs' own handlers read what a worker would set where a task does not: nothing.
    max_tokens: ClassVar[int | None] = None
    temperature: ClassVar[float | None] = None
    top_p: ClassVar[float | None] = None

    def __init__(
        self,
        async_client: Any,  # Any: the client's package is not needed to import this one
        model: str,
        kv_cache_hint_enabled: bool = False,
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(async_client, str):
            raise InvalidRequestError(
                f"{type(self).__name__} takes an openai.AsyncOpenAI client; for the address {async_client!r} make "
                "one, or use scaffolding_core.OpenAIWorker"
            )
        self.async_client = async_client
        self.model = model
        self.kv_cache_hint_enabled = kv_cache_hint_enabled
        self.extra_body = copy.deepcopy(dict(extra_body or {}))
        control_plane.add_kv_cache_hint(async_client)

    def convert_task_params(self, task: GenerationTask) -> Params:
        """What the client is called with, but for messages and tools; a subclass may change it.

        Raises:
            UnsupportedParameterError: a parameter is set that would not be honoured.
        """
        beside = {**self.accepts, "n": "n", "best_of": "best_of"}
        body = request_body(task, beside, type(self).__name__)
        for name in ("stream", "stream_options", "messages", "tools"):
            body.pop(name, None)
        extra = {name: body.pop(name) for name in self.accepts.values() if name in body}
        params = {"model": self.model, **body, "extra_body": {**copy.deepcopy(self.extra_body), **extra}}
        if isinstance(task, ChatTask) and task.sub_request_markers:
            params["extra_body"]["agent_hierarchy"] = [task.sub_request_markers[-1]]
        if os.environ.get("SCAFFOLDING_DETERMINISTIC") == "1":
            params |= {"temperature": 0.0, "top_p": 1.0, "n": 1, "seed": params.get("seed", 42)}
        return params

    async def generation_handler(self, task: GenerationTask) -> TaskStatus:
        """Complete a prompt.

        Raises:
            WorkerError: the server does not answer, or not whole.
        """
        params = self.convert_task_params(task)
        call = ClientCall(self, task, params)
        await call.run(self.async_client.completions.create, streamed=True)
        return TaskStatus.SUCCESS

    async def chat_handler(self, task: ChatTask) -> TaskStatus:
        """Answer a chat.

        Raises:
            WorkerError: the server does not answer, or not whole.
        """
        params = self._chat_params(task)
        call = ClientCall(self, task, params)
        await call.run(self.async_client.chat.completions.create, streamed=task.streaming_output_flag)
        return TaskStatus.SUCCESS

    async def drop_kv_cache_handler(self, task: DropKVCacheTask) -> TaskStatus:
        """Let trtllm-serve forget a chat, if hints are enabled; a request goes on where it could not."""
        if not self.kv_cache_hint_enabled:
            return TaskStatus.SUCCESS
        return await control_plane.drop(self.async_client, task, self._chat_params(task.chat_task))

    async def tokenize_handler(self, task: TokenizeTask) -> TaskStatus:
        """Count a text's tokens at the server; a request goes on where nobody could tell."""
        return await control_plane.tokenize(self.async_client, self.model, task)

    async def send_kv_cache_truncate_tokens(
        self, prefixes: list[list[int]], num_tokens_to_keep: list[int], request_timeout_s: float = 60.0
    ) -> None:
        """Let trtllm-serve forget what follows the first tokens of prompts.

        Args:
            prefixes: the prompts, as token ids.
            num_tokens_to_keep: how many tokens of each.
            request_timeout_s: seconds.

        Raises:
            ValueError: lists of different lengths.
            RuntimeError: the server refuses.
        """
        await control_plane.truncate_tokens(
            self.async_client, self.model, prefixes, num_tokens_to_keep, request_timeout_s
        )

    def _chat_params(self, task: ChatTask) -> Params:
        params = {**self.convert_task_params(task), "messages": task.messages_to_dict_content()}
        return {**params, "tools": task.tools_to_dict()} if task.tools else params

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        GenerationTask: generation_handler,
        ChatTask: chat_handler,
        DropKVCacheTask: drop_kv_cache_handler,
        TokenizeTask: tokenize_handler,
    }


class TRTOpenaiWorker(OpenaiWorker):
    """An `OpenaiWorker` whose server is trtllm-serve: what that takes beyond OpenAI's parameters is sent, too."""

    accepts = TRTLLM_PARAMETERS
