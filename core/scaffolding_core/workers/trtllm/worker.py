"""TRTLLMWorker: a `tensorrt_llm.LLM` in this process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import (
    BackendTimeoutError,
    ClosedError,
    InvalidRequestError,
)
from scaffolding_core.messages import Usage
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.tasks import GenerationTask, StreamChatTask, StreamGenerationTask, Task
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.limits import check_counts, check_seconds, deadline_of
from scaffolding_core.workers.stepping import step
from scaffolding_core.workers.trtllm.asking import Asking
from scaffolding_core.workers.trtllm.call import Call
from scaffolding_core.workers.trtllm.choice import Reading
from scaffolding_core.workers.trtllm.engine import Engine
from scaffolding_core.workers.trtllm.gathering import Gathering
from scaffolding_core.workers.trtllm.llm_api import Llm, Tokenizer
from scaffolding_core.workers.trtllm.parsers import Parsers
from scaffolding_core.workers.trtllm.processes import child_processes
from scaffolding_core.workers.trtllm.starting import new_llm
from scaffolding_core.workers.trtllm.stream import OpenStream

__all__ = ["TRTLLMWorker"]


class TRTLLMWorker(Worker):
    """Runs tasks on a `tensorrt_llm.LLM` in this process, on any event loop and thread.

    A chat is written with the model's own template. Samples of one prompt that start together share one call
    (`n=k`), unless each is to be shown as it is written, or has stops, which TensorRT-LLM keeps apart only so.
    A sample that is cut is aborted at the engine. The text of an answer that may have calls is heard at its end.

    Where a task sets none, temperature and top_p are 1 and the answer may be as long as the context allows, as
    trtllm-serve has it; each call that samples has a seed of its own.

    Results beyond a task's own fields stand in `customized_result_fields`: `stop_reason`, `generation_logits`, and
    `perf_metrics` (seconds) where the LLM was made with `return_perf_metrics=True`: of a shared call, its last
    answer has them.

    Cost: one call for each task or group of siblings; tokens are made and taken apart in a thread.

    Source: https://nvidia.github.io/TensorRT-LLM/llm-api/

    Args:
        llm: a `tensorrt_llm.LLM`; it stays its owner's, who shuts it down after the worker.
        tokenizer: of the model, as Hugging Face has it; None takes the LLM's own.
        reasoning_parser: name of TensorRT-LLM's parser of thoughts; None takes that which the LLM was made with.
        tool_parser: name of trtllm-serve's parser of tool calls, such as `qwen3`; without one there are no tools.
        siblings: most samples in one call; 1 sends each alone.
        max_concurrency: tasks at once, over all event loops.
        timeout: seconds for a task; the request's own deadline holds too. An engine that has crashed may never
            answer; None waits for it all the same.

    Raises:
        InvalidRequestError: what is no LLM, no such parser, or a number out of range.
    """

    def __init__(
        self,
        llm: object,
        tokenizer: object = None,
        *,
        reasoning_parser: str | None = None,
        tool_parser: str | None = None,
        siblings: int = 16,
        max_concurrency: int = 256,
        timeout: float | None = 3600.0,
    ) -> None:
        if not callable(getattr(llm, "generate_async", None)):
            raise InvalidRequestError(f"TRTLLMWorker needs a tensorrt_llm.LLM, got {llm!r}")
        check_counts(siblings=siblings, max_concurrency=max_concurrency)
        check_seconds(**{"timeout": timeout} if timeout is not None else {})
        self.llm = cast("Llm", llm)
        own = getattr(llm, "tokenizer", None)
        self.tokenizer = cast("Tokenizer | None", own if tokenizer is None else tokenizer)
        self.max_concurrency = max_concurrency
        self.timeout = timeout
        self._siblings = siblings
        self._owns_llm = False
        named = getattr(getattr(llm, "args", None), "reasoning_parser", None)
        self._parsers = Parsers(reasoning_parser or named, tool_parser)
        self._reading = Reading(self.tokenizer, self._parsers, decodes=own is None and tokenizer is not None)
        self._asking = Asking(self.llm, self.tokenizer, self._parsers)
        self._gathering = Gathering(siblings)
        self._engine = Engine(self.llm)

    @classmethod
    def init_with_new_llm(
        cls,
        model_dir: str | os.PathLike[str],
        backend: str = "pytorch",
        max_batch_size: int = 32,
        max_num_tokens: int = 4096,
        kv_cache_free_gpu_memory_fraction: float = 0.9,
        disable_overlap_scheduler: bool = False,
        scheduler_config: object = None,
        *,
        tokenizer: object = None,
        reasoning_parser: str | None = None,
        tool_parser: str | None = None,
        siblings: int = 16,
        max_concurrency: int = 256,
        timeout: float | None = 3600.0,
        **llm_options: Any,  # whatever LLM takes
    ) -> Self:
        """A worker with an LLM of its own, which is shut down with it; blocks until the model is loaded.

        Args:
            model_dir: the model's folder, or its name at Hugging Face.
            backend: as `LLM` takes it.
            max_batch_size: samples that are written at once.
            max_num_tokens: tokens of one step of the engine; a longer prompt is refused, unless
                `enable_chunked_prefill=True` is among the options.
            kv_cache_free_gpu_memory_fraction: part of the free GPU memory for the cache of keys and values.
            disable_overlap_scheduler: as `LLM` takes it.
            scheduler_config: a `SchedulerConfig`; None leaves it to `LLM`.
            tokenizer: as for the worker.
            reasoning_parser: as for the worker.
            tool_parser: as for the worker.
            siblings: as for the worker.
            max_concurrency: as for the worker.
            timeout: as for the worker.
            llm_options: further arguments of `LLM`, such as `tensor_parallel_size`.

        Raises:
            InvalidRequestError: a number out of range, or an option that `LLM` does not have.
            ModelFileError: there is no such model.
            MissingExtraError: the extra `trtllm` is not installed.
            BackendUnavailableError: TensorRT-LLM does not start, as where there is no GPU.
        """
        check_counts(max_batch_size=max_batch_size, max_num_tokens=max_num_tokens)
        scheduling = {} if scheduler_config is None else {"scheduler_config": scheduler_config}
        before = child_processes()
        llm = new_llm(
            model_dir,
            kv_cache_free_gpu_memory_fraction,
            {
                "backend": backend,
                "max_batch_size": max_batch_size,
                "max_num_tokens": max_num_tokens,
                "disable_overlap_scheduler": disable_overlap_scheduler,
                **scheduling,
                **llm_options,
            },
        )
        try:
            worker = cls(
                llm,
                tokenizer,
                reasoning_parser=reasoning_parser,
                tool_parser=tool_parser,
                siblings=siblings,
                max_concurrency=max_concurrency,
                timeout=timeout,
            )
        except BaseException:
            llm.shutdown()
            raise
        worker._engine = Engine(llm, child_processes() - before)
        worker._owns_llm = True
        return worker

    def __getstate__(self) -> dict[str, object]:
        raise InvalidRequestError("a TRTLLMWorker stays in its process with its LLM: make one where it is needed")

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # tools are up to the parser
        """What the LLM can do."""
        return Capabilities(
            logprobs=True,
            tools=self._parsers.takes_tools,
            streaming=True,
            siblings=self._siblings,
            token_prompts=True,
        )

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # the LLM's
        """What the LLM was made with."""
        args = getattr(self.llm, "args", None)
        model, window = getattr(args, "model", None), getattr(args, "max_seq_len", None)
        return ModelInfo(
            name=Path(model).name if isinstance(model, str | os.PathLike) else None,
            context_window=window if isinstance(window, int) else None,
        )

    async def async_shutdown(self) -> None:
        """Close the worker, abort what runs, and shut down the LLM if it is the worker's own."""
        self._close()
        if self._owns_llm:
            await run_in_thread(self.llm.shutdown)

    def shutdown(self) -> None:
        """Close the worker, abort what runs, and shut down the LLM if it is the worker's own."""
        self._close()
        if self._owns_llm:
            self.llm.shutdown()

    def _close(self) -> None:
        self._engine.end(ClosedError("this TRTLLMWorker is closed: make a new one"))

    async def _generate(self, task: GenerationTask) -> None:
        task.usage = Usage()  # as long as nothing is sent
        await self._bounded(task, self._answer(task))

    async def _step(self, task: StreamGenerationTask) -> None:
        await step(task, lambda: self._bounded(task, self._read_on(task)))

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        GenerationTask: _generate,
        StreamGenerationTask: _step,
        StreamChatTask: _step,
    }

    async def _answer(self, task: GenerationTask) -> None:
        call = self._call(task)
        if call.asked.shared_as is None or self._siblings == 1:
            member = call.join(task)
            call.go_on()
        else:
            call, member = self._gathering.join(task, call.asked.shared_as, call)
        await call.answered(member)

    async def _read_on(self, task: StreamGenerationTask) -> None:
        if task.request_handle is None:
            task.usage = Usage()
            task.request_handle = OpenStream(self._call(task), task)
        assert isinstance(task.request_handle, OpenStream)
        await task.request_handle.read(task.streaming_step)

    def _call(self, task: GenerationTask) -> Call:
        """The call of a task that starts now."""
        self._engine.check()
        return Call(self._engine, self._asking.asked(task), self._reading)

    async def _bounded(self, task: GenerationTask, work: Coroutine[Any, Any, None]) -> None:
        """Do what a task asks for, before its deadline."""
        try:
            async with asyncio.timeout_at(deadline_of(task, self.timeout)):
                await work
        except TimeoutError as error:
            raise BackendTimeoutError(
                "TensorRT-LLM did not answer before the deadline: allow more time, or ask for less; make a new "
                "LLM if its engine has crashed"
            ) from error
