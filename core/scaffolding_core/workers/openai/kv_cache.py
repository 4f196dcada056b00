"""Truncation: a chat's part of the KV cache of trtllm-serve is dropped when nobody goes on with it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scaffolding_core.messages import RoleMessage

if TYPE_CHECKING:
    from scaffolding_core.workers.openai.server import OpenAIServer

__all__ = ["leading_system_messages", "truncate"]


_SHARED = ("system", "developer")


async def truncate(server: OpenAIServer, body: Mapping[str, object]) -> str | None:
    """Have a server truncate its KV cache.

    Args:
        server: which remembers where it does, or that it does not.
        body: `model`, `messages`, `messages_to_retain`, and what else the chat's template was given.

    Returns:
        The route that it was asked at; None if it has none.

    Raises:
        WorkerError: it refuses, or does not answer.
    """
    if server.kind is not None and server.kind.name != "trtllm-serve":
        return None
    facts = server.facts
    for place in facts.truncations:
        told = await server.ask(place.route, {**body, **place.fields}, beside=place.beside)
        if told.served:
            facts.truncations = (place,)
            return place.route
    facts.truncations = ()
    return None


def leading_system_messages(messages: Sequence[RoleMessage]) -> list[RoleMessage]:
    """What other chats begin with, too."""
    return list(itertools.takewhile(lambda message: message.role in _SHARED, messages))
