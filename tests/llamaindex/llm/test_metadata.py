"""What a ScaffoldingLLM says that it is: name and context window are the backend's, also before the first call."""

import asyncio
import subprocess
import sys

import pytest
from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW
from llama_index.core.indices.prompt_helper import PromptHelper
from llama_index.core.llms import ChatMessage

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import FunctionWorker, ModelInfo, OpenAIWorker
from tests.servers.scripted import Reply, scripted_server

CHAT = [ChatMessage("q")]
VLLM = [{"id": "big", "max_model_len": 32768}]


@pytest.fixture
def server():
    with scripted_server(Reply()) as server:
        server.listed = VLLM
        yield server


def known(llm):
    return llm.metadata.model_name, llm.metadata.context_window


def test_they_are_the_servers(server):
    llm = ScaffoldingLLM("direct", api_base=server.url)
    assert known(llm) == ("big", 32768)
    assert PromptHelper.from_llm_metadata(llm.metadata).context_window == 32768
    llm.chat(CHAT)
    assert known(llm) == ("big", 32768)
    assert server.asked == ["/v1/models"]
    llm.close()


async def test_they_are_so_on_a_running_loop_too(server):
    llm = ScaffoldingLLM("direct", api_base=server.url)
    assert known(llm) == ("big", 32768)
    await llm.achat(CHAT)
    assert server.asked == ["/v1/models"]
    await llm.aclose()


async def test_a_call_on_a_loop_learns_them_and_is_not_held_up_to_tell_its_event(server):
    server.list_wait = 0.3
    llm = ScaffoldingLLM("direct", api_base=server.url)
    call = asyncio.create_task(llm.achat(CHAT))
    longest, last = 0.0, asyncio.get_running_loop().time()
    while not call.done():
        await asyncio.sleep(0.01)
        now = asyncio.get_running_loop().time()
        longest, last = max(longest, now - last), now
    assert longest < 0.25
    assert known(llm) == ("big", 32768)
    assert len(server.asked) == 1
    await llm.aclose()


def test_what_the_user_names_counts_and_nothing_is_asked(server):
    llm = ScaffoldingLLM("direct", api_base=server.url, model="m", context_window=99)
    assert known(llm) == ("m", 99)
    assert server.asked == []


def test_what_the_user_leaves_out_is_asked_for(server):
    server.listed = [*VLLM, {"id": "small", "max_model_len": 2048}]
    assert known(ScaffoldingLLM("direct", api_base=server.url, model="small")) == ("small", 2048)
    assert known(ScaffoldingLLM("direct", api_base=server.url, context_window=99)) == ("big", 99)


def test_copies_share_what_was_learnt(server):
    llm = ScaffoldingLLM("direct", api_base=server.url)
    assert known(llm.model_copy()) == known(llm) == ("big", 32768)
    assert known(llm.model_copy(update={"temperature": 0.5})) == ("big", 32768)


def test_a_server_that_tells_no_window_has_llamaindexs_own(server):
    server.listed = [{"id": "llama", "owned_by": "tensorrt_llm"}]
    llm = ScaffoldingLLM("direct", api_base=server.url)
    assert known(llm) == ("llama", DEFAULT_CONTEXT_WINDOW)
    assert len(server.asked) == 1


def test_no_server_leaves_it_open():
    llm = ScaffoldingLLM("direct", api_base="http://127.0.0.1:9/v1")
    assert known(llm) == ("unknown", DEFAULT_CONTEXT_WINDOW)


async def test_they_are_the_embedded_servers(embedded_url):
    name, window = known(ScaffoldingLLM("direct", api_base=embedded_url))
    assert "SmolLM2-135M-Instruct" in name
    assert window == 8192


def test_they_are_those_of_a_worker(server):
    worker = FunctionWorker(lambda task: "7")
    assert known(ScaffoldingLLM("direct", worker=worker)) == ("unknown", DEFAULT_CONTEXT_WINDOW)
    worker.model_info = ModelInfo(name="mine", context_window=99)
    assert known(ScaffoldingLLM("direct", worker=worker)) == ("mine", 99)
    assert known(ScaffoldingLLM("direct", worker=OpenAIWorker(server.url))) == ("big", 32768)


def test_a_notebook_with_nest_asyncio_learns_them_too(server):
    program = f"""
import asyncio, nest_asyncio
nest_asyncio.apply()
from llamaindex_scaffolding import ScaffoldingLLM

async def cell():
    return ScaffoldingLLM("direct", api_base={server.url!r}).metadata.context_window

print(asyncio.run(cell()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "32768"
