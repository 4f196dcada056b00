"""From scripts, threads, running loops, and notebooks with and without nest_asyncio.

What patches asyncio, or starts processes, runs in a program of its own.
"""

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.async_utils import asyncio_run
from llama_index.core.llms import ChatMessage, ChatResponse, CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import DeadlockError, FunctionWorker
from tests.llamaindex.doubles import ScriptedLLM
from tests.servers.scripted import Reply, scripted_server

CHAT = [ChatMessage("q")]
FULL = {"stop_rule": "full"}
ROOT = Path(__file__).parents[3]


def wrapping():
    return ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), sample_num=3, method_options=FULL)


def standing_alone():
    return ScaffoldingLLM(worker=FunctionWorker(lambda task: "7"), sample_num=3, method_options=FULL)


MAKE = pytest.mark.parametrize("make", [wrapping, standing_alone])


def blocking_answers(llm):
    return [
        llm.chat(CHAT).message.content,
        list(llm.stream_chat(CHAT))[-1].message.content,
        llm.complete("q").text,
        list(llm.stream_complete("q"))[-1].text,
    ]


@MAKE
async def test_every_blocking_call_works_inside_a_running_loop(make):
    assert blocking_answers(make()) == ["7"] * 4


class OneAtATime(CustomLLM):
    """As local models are written for LlamaIndex: its async calls are its blocking ones, on the loop."""

    meeting: Any

    @property
    def metadata(self):
        return LLMMetadata()

    @llm_completion_callback()
    def complete(self, prompt, formatted=False, **kwargs):
        self.meeting.wait(10)
        return CompletionResponse(text="7")

    @llm_completion_callback()
    def stream_complete(self, prompt, formatted=False, **kwargs):
        self.meeting.wait(10)
        yield CompletionResponse(text="7", delta="7")


async def test_an_llm_whose_async_calls_block_does_not_hold_up_the_loop_nor_its_samples():
    llm = ScaffoldingLLM.wrap(OneAtATime(meeting=threading.Barrier(3)), sample_num=3, method_options=FULL)
    assert (await llm.achat(CHAT)).raw["votes"] == {"7": 3}
    assert (await llm.acomplete("q")).raw["votes"] == {"7": 3}
    assert [r async for r in await llm.astream_chat(CHAT)][-1].raw["votes"] == {"7": 3}
    assert [r async for r in await llm.astream_complete("q")][-1].raw["votes"] == {"7": 3}


class WithAsync(OneAtATime):
    """One that has an async way of its own."""

    async def achat(self, messages, **kwargs):
        return ChatResponse(message=ChatMessage(str(threading.get_ident()), role="assistant"))


async def test_an_async_way_of_its_own_is_taken():
    llm = ScaffoldingLLM.wrap(WithAsync(meeting=None), "direct")
    assert (await llm.achat(CHAT)).message.content == str(threading.get_ident())


@MAKE
def test_threads_share_one_llm(make):
    llm = make()
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: blocking_answers(llm), range(16))
        assert list(answers) == [["7"] * 4] * 16


@MAKE
def test_loops_one_after_another_share_one_llm(make):
    llm = make()
    assert [asyncio.run(llm.achat(CHAT)).message.content for _ in range(3)] == ["7"] * 3


@MAKE
async def test_llamaindexs_own_bridge_inside_a_running_loop(make):
    llm = make()
    assert asyncio_run(llm.achat(CHAT)).message.content == "7"
    assert (await llm.achat(CHAT)).message.content == "7"


def test_a_server_is_used_from_many_loops_and_threads():
    with scripted_server(Reply()) as server:
        llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
        answers = [asyncio.run(llm.achat(CHAT)).message.content for _ in range(3)]
        threads = [threading.Thread(target=lambda: answers.append(llm.complete("q").text)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        llm.close()
    assert answers == ["7"] * 6


async def test_a_call_that_would_wait_for_itself_is_one_typed_error():
    async def again(task):
        return llm.complete("q").text  # blocks the very loop that runs the outer call

    llm = ScaffoldingLLM("direct", worker=FunctionWorker(again))
    with pytest.raises(DeadlockError):
        llm.complete("q")


NOTEBOOK = """
import asyncio
import sys

if "nested" in sys.argv:
    import nest_asyncio
    nest_asyncio.apply()

from llama_index.core import Document, Settings, SummaryIndex
from llama_index.core.llms import ChatMessage
from llamaindex_scaffolding import ScaffoldingLLM, ScaffoldingQueryEngine, with_majority_vote
from tests.llamaindex.doubles import ScriptedLLM

CHAT = [ChatMessage("q")]


async def cell():
    llm = with_majority_vote(ScriptedLLM(answers=["7"]), n=3, stop_rule="full")
    print(llm.chat(CHAT).message.content, list(llm.stream_chat(CHAT))[-1].message.content)
    streamed = [response async for response in await llm.astream_chat(CHAT)]
    print((await llm.achat(CHAT)).message.content, streamed[-1].raw["votes"])
    if "nested" in sys.argv:
        print(asyncio.get_running_loop().run_until_complete(llm.achat(CHAT)).message.content)
    Settings.llm = llm
    engine = SummaryIndex([Document(text="seven")]).as_query_engine(use_async=True, response_mode="tree_summarize")
    print(engine.query("q"), await engine.aquery("q"), ScaffoldingQueryEngine(engine, sample_num=2).query("q"))


asyncio.run(cell())
"""


@pytest.mark.parametrize("nested", [True, False])
def test_a_notebook_with_and_without_nest_asyncio(nested):
    command = [sys.executable, "-c", NOTEBOOK, *(["nested"] if nested else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    shown = ["7 7", "7 {'7': 3}", *(["7"] if nested else []), "7 7 7"]
    assert (done.returncode, done.stdout.splitlines()) == (0, shown), done.stderr
    assert done.stderr == ""
