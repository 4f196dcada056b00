"""OpenaiWorker and TRTOpenaiWorker: servers, by the names that TensorRT-LLM's scaffolding has."""

from __future__ import annotations

from typing import Any

from scaffolding_core.workers.openai import OpenAIWorker
from scaffolding_core.workers.parameters import TRTLLM_PARAMETERS

__all__ = ["OpenaiWorker", "TRTOpenaiWorker"]


class OpenaiWorker(OpenAIWorker):
    """An `OpenAIWorker` that takes an OpenAI client, of which it uses the address and the key.

    Args:
        async_client: an `openai.AsyncOpenAI` client, or an address such as `http://localhost:8000/v1`.
        model: its name; None takes the first that the server lists.
        options: as for `OpenAIWorker`.

    Raises:
        InvalidRequestError: as `OpenAIWorker` does.
    """

    def __init__(self, async_client: object, model: str | None = None, **options: Any) -> None:
        super().__init__(async_client, model, **options)


class TRTOpenaiWorker(OpenaiWorker):
    """An `OpenaiWorker` whose server is known to be trtllm-serve: it takes that server's own parameters, too.

    Args:
        async_client: as for `OpenaiWorker`.
        model: its name; None takes the first that the server lists.
        options: as for `OpenAIWorker`.

    Raises:
        InvalidRequestError: as `OpenAIWorker` does.
    """

    def __init__(self, async_client: object, model: str | None = None, **options: Any) -> None:
        super().__init__(
            async_client, model, **{"accepts": TRTLLM_PARAMETERS, "server": "trtllm-serve", **options}
        )
