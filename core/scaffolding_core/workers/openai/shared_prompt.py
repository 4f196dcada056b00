"""What siblings share that one of them may learn first: what their prompt costs, and that it was read."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable

__all__ = ["SharedPrompt", "SharedPrompts"]

_MOST = 1024


class SharedPrompt:
    """A prompt.

    Attributes:
        tokens: that it has; None until a server has told.
        is_read: a server has shown a token of an answer to it.
        reader: whose request it is read for; None for nobody's.
    """

    __slots__ = ("_waiting", "is_read", "reader", "tokens")

    def __init__(self) -> None:
        self.tokens: int | None = None
        self.is_read = False
        self.reader: object = None
        self._waiting: list[asyncio.Future[None]] = []

    def changes(self) -> asyncio.Future[None]:
        """Done once it is read, or its reader has given up."""
        change = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        return change

    def was_read(self) -> None:
        """A server has shown a token."""
        if not self.is_read:
            self.is_read = True
            self.leave(self.reader)

    def leave(self, reader: object) -> None:
        """It is read for this one no longer."""
        if self.reader is reader:
            self.reader = None
            waiting, self._waiting = self._waiting, []
            for change in waiting:
                if not change.done():  # as it is where who waits was cut
                    change.set_result(None)


class SharedPrompts:
    """The prompts that were asked for last, by the group of siblings that share each on one loop."""

    def __init__(self) -> None:
        self._latest: OrderedDict[tuple[Hashable, int], SharedPrompt] = OrderedDict()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()  # groups stay in their process

    def of(self, group: Hashable) -> SharedPrompt:
        """The one that the siblings of a group share; None has none."""
        if group is None:
            return SharedPrompt()
        prompt = self._latest.setdefault((group, id(asyncio.get_running_loop())), SharedPrompt())
        if len(self._latest) > _MOST:
            self._latest.popitem(last=False)
        return prompt
