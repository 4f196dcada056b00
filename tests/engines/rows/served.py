"""A server that runs already, which tells what it is."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp
import pytest

from scaffolding_core import OpenAIWorker
from scaffolding_core.workers.openai.known_servers import KNOWN_SERVERS, recognised
from scaffolding_core.workers.parameters import LLAMA_CPP_PARAMETERS, TRTLLM_PARAMETERS, VLLM_PARAMETERS
from tests.engines.engine import AS_FORMAT, DIGITS, ENDLESS, Engine, Row
from tests.servers import live

__all__ = ["LIVE", "VLLM"]

UNTOLD_WINDOW = 200_000
THOUGHTS = "six sevens</think>42"


@dataclass(frozen=True)
class Kind:
    """How a kind of server is asked.

    Args:
        accepts: what it takes beyond OpenAI's parameters.
        digits: parameters that hold an answer to `DIGITS`.
        shown: a path on its host, and what there is the number of answers that it writes, or a word for each.
        tells_models_apart: it does not take any name for the one model that it has.
    """

    accepts: Mapping[str, str] = field(default_factory=dict)
    digits: Mapping[str, Any] = field(default_factory=lambda: AS_FORMAT)
    shown: tuple[str, str] | None = None
    tells_models_apart: bool = True


KINDS = {
    "vllm": Kind(
        VLLM_PARAMETERS,
        {"extra_body": {"structured_outputs": {"regex": DIGITS}}},
        ("/metrics", r"^vllm:num_requests_running\{.*\} (\S+)"),
    ),
    "sglang": Kind(
        {"ignore_eos": "ignore_eos"},
        {"extra_body": {"regex": DIGITS}},
        ("/metrics", r"^sglang:num_running_reqs\{.*\} (\S+)"),
    ),
    "trtllm-serve": Kind(TRTLLM_PARAMETERS),
    "llama.cpp": Kind(
        LLAMA_CPP_PARAMETERS,
        {"extra_body": {"grammar": "root ::= [0-9] [0-9] [0-9]"}},
        ("/slots", r'"is_processing":\s*(true)'),
        tells_models_apart=False,
    ),
}


@asynccontextmanager
async def worker(kind: Kind, model: str) -> AsyncIterator[OpenAIWorker]:
    async with OpenAIWorker(live.URL, model, api_key=live.KEY, accepts=kind.accepts) as worker:
        yield worker


async def window() -> int:
    """Tokens that no prompt may have."""
    async with worker(Kind(), live.model()) as asking:
        await asking.learn_model()
        return asking.context_window or UNTOLD_WINDOW


def kind() -> Kind:
    """What kind of server it is."""
    known = recognised(live.listed()[0])
    return next((KINDS[name] for name, each in KNOWN_SERVERS.items() if each is known), Kind())


async def running(shown: tuple[str, str]) -> int:
    """How many answers it writes."""
    path, pattern = shown
    headers = {"Authorization": f"Bearer {live.KEY}"} if live.KEY else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(live.URL.removesuffix("/v1") + path) as response:
            found = re.findall(pattern, await response.text(), re.MULTILINE)
    return sum(1 if each == "true" else int(float(each)) for each in found)


@contextmanager
def start(request: pytest.FixtureRequest, **more: Any) -> Iterator[Engine]:
    server = kind()
    yield Engine(
        worker=partial(worker, server, live.model()),
        unknown_model=partial(worker, server, "no-such-model") if server.tells_models_apart else None,
        window=asyncio.run(window()),
        running=partial(running, server.shown) if server.shown else None,
        endless=ENDLESS if "ignore_eos" in server.accepts else {"max_tokens": ENDLESS["max_tokens"]},
        digits=server.digits,
        **more,
    )


LIVE = Row(start=partial(start, declared=False))
VLLM = Row(
    start=partial(
        start,
        thinking={
            "chat_template_kwargs": {"enable_thinking": True},
            "extra_body": {"structured_outputs": {"regex": THOUGHTS}},
        },
    )
)
"""As `make test-engines` starts it; its small model thinks only where it has to."""
