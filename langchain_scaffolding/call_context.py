"""What the samples of a call find around them: its configuration, and the run that they belong to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import Any, TypeVar, cast

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config

from langchain_scaffolding.tracing.runs import Manager, child_manager

__all__ = ["around", "around_astream", "around_stream"]

T = TypeVar("T")


@contextmanager
def around(config: RunnableConfig, manager: Manager | None = None) -> Iterator[None]:
    """Set it for the calls made in here.

    Args:
        config: of a model's call; LangChain hands on none of it to the model.
        manager: for child runs, where LangChain hands over no run manager.
    """
    config_token = var_child_runnable_config.set(config)
    manager_token = child_manager.set(manager)
    try:
        yield
    finally:
        child_manager.reset(manager_token)
        var_child_runnable_config.reset(config_token)


def around_stream(pieces: Iterator[T], config: RunnableConfig, manager: Manager | None = None) -> Iterator[T]:
    """As `around`, for a stream: its call is made for the first piece; the rest is read as the reader is."""
    with closing(cast("Any", pieces)):
        with around(config, manager):
            first = next(pieces, None)
        if first is not None:
            yield first
            yield from pieces


async def around_astream(
    pieces: AsyncIterator[T], config: RunnableConfig, manager: Manager | None = None
) -> AsyncIterator[T]:
    """As `around_stream`."""
    async with aclosing(cast("Any", pieces)):
        with around(config, manager):
            first = await anext(pieces, None)
        if first is not None:
            yield first
            async for piece in pieces:
                yield piece
