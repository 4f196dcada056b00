"""The worker of the server, or of the several, that the fields of another library's model name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.worker import Worker

__all__ = ["Key", "Secret", "key_text", "server_settings", "server_worker"]


class Secret(Protocol):
    """A text that does not show itself, as pydantic's."""

    def get_secret_value(self) -> str:
        """The text."""


Key: TypeAlias = Secret | str | None
Keys: TypeAlias = Key | Sequence[Key] | Mapping[str, Key]
"""One key for all servers; or that of each, in the order of their addresses or by address."""


def key_text(key: Key) -> str | None:
    """The text of a key, which a user may also have assigned as it is."""
    return key if key is None or isinstance(key, str) else key.get_secret_value()


def server_settings(url: str | Sequence[str] | None, key: Keys) -> tuple[object, ...]:
    """What a backend is made of, as texts and tuples, which are the same where they hold the same."""
    urls = url if url is None or isinstance(url, str) else tuple(url)
    texts = _key_texts(key)
    if isinstance(texts, Mapping):
        return urls, tuple(texts.items())
    return urls, texts if texts is None or isinstance(texts, str) else tuple(texts)


def server_worker(
    url: str | Sequence[str],
    model: str,
    key: Keys,
    *,
    timeout: float | None,
    max_retries: int,
    max_concurrency: int = Worker.max_concurrency,
    siblings: int | None = None,
) -> Worker:
    """What runs samples on an OpenAI-compatible server, or on a pool of several.

    Args:
        url: its address, or those of several.
        model: its name there; empty takes the first that the server lists.
        key: for the server; for several one key, or one for each in their order or by address.
        timeout: seconds for one sample, over all attempts; None sets no limit.
        max_retries: further attempts of a sample that fails, over all servers.
        max_concurrency: samples at once, over all servers.
        siblings: samples that one request may ask for; None is 16.

    Raises:
        InvalidRequestError: an address that is none, no address, or several keys that do not fit the addresses.
    """
    from scaffolding_core.workers.openai import OpenAIWorker  # its HTTP client loads slowly

    keys = _key_texts(key)
    if not isinstance(url, str):
        from scaffolding_core.workers.pool import WorkerPool

        return WorkerPool(
            list(url),
            model or None,
            api_key=keys,
            timeout=timeout,
            max_attempts=max_retries + 1,
            max_concurrency=max_concurrency,
            siblings=siblings,
            accepts=_ACCEPTED,
        )
    if keys is not None and not isinstance(keys, str):
        raise InvalidRequestError(
            f"api_key holds several keys for the one server {url!r}: give one, or all addresses"
        )
    return OpenAIWorker(
        url,
        model or None,
        api_key=keys,
        timeout=timeout,
        max_attempts=max_retries + 1,
        max_concurrency=max_concurrency,
        siblings=siblings,
        accepts=_ACCEPTED,
    )


_ACCEPTED = ("top_k",)
"""A field of the adapters; nearly every server but OpenAI's own takes it."""


def _key_texts(key: Keys) -> str | list[str | None] | dict[str, str] | None:
    if isinstance(key, Mapping):
        texts = {url: key_text(each) for url, each in key.items()}
        return {url: text for url, text in texts.items() if text is not None}
    if isinstance(key, Sequence) and not isinstance(key, str):
        return [key_text(each) for each in key]
    return key_text(key)
