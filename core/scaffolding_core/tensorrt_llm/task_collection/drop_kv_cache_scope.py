"""drop_kv_cache_scope: let the backend forget a controller's chats once it has ended."""

from __future__ import annotations

import enum
import functools
import logging
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from scaffolding_core.controller import Steps
from scaffolding_core.errors import ScaffoldingError
from scaffolding_core.tensorrt_llm.controller import Controller
from scaffolding_core.tensorrt_llm.task import ChatTask, DropKVCacheTask, Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.with_task_collection import with_task_collection

__all__ = ["ChatCollection", "DropKVCacheWorkerTag", "drop_kv_cache_scope"]

C = TypeVar("C", bound=Controller)

_CHATS = "ChatCollection"

logger = logging.getLogger("scaffolding_core")


class DropKVCacheWorkerTag(enum.Enum):
    """The tag of the worker that drops."""

    DROP_KV_CACHE = "drop_kv_cache"


class ChatCollection(TaskCollection):
    """The chats of a controller; of controllers around one another, the innermost has a chat.

    Attributes:
        chat_tasks: the chats.
        global_chat_task_set: identities of the chats that some controller has.
    """

    global_chat_task_set: ClassVar[set[int]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.chat_tasks: list[ChatTask] = []

    def before_yield(self, tasks: list[Task]) -> None:
        """Take the chats that nobody has."""
        for task in tasks:
            if isinstance(task, ChatTask) and id(task) not in self.global_chat_task_set:
                self.global_chat_task_set.add(id(task))
                self.chat_tasks.append(task)

    def release(self) -> list[ChatTask]:
        """Give up the chats; returns them."""
        chats, self.chat_tasks = self.chat_tasks, []
        self.global_chat_task_set.difference_update(map(id, chats))
        return chats

    def __del__(self) -> None:
        self.release()


def drop_kv_cache_scope() -> Callable[[type[C]], type[C]]:
    """Decorate a class of controllers: what the backend keeps of their chats is dropped once `process` has ended.

    It is dropped too where `process` fails. One `DropKVCacheTask` a chat goes to the worker at
    `DropKVCacheWorkerTag.DROP_KV_CACHE`; what that worker fails with is logged, and changes no result. A request
    that is cancelled sends no more tasks, these included.
    """

    def decorate(controller_cls: type[C]) -> type[C]:
        with_chats = with_task_collection(_CHATS, ChatCollection)(controller_cls)
        process = with_chats.process

        @functools.wraps(process)
        def process_and_drop(self: Controller, *args: Any, **kwargs: Any) -> Steps[Any]:
            steps = process(self, *args, **kwargs)
            chats = self.task_collections[_CHATS]
            assert isinstance(chats, ChatCollection)
            try:
                returned = yield from steps
            except Exception:
                yield from _drop(chats.release())
                raise
            except GeneratorExit:
                chats.release()
                raise
            yield from _drop(chats.release())
            return returned

        controller_cls.process = process_and_drop  # type: ignore[method-assign]  # in place, as there
        return controller_cls

    return decorate


def _drop(chats: list[ChatTask]) -> Steps[None]:
    if not chats:
        return
    try:
        yield [DropKVCacheTask(chat, DropKVCacheWorkerTag.DROP_KV_CACHE) for chat in chats]
    except ScaffoldingError as error:
        logger.warning("what the backend keeps of %d chats was not dropped: %s", len(chats), error)
