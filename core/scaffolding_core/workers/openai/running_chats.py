"""RunningChats: what requests leave in a server's KV cache, which is dropped when they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import RoleMessage
from scaffolding_core.tasks import ChatTask
from scaffolding_core.workers.openai.hints import TRUNCATION

__all__ = ["RunningChats"]

Truncate: TypeAlias = Callable[[Sequence[RoleMessage], Mapping[str, object]], Awaitable[bool]]
"""Has a chat dropped, given what else its template was given; returns whether the server does."""

_SECONDS = 2.0
"""For a truncation: the answer of the request, which is there, waits for it."""


class _Chat(NamedTuple):
    messages: list[RoleMessage]
    tasks: list[ChatTask]  # that have sent it, or its beginning


class RunningChats:
    """The chats of each request, until it ends."""

    def __init__(self) -> None:
        self._of: dict[str, list[_Chat]] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()  # requests stay in their process

    def add(self, task: ChatTask) -> None:
        """A task sends its chat; turns of one chat are kept as the longest of them."""
        if task.scope is None:
            return
        chats = self._of.setdefault(str(task.scope.request_id), [])
        for place, (messages, tasks) in enumerate(chats):
            common = min(len(messages), len(task.messages))
            if messages[:common] == task.messages[:common]:
                longer = max(messages, list(task.messages), key=len)
                chats[place] = _Chat(longer, [*tasks, task])
                return
        chats.append(_Chat(list(task.messages), [task]))

    async def end(self, scope_id: str, truncate: Truncate) -> None:
        """Have the chats of a request that has ended dropped; the hints of its tasks tell what became of it."""
        chats = self._of.pop(scope_id, ())
        await asyncio.gather(*(_drop(chat, truncate) for chat in chats))


async def _drop(chat: _Chat, truncate: Truncate) -> None:
    task = chat.tasks[-1]
    template = {"tools": task.tools_to_dict() or None, "chat_template_kwargs": task.chat_template_kwargs}
    given = {name: value for name, value in template.items() if value is not None}
    why_not = "the server does not truncate"
    try:
        async with asyncio.timeout(_SECONDS):
            done = await truncate(chat.messages, given)
    except TimeoutError:
        done, why_not = False, "the server did not answer in time"
    except WorkerError as error:
        done, why_not = False, str(error)
    for hints in [task.hints for task in chat.tasks if task.hints is not None]:
        if done:
            hints.sent[TRUNCATION] = True
        else:
            hints.dropped[TRUNCATION] = why_not
