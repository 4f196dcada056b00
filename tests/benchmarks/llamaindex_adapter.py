"""Cost of the LlamaIndex adapter, in CPU time of the process.

A vote of 8 over LlamaIndex's `MockLLM`, against 8 bare calls of it at the same time; and the same vote over the
core with a worker that does nothing, so that the difference is the adapter's own.
"""

import asyncio
from collections.abc import Awaitable, Callable

from llama_index.core.llms import ChatMessage, MockLLM

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import GenerationTask, MajorityVoteController, NativeChatController, ScaffoldingLlm, Worker
from tests.benchmarks.side_by_side import ROUNDS, timed

SAMPLES = 8
QUESTION = "What is 6 times 7?"
CHAT = [ChatMessage(QUESTION)]


class Nothing(Worker):
    """As `MockLLM`, for the core: it answers with the question."""

    async def run_task(self, task: GenerationTask) -> None:
        await asyncio.sleep(0)
        task.output_str = QUESTION


async def bare(llm: MockLLM) -> None:
    """The calls that the vote makes, without a vote."""
    await asyncio.gather(*(llm.achat(CHAT) for _ in range(SAMPLES)))


def main() -> dict[str, object]:
    llm = MockLLM()
    options = {"stop_rule": "full"}
    vote = ScaffoldingLLM.wrap(llm, sample_num=SAMPLES, method_options=options)
    core = ScaffoldingLlm(MajorityVoteController(NativeChatController(), SAMPLES, **options), Nothing())
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "bare": lambda: bare(llm),
        "vote": lambda: vote.achat(CHAT),
        "core": lambda: core.generate_async(QUESTION).aresult(),
    }
    rounds = timed(calls)
    micro = rounds.microseconds()
    ratio = rounds.ratio("vote", "bare")
    own = rounds.beside("vote", "core", "bare") / SAMPLES
    print(
        f"LlamaIndex adapter: a vote of {SAMPLES}, against {SAMPLES} bare calls of MockLLM "
        f"(median of {ROUNDS} side-by-side rounds)\n"
        f"  bare {micro['bare']:.0f} us; a vote {ratio:.2f} of it\n"
        f"  beside the core ({micro['core'] / SAMPLES:.0f} us) and the LLM, it takes {own:.0f} us a sample, "
        "its own call as an LLM of LlamaIndex included"
    )
    return {"us": micro, "vote": ratio, "own_us_per_sample": own}
