"""The worker of a server that the fields of another library's model name."""

from __future__ import annotations

from typing import Protocol

from scaffolding_core.worker import Worker

__all__ = ["Secret", "key_text", "server_worker"]


class Secret(Protocol):
    """A text that does not show itself, as pydantic's."""

    def get_secret_value(self) -> str:
        """The text."""


def key_text(key: Secret | str | None) -> str | None:
    """The text of a key, which a user may also have assigned as it is."""
    return key if key is None or isinstance(key, str) else key.get_secret_value()


def server_worker(
    url: str,
    model: str,
    key: Secret | str | None,
    *,
    timeout: float | None,
    max_retries: int,
    max_concurrency: int = Worker.max_concurrency,
    siblings: int | None = None,
) -> Worker:
    """What runs samples on an OpenAI-compatible server.

    Args:
        url: its address.
        model: its name there; empty takes the first that the server lists.
        key: for the server.
        timeout: seconds for one sample, over all attempts; None sets no limit.
        max_retries: further attempts of a sample that fails.
        max_concurrency: samples at once.
        siblings: samples that one request may ask for; None is 16.
    """
    from scaffolding_core.workers.openai import OpenAIWorker  # its HTTP client loads slowly

    return OpenAIWorker(
        url,
        model or None,
        api_key=key_text(key),
        timeout=timeout,
        max_attempts=max_retries + 1,
        max_concurrency=max_concurrency,
        siblings=siblings,
        accepts=("top_k",),  # a field of the adapters; nearly every server but OpenAI's own takes it
    )
