"""Scripted servers: one that takes everything, and the double of trtllm-serve, with its rules."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import pytest

from scaffolding_core import OpenAIWorker
from tests.engines.engine import Engine, Row
from tests.engines.rows.writing import MODEL, WINDOW, written
from tests.servers.scripted import Scripted, serve
from tests.servers.trtllm_serve import TrtllmServe

__all__ = ["SCRIPTED", "TRTLLM_SERVE"]


@contextmanager
def start(
    kind: Callable[[Any], Scripted], options: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[Engine]:
    with serve(kind(written)) as server:

        @asynccontextmanager
        async def worker(model: str = MODEL) -> AsyncIterator[OpenAIWorker]:
            async with OpenAIWorker(server.url, model, **options) as worker:
                yield worker

        async def running() -> int:
            return server.open

        yield Engine(
            worker=worker,
            unknown_model=partial(worker, "no-such-model"),
            window=WINDOW + 1,
            running=running,
        )


SCRIPTED = Row(start=partial(start, Scripted, {"accepts": ["ignore_eos"]}))
TRTLLM_SERVE = Row(start=partial(start, TrtllmServe, {"server": "trtllm-serve"}))
