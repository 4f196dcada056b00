"""Query engines over `Settings.llm = ScaffoldingLLM(...)`, in every response mode, streamed or not.

Answers are scripted, so that each mode's last one is known; one run on the embedded model.
"""

import pytest
from llama_index.core import Settings
from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse
from llama_index.core.response_synthesizers import ResponseMode

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import FunctionWorker
from tests.llamaindex.engines import summary_index

MODES = [
    ResponseMode.COMPACT,
    ResponseMode.REFINE,
    ResponseMode.TREE_SUMMARIZE,
    ResponseMode.ACCUMULATE,
    ResponseMode.COMPACT_ACCUMULATE,
    ResponseMode.SIMPLE_SUMMARIZE,
    ResponseMode.GENERATION,
]
WITHOUT_STREAM = (ResponseMode.ACCUMULATE, ResponseMode.COMPACT_ACCUMULATE)  # LlamaIndex cannot stream these


@pytest.fixture
def asked():
    """What the LLM in the settings was asked; two of three samples of each request say Paris."""
    tasks = []

    async def answer(task):
        siblings = [other for other in tasks if other.group is task.group]
        tasks.append(task)
        return ["Paris", "Rome", "Paris"][len(siblings)]

    Settings.llm = ScaffoldingLLM(
        worker=FunctionWorker(answer), sample_num=3, method_options={"stop_rule": "full"}
    )
    yield tasks
    Settings.llm = None


def engine(mode, **options):
    index = summary_index("Paris is the capital.", "Rome is not.")
    return index.as_query_engine(response_mode=mode, **options)


@pytest.mark.parametrize("use_async", [False, True])
@pytest.mark.parametrize("mode", MODES)
async def test_the_voted_answer_in_every_mode(asked, mode, use_async):
    for response in (
        engine(mode, use_async=use_async).query("Which city?"),
        await engine(mode, use_async=use_async).aquery("Which city?"),
    ):
        assert "Paris" in str(response)
        assert "Rome" not in str(response)
    assert len(asked) % 3 == 0


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in WITHOUT_STREAM])
async def test_the_voted_answer_streamed_in_every_mode(asked, mode):
    response = engine(mode, streaming=True).query("Which city?")
    assert isinstance(response, StreamingResponse)
    assert "".join(response.response_gen) == "Paris"
    response = await engine(mode, streaming=True).aquery("Which city?")
    assert isinstance(response, AsyncStreamingResponse)
    assert "".join([text async for text in response.async_response_gen()]) == "Paris"


async def test_no_text_asks_nothing(asked):
    response = engine(ResponseMode.NO_TEXT).query("Which city?")
    assert (len(response.source_nodes), asked) == (2, [])


@pytest.mark.parametrize("mode", MODES)
async def test_every_mode_on_the_embedded_model(local_worker, mode):
    Settings.llm = ScaffoldingLLM(worker=local_worker, sample_num=2, max_tokens=8, temperature=0.3)
    try:
        assert str(engine(mode).query("Which city is the capital?")).strip()
        assert str(await engine(mode).aquery("Which city is the capital?")).strip()
    finally:
        Settings.llm = None
