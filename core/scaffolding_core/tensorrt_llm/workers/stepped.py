"""SteppedLlm: the LLM of a program, whatever way its results are read."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

__all__ = ["SteppedLlm"]


# Any, in this file: objects of TensorRT-LLM, or of a program that stands one in for them.
class SteppedLlm:
    """An LLM whose results can all be iterated over: those of a program's own may know `_aresult_step` alone.

    Args:
        llm: which has all else.
    """

    def __init__(self, llm: Any) -> None:
        self._llm = llm

    def __getattr__(self, name: str) -> Any:
        return getattr(self._llm, name)

    @property
    def generate_async(self) -> Callable[..., Any]:
        """Begins a request, as the LLM's own does, with the parameters it has."""

        @functools.wraps(self._llm.generate_async)
        def generate_async(*inputs: Any, **options: Any) -> Any:
            result = self._llm.generate_async(*inputs, **options)
            return result if hasattr(result, "__aiter__") or not hasattr(result, "_done") else _Steps(result)

        return generate_async


class _Steps:
    def __init__(self, result: Any) -> None:
        self._result = result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while not self._result._done:
            await self._result._aresult_step()
            yield self._result
