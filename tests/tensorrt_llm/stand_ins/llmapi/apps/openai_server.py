"""A server of OpenAI's API: the embedded model, whatever model is asked for."""

from types import TracebackType

import openai

from scaffolding_core.workers.local import LocalWorker

__all__ = ["RemoteOpenAIServer"]


class RemoteOpenAIServer:
    def __init__(self, model: str, cli_args: list[str]) -> None:
        self._worker = LocalWorker(n_parallel=2, n_ctx=1024)  # so that an answer without a limit ends soon
        self._worker.start()

    def get_async_client(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=self._worker.base_url, api_key="none")

    def terminate(self) -> None:
        self._worker.shutdown()

    def __enter__(self) -> "RemoteOpenAIServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.terminate()
