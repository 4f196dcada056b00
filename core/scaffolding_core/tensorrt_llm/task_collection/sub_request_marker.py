"""SubRequestMarker: which part of an agent asks, told to the backend."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

from scaffolding_core.tensorrt_llm.controller import Controller
from scaffolding_core.tensorrt_llm.task import ChatTask, Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.with_task_collection import with_task_collection

__all__ = ["SubRequestMarker", "sub_request_node"]

C = TypeVar("C", bound=Controller)


class SubRequestMarker(TaskCollection):
    """Marks each chat with the way from it up through the marked controllers, for a backend that schedules by it.

    `sub_request_markers` of a chat begins with its own pair, then comes one for each marked controller around it,
    the outermost last. A pair is a name and a number; that of a part counts within what is around it.

    Args:
        node_name: of the controller.
        is_top_level: its numbers are those of the outermost controllers.

    Attributes:
        enable_sub_request_marker: whether chats are marked; from the environment's ENABLE_SUB_REQUEST_MARKER=1.
        set_unique_id_zero: whether all controllers have the number 0; from SET_UNIQUE_ID_ZERO=1.
    """

    enable_sub_request_marker: ClassVar[bool] = os.getenv("ENABLE_SUB_REQUEST_MARKER", "0") == "1"
    set_unique_id_zero: ClassVar[bool] = os.getenv("SET_UNIQUE_ID_ZERO", "0") == "1"
    _numbers: ClassVar[Iterator[int]] = itertools.count()
    _top_numbers: ClassVar[Iterator[int]] = itertools.count()

    def __init__(self, node_name: str, is_top_level: bool = False) -> None:
        super().__init__()
        self.node_name = node_name
        numbers = self._top_numbers if is_top_level else self._numbers
        self.unique_id = 0 if self.set_unique_id_zero else next(numbers)
        self._parts: dict[str, dict[int, int]] = {}

    def before_yield(self, tasks: list[Task]) -> None:
        """Mark the chats."""
        for task in tasks if self.enable_sub_request_marker else ():
            if not isinstance(task, ChatTask):
                continue
            if task.unique_id is None:
                task.unique_id = next(self._numbers)
                task.sub_request_markers = [("LeafNode", task.unique_id)]
            name, number = task.sub_request_markers[-1]
            known = self._parts.setdefault(name, {})
            task.sub_request_markers[-1] = (name, known.setdefault(number, len(known)))
            task.sub_request_markers.append((self.node_name, self.unique_id))

    def after_yield(self, tasks: list[Task]) -> None:
        """Its next run is another."""
        for task in tasks if self.enable_sub_request_marker else ():
            if isinstance(task, ChatTask):
                task.unique_id = None

    def after_failure(self, tasks: list[Task]) -> None:
        """Its next run is another."""
        self.after_yield(tasks)


def sub_request_node(node_name: str, is_top_level: bool = False) -> Callable[[type[C]], type[C]]:
    """Decorate a class of controllers, so that their chats are marked as theirs; see `SubRequestMarker`.

    Args:
        node_name: of the controllers.
        is_top_level: whether nothing marked is around them.
    """
    return with_task_collection(
        "sub_request_marker", SubRequestMarker, node_name=node_name, is_top_level=is_top_level
    )
