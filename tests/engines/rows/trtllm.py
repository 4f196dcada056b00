"""The stand-in for TensorRT-LLM in this process."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from scaffolding_core import TRTLLMWorker
from tests.engines.engine import Engine, Row
from tests.servers.trtllm.double import model_folder, standing_in

__all__ = ["ROW"]

PACE = 0.001
"""Seconds between two tokens."""

PARSERS = {"reasoning_parser": "qwen3", "tool_parser": "qwen3"}
CALL = r'<tool_call>\{"name": "clock", "arguments": \{"city": "Paris"\}\}</tool_call>'


def written(pattern: str) -> dict[str, Any]:
    """Parameters under which the model writes a text."""
    return {"response_format": {"type": "regex", "regex": pattern}}


@contextmanager
def paced(engine: Any) -> Iterator[None]:
    """Let the engine write a token at a time, as a model does."""
    over = threading.Event()

    def pace() -> None:
        while not over.wait(PACE):
            engine.hold(1)

    thread = threading.Thread(target=pace, daemon=True, name="pace")
    thread.start()
    yield
    over.set()
    thread.join()
    engine.go_on()


@contextmanager
def start(request: pytest.FixtureRequest) -> Iterator[Engine]:
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("model")
    with ExitStack() as stack:
        package = stack.enter_context(standing_in())
        llm = stack.enter_context(package.LLM(str(model_folder(folder)), guided_decoding_backend="xgrammar"))
        stack.enter_context(paced(llm.double))

        @asynccontextmanager
        async def worker() -> AsyncIterator[TRTLLMWorker]:
            async with TRTLLMWorker(llm, **PARSERS) as worker:
                yield worker

        @asynccontextmanager
        async def unknown_model() -> AsyncIterator[TRTLLMWorker]:
            async with TRTLLMWorker.init_with_new_llm("no-such-model") as worker:
                yield worker

        async def running() -> int:
            return llm.double.running

        yield Engine(
            worker=worker,
            unknown_model=unknown_model,
            window=llm.args.max_num_tokens,
            running=running,
            calling=written(CALL),
            thinking=written("<think>six sevens</think>42"),
        )


ROW = Row(start=start)
