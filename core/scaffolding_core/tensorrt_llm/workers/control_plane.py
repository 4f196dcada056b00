"""What a server can be asked beside generation, through httpx, as the client of a program does."""

from __future__ import annotations

import logging
from types import MethodType
from typing import Any

from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.task import DropKVCacheTask, TaskStatus, TokenizeTask

__all__ = ["add_kv_cache_hint", "drop", "tokenize", "truncate_tokens"]

logger = logging.getLogger("scaffolding_core")


def add_kv_cache_hint(client: Any) -> None:  # Any: the program's client, or what stands in for it
    """Give a client the method `create_kv_cache_hint(task, params)`, unless it has one."""
    if not hasattr(client, "create_kv_cache_hint"):
        client.create_kv_cache_hint = MethodType(_send_kv_cache_hint, client)


async def _send_kv_cache_hint(client: Any, task: DropKVCacheTask, params: dict[str, Any]) -> Any:
    import httpx

    asked = dict(params)
    body = {
        "action": "truncate",
        "messages": [message.to_dict() for message in task.chat_task.messages],
        "messages_to_retain": [message.to_dict() for message in task.messages_to_retain],
        **asked.pop("extra_body", {}),
        **asked,
    }
    async with httpx.AsyncClient() as http:
        return await http.post(f"{_root(client)}/_control/kv_cache/truncate", json=body, headers=_headers(client))


async def drop(client: Any, task: DropKVCacheTask, params: dict[str, Any]) -> TaskStatus:
    """Let the server forget a chat."""
    try:
        response = await client.create_kv_cache_hint(task, params)
    except Exception as error:
        return _not_done(task, f"the server was not told to drop a chat from its cache: {error}")
    if response.status_code != 200:
        return _not_done(task, f"the server did not drop a chat from its cache: HTTP {response.status_code}")
    return TaskStatus.SUCCESS


async def tokenize(client: Any, model: str, task: TokenizeTask) -> TaskStatus:
    """Count a text's tokens, by whichever of the usual paths the server has."""
    import httpx

    root, failures = _root(client), []
    async with httpx.AsyncClient() as http:
        for path in ("/v1/tokenize", "/tokenize", "/_internal/tokenize"):
            asked = {"prompt": task.content, "model": model}
            try:
                response = await http.post(root + path, json=asked, headers=_headers(client))
                told = response.json() if response.status_code == 200 else {}
                if (count := _count(told)) is not None:
                    task.token_count, task.tokenize_error = count, None
                    return TaskStatus.SUCCESS
                failures.append(f"{path}: HTTP {response.status_code}")
            except (httpx.HTTPError, ValueError) as error:
                failures.append(f"{path}: {type(error).__name__}: {error}")
    task.tokenize_error = "; ".join(failures)
    return _not_done(task, f"the server does not count tokens: {task.tokenize_error}")


async def truncate_tokens(
    client: Any, model: str, prefixes: list[list[int]], num_tokens_to_keep: list[int], timeout: float
) -> None:
    """Let the server forget what follows the first tokens of prompts.

    Raises:
        ValueError: lists of different lengths.
        RuntimeError: it refuses.
    """
    if len(prefixes) != len(num_tokens_to_keep):
        raise ValueError(f"{len(prefixes)} prefixes and {len(num_tokens_to_keep)} counts: give as many of both")
    if not prefixes:
        return
    import httpx

    body = {"model": model, "prefixes": prefixes, "num_tokens_to_keep": num_tokens_to_keep}
    async with httpx.AsyncClient(timeout=timeout) as http:
        url = f"{_root(client)}/_control/kv_cache/truncate_tokens"
        response = await http.post(url, json=body, headers=_headers(client))
    if response.status_code != 200:
        raise RuntimeError(f"the server did not truncate: HTTP {response.status_code}, {response.text!r}")


def _root(client: Any) -> str:
    """The server's address without the version: its controls stand beside that."""
    return str(client.base_url).rstrip("/").removesuffix("/v1")


def _headers(client: Any) -> dict[str, str]:
    key = getattr(client, "api_key", None)
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _count(told: Any) -> int | None:
    """The number of tokens in an answer."""
    counted = told.get("count") if isinstance(told, dict) else None
    if counted is None and isinstance(told, dict) and isinstance(told.get("tokens"), list):
        return len(told["tokens"])
    return counted if isinstance(counted, int) else None


def _not_done(task: Task, why: str) -> TaskStatus:
    """What was only a hint, or a number for a trace, is no reason to end a request."""
    logger.warning("%s", why)
    return TaskStatus.WORKER_EXECEPTION if task.scope is None else TaskStatus.SUCCESS
