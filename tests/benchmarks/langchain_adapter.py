"""Cost of the LangChain adapter, in CPU time of the process.

A vote of 8 over a chat model, against LangChain's own `abatch` of the same 8 calls; and the same vote over the
core with a worker that does nothing, so that the difference is the adapter's and the model's own.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate

from langchain_scaffolding import ChatScaffolding, ScaffoldingRunnable
from scaffolding_core import GenerationTask, MajorityVoteController, NativeChatController, ScaffoldingLlm, Worker
from tests.benchmarks.side_by_side import ROUNDS, timed

SAMPLES = 8
ANSWERS = ("7", "8", "9")
USAGE = {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3}


class Fake(BaseChatModel):
    """Gives one of three answers after one turn of the loop."""

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(self, messages, stop=None, run_manager: CallbackManagerForLLMRun | None = None, **kwargs):
        message = AIMessage(next(_answers), usage_metadata=USAGE)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        await asyncio.sleep(0)
        return self._generate(messages, stop, **kwargs)


class Nothing(Worker):
    """As `Fake`, for the core."""

    async def run_task(self, task: GenerationTask) -> None:
        await asyncio.sleep(0)
        task.output_str = next(_answers)


_answers = itertools.cycle(ANSWERS)
QUESTION = [HumanMessage("What is 6 times 7?")]


async def bare(model: Fake) -> None:
    """The work inside the calls, without LangChain."""
    await asyncio.gather(*(model._agenerate(QUESTION) for _ in range(SAMPLES)))


def main() -> dict[str, object]:
    model = Fake()
    options = {"stop_rule": "full"}
    vote = ChatScaffolding.wrap(model, sample_num=SAMPLES, method_options=options)
    chain = ChatPromptTemplate.from_template("{question}") | model | StrOutputParser()
    sampler = ScaffoldingRunnable.wrap(chain, sample_num=SAMPLES, method_options=options)
    core = ScaffoldingLlm(MajorityVoteController(NativeChatController(), SAMPLES, **options), Nothing())
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "bare": lambda: bare(model),
        "abatch": lambda: model.abatch([QUESTION] * SAMPLES),
        "vote": lambda: vote.ainvoke(QUESTION),
        "abatch of a chain": lambda: chain.abatch([{"question": "q"}] * SAMPLES),
        "vote over a chain": lambda: sampler.ainvoke({"question": "q"}),
        "core": lambda: core.generate_async("What is 6 times 7?").aresult(),
    }
    rounds = timed(calls)
    micro = rounds.microseconds()
    vote_ratio = rounds.ratio("vote", "abatch")
    chain_ratio = rounds.ratio("vote over a chain", "abatch of a chain")
    own = rounds.beside("vote", "core", "bare") / SAMPLES
    print(
        f"LangChain adapter: a vote of {SAMPLES}, against abatch of the same calls of a model that does nothing "
        f"(median of {ROUNDS} side-by-side rounds)\n"
        f"  abatch {micro['abatch']:.0f} us; a vote {vote_ratio:.2f} of it; a vote over a chain, whose runs are "
        f"counted and can be seen, {chain_ratio:.2f} of its abatch\n"
        f"  beside the core ({micro['core'] / SAMPLES:.0f} us) and the model, it takes {own:.0f} us a sample"
    )
    return {"us": micro, "vote": vote_ratio, "vote_over_chain": chain_ratio, "own_us_per_sample": own}
