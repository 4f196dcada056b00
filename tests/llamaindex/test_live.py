"""What LlamaIndex asks of an LLM, on a server that runs already: its own client, one sample, and a vote.

It brings no suite for LLMs. Collected only where `SCAFFOLDING_TEST_URL` names one.
"""

from contextlib import asynccontextmanager

import httpx
import pytest
from llama_index.core import PromptTemplate
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from llamaindex_scaffolding import ScaffoldingLLM
from tests.bare_first import BareFirst
from tests.llamaindex.engines import summary_index
from tests.servers import live

CHAT = [ChatMessage("Be brief.", role="system"), ChatMessage("What is 2+2?")]
LIMITS = {"temperature": 0.0, "max_tokens": 40}
BARE_FIRST = BareFirst()


class Word(BaseModel):
    """A word."""

    word: str


def clock(zone: str) -> str:
    """Tells the time in a zone."""
    return "12:30"


@asynccontextmanager
async def bare():
    with httpx.Client() as client:
        async with httpx.AsyncClient() as async_client:
            yield OpenAILike(
                model=live.model(),
                api_base=live.URL,
                api_key=live.KEY or "none",
                is_chat_model=True,
                is_function_calling_model=True,
                max_retries=0,
                http_client=client,
                async_http_client=async_client,
                **LIMITS,
            )


@asynccontextmanager
async def ours(**fields):
    llm = ScaffoldingLLM(api_base=live.URL, api_key=live.KEY, model=live.model(), **LIMITS, **fields)
    yield llm
    await llm.aclose()


KINDS = {
    "bare": bare,
    "direct": lambda: ours(method="direct"),
    "voted": lambda: ours(method="majority_vote", sample_num=3),
}


@pytest.fixture(params=KINDS)
async def llm(request):
    name = request.node.originalname
    (BARE_FIRST.note if request.param == "bare" else BARE_FIRST.excuse)(request, name)
    async with KINDS[request.param]() as llm:
        yield llm


async def test_chats(llm):
    responses = [llm.chat(CHAT), await llm.achat(CHAT)]
    responses += [list(llm.stream_chat(CHAT))[-1], [each async for each in await llm.astream_chat(CHAT)][-1]]
    assert all(response.message.content for response in responses)


async def test_completions(llm):
    responses = [llm.complete("Once"), await llm.acomplete("Once")]
    responses += [list(llm.stream_complete("Once"))[-1]]
    responses += [[each async for each in await llm.astream_complete("Once")][-1]]
    assert all(response.text for response in responses)


async def test_deltas_are_the_answer(llm):
    responses = [each async for each in await llm.astream_chat(CHAT)]
    assert "".join(each.delta or "" for each in responses) == responses[-1].message.content


async def test_a_tool_is_called(llm):
    response = llm.chat_with_tools([FunctionTool.from_defaults(clock)], "What time is it?", tool_required=True)
    assert llm.get_tool_calls_from_response(response)[0].tool_name == "clock"


async def test_a_schema_is_followed(llm):
    schema = {"name": "word", "schema": Word.model_json_schema()}
    asked = {"response_format": {"type": "json_schema", "json_schema": schema}}
    assert Word.model_validate_json(llm.chat(CHAT, **asked).message.content)


async def test_a_structure_is_predicted(llm):
    assert llm.structured_predict(Word, PromptTemplate("Say the word yes.")).word


async def test_a_query_engine_answers(llm):
    engine = summary_index("The lighthouse is 24 metres tall.").as_query_engine(llm=llm)
    assert str(engine.query("How tall is it?")).strip()
    assert str(await engine.aquery("How tall is it?")).strip()
