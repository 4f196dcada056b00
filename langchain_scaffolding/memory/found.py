"""What a chain remembers with: checkpoint savers and message histories, wherever in it they are."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda, RunnableSerializable
from langchain_core.runnables.history import RunnableWithMessageHistory

from langchain_scaffolding.memory.threads import Saver

__all__ = ["Found"]

_OF_CHAINS = "langchain_core.runnables."


@dataclass
class Found:
    """What a chain remembers with.

    Attributes:
        savers: of its graphs.
        nested: whether a graph has graphs inside.
        configurable: what the chain itself configures, such as `thread_id`.
        histories: whether it has message histories.
    """

    savers: list[Saver] = field(default_factory=list)
    nested: bool = False
    configurable: dict[str, Any] = field(default_factory=dict)
    histories: bool = False

    @classmethod
    def inside(cls, chain: Runnable[Any, Any]) -> Found:
        """What is found in a chain: in its steps, in what is bound, and in what its functions name."""
        found = cls()
        found._look(chain, set())
        return found

    def _look(self, part: Any, seen: set[int]) -> None:  # Any: a Runnable, or whatever a field of one holds
        if isinstance(part, list | tuple):
            for item in part:
                self._look(item, seen)
        elif isinstance(part, Mapping):
            self._look(list(part.values()), seen)
        elif isinstance(part, Runnable) and id(part) not in seen:
            seen.add(id(part))
            self._look_at(part)
            if isinstance(part, RunnableLambda):
                self._look([_named(getattr(part, name, None)) for name in ("func", "afunc")], seen)
            elif isinstance(part, RunnableSerializable) and type(part).__module__.startswith(_OF_CHAINS):
                self._look([getattr(part, name) for name in type(part).model_fields], seen)
            else:
                self._look(getattr(part, "inner", None), seen)  # of a method around another chain

    def _look_at(self, part: Runnable[Any, Any]) -> None:
        saver: Any = getattr(part, "checkpointer", None)  # True or False where it is another graph's
        if hasattr(saver, "get_tuple"):
            if saver not in self.savers:
                self.savers.append(saver)
            self.nested = self.nested or any(True for _ in part.get_subgraphs())  # type: ignore[attr-defined]  # a graph
        self.histories = self.histories or isinstance(part, RunnableWithMessageHistory)
        config = getattr(part, "config", None)
        if isinstance(config, Mapping):
            self.configurable.update(config.get("configurable") or {})


def _named(function: object) -> list[object]:
    """The Runnables that a function reads, or is a method of."""
    try:
        names = inspect.getclosurevars(function)  # type: ignore[arg-type]  # it refuses what is no function
    except TypeError:
        return []
    read = [*names.nonlocals.values(), *names.globals.values(), getattr(function, "__self__", None)]
    return [value for value in read if isinstance(value, Runnable)]
