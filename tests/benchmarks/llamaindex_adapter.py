"""Cost of the LlamaIndex adapter, in CPU time of the process.

A vote of 8, against 8 bare calls at the same time: over LlamaIndex's `MockLLM`, whose async calls are its blocking
ones, so that each sample has a thread; and over the same with an async way of its own. The same vote over the core
with a worker that does nothing shows what is the adapter's own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from llama_index.core.llms import LLM, ChatMessage, ChatResponse, MockLLM
from llama_index.core.llms.callbacks import llm_chat_callback

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import GenerationTask, MajorityVoteController, NativeChatController, ScaffoldingLlm, Worker
from tests.benchmarks.side_by_side import ROUNDS, timed

SAMPLES = 8
QUESTION = "What is 6 times 7?"
CHAT = [ChatMessage(QUESTION)]
OPTIONS = {"stop_rule": "full"}


class AsyncLLM(MockLLM):
    """Answers with the question after one turn of the loop."""

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        await asyncio.sleep(0)
        return ChatResponse(message=ChatMessage(QUESTION, role="assistant"))


class Nothing(Worker):
    """As `AsyncLLM`, for the core."""

    async def run_task(self, task: GenerationTask) -> None:
        await asyncio.sleep(0)
        task.output_str = QUESTION


async def bare(llm: LLM) -> None:
    """The calls that a vote makes, without a vote."""
    await asyncio.gather(*(llm.achat(CHAT) for _ in range(SAMPLES)))


def voting(llm: LLM) -> ScaffoldingLLM:
    return ScaffoldingLLM.wrap(llm, sample_num=SAMPLES, method_options=OPTIONS)


def main() -> dict[str, object]:
    mock, other = MockLLM(), AsyncLLM()
    mock_vote, other_vote = voting(mock), voting(other)
    core = ScaffoldingLlm(MajorityVoteController(NativeChatController(), SAMPLES, **OPTIONS), Nothing())
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "bare": lambda: bare(mock),
        "vote": lambda: mock_vote.achat(CHAT),
        "bare async": lambda: bare(other),
        "vote async": lambda: other_vote.achat(CHAT),
        "core": lambda: core.generate_async(QUESTION).aresult(),
    }
    rounds = timed(calls)
    micro = rounds.microseconds()
    ratio, async_ratio = rounds.ratio("vote", "bare"), rounds.ratio("vote async", "bare async")
    own = rounds.beside("vote async", "core", "bare async") / SAMPLES
    print(
        f"LlamaIndex adapter: a vote of {SAMPLES}, against {SAMPLES} bare calls "
        f"(median of {ROUNDS} side-by-side rounds)\n"
        f"  of MockLLM, which blocks and so has a thread for each sample: {micro['bare']:.0f} us; a vote "
        f"{ratio:.2f} of it\n"
        f"  of an LLM with async calls of its own: {micro['bare async']:.0f} us; a vote {async_ratio:.2f} of it\n"
        f"  beside the core ({micro['core'] / SAMPLES:.0f} us) and the LLM, it takes {own:.0f} us a sample, "
        "its own call as an LLM of LlamaIndex included"
    )
    return {"us": micro, "vote": ratio, "vote_async": async_ratio, "own_us_per_sample": own}
