"""What the prompt of siblings costs, which one of them may be told and another, that was cut, not."""

from __future__ import annotations

from collections import OrderedDict

__all__ = ["PromptSize", "PromptSizes"]

_MOST = 1024


class PromptSize:
    """Tokens of a prompt.

    Attributes:
        tokens: None until a server has told.
    """

    __slots__ = ("tokens",)

    def __init__(self) -> None:
        self.tokens: int | None = None


class PromptSizes:
    """The sizes of the prompts that were asked for last, by the group of siblings that share each."""

    def __init__(self) -> None:
        self._latest: OrderedDict[int, tuple[object, PromptSize]] = OrderedDict()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()  # groups stay in their process

    def of(self, group: object) -> PromptSize:
        """The one that the siblings of a group share; None has none."""
        if group is None:
            return PromptSize()
        _, size = self._latest.setdefault(id(group), (group, PromptSize()))  # whose id lives as long as it does
        if len(self._latest) > _MOST:
            self._latest.popitem(last=False)
        return size
