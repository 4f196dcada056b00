"""with_task_collection: give a class of controllers a task collection."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from scaffolding_core.controller import Steps
from scaffolding_core.tensorrt_llm.controller import Controller
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.collection_watch import collected

__all__ = ["with_task_collection"]

C = TypeVar("C", bound=Controller)
_Makers: TypeAlias = dict[str, Callable[[], TaskCollection]]

_WATCHED = ("__init__", "process")

_makers: WeakKeyDictionary[type, _Makers] = WeakKeyDictionary()
"""For each decorated class, what makes its collections, by their names."""


def with_task_collection(
    name: str,
    task_collection_cls: Callable[..., TaskCollection],
    **task_collection_kwargs: Any,  # Any: whatever the collection's own constructor takes
) -> Callable[[type[C]], type[C]]:
    """Decorate a class of controllers, in place: each of its controllers has a collection from its `__init__` on.

    The collection is told of every task that `process` yields, those of its branches included. A controller keeps
    it in `task_collections[name]`; a request's copy of the controller has a copy of it, which the result shows
    after `ScaffoldingLlm.enable_output_task_collection()`. Decorated twice with one name, a class has one
    collection, the later one.

    Args:
        name: key in `task_collections`.
        task_collection_cls: class of the collection.
        task_collection_kwargs: its arguments.
    """

    def decorate(controller_cls: type[C]) -> type[C]:
        makers = _makers.setdefault(controller_cls, {})
        known = name in makers
        makers[name] = functools.partial(task_collection_cls, **task_collection_kwargs)
        if not known:
            _install(controller_cls, name, makers)
        return controller_cls

    return decorate


def _install(controller_cls: type[Controller], name: str, makers: _Makers) -> None:
    init: Callable[..., None]
    process: Callable[..., Steps[Any]]
    init, process = (getattr(controller_cls, method) for method in _WATCHED)

    @functools.wraps(init)
    def init_with_collection(self: Controller, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.task_collections[name] = makers[name]()

    @functools.wraps(process)
    def process_told_of(self: Controller, *args: Any, **kwargs: Any) -> Steps[Any]:
        if name not in self.task_collections:  # it was made before its class was decorated
            self.task_collections[name] = makers[name]()
        return collected(functools.partial(process, self, *args, **kwargs), self.task_collections[name])

    for method, new in zip(_WATCHED, (init_with_collection, process_told_of), strict=True):
        setattr(controller_cls, method, new)
