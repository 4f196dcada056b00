"""What workers find out about their model: as the servers there are tell it, or do not.

Scripted where no such server can run here; llama.cpp is asked itself.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scaffolding_core import (
    BackendTimeoutError,
    BackendUnavailableError,
    FunctionWorker,
    GenerationTask,
    ModelInfo,
    ModelNotFoundError,
    OpenAIWorker,
    WorkerError,
)
from scaffolding_core.workers.recording import RecordingWorker
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server

VLLM = [
    {"id": "big", "owned_by": "vllm", "max_model_len": 32768, "parent": None},
    {"id": "tuned", "owned_by": "vllm", "max_model_len": None, "parent": "big"},
]
LLAMA_CPP = [
    {"id": "/m.gguf", "owned_by": "llamacpp", "aliases": ["m"], "meta": {"n_ctx": 4096, "n_ctx_train": 8192}}
]
OLDER_LLAMA_CPP = [{"id": "/m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}]
TRTLLM = [{"id": "llama", "object": "model", "owned_by": "tensorrt_llm"}]


@pytest.fixture
def slow_to_list():
    with scripted_server(Reply()) as server:
        server.list_held = threading.Event()
        yield server
        server.list_held.set()


async def learnt(models, name=None, props=None):
    """What is known after asking, and what was asked."""
    with scripted_server(Reply()) as server:
        server.listed, server.props = models, props
        async with OpenAIWorker(server.url, name) as worker:
            await worker.learn_model()
            await worker.learn_model()
            return worker.model_info, server.asked


@pytest.mark.parametrize(
    ("models", "name", "known"),
    [
        (VLLM, None, ("big", 32768)),
        (VLLM, "big", ("big", 32768)),
        (VLLM, "tuned", ("tuned", 32768)),  # an adapter has the window of its base
        (VLLM, "other", ("other", None)),
        (LLAMA_CPP, None, ("/m.gguf", 4096)),
        (LLAMA_CPP, "m", ("m", 4096)),
        (LLAMA_CPP, "whatever", ("whatever", 4096)),  # it answers by any name
        (TRTLLM, None, ("llama", None)),
        ([{"id": "gpt", "context_window": 131072}], "gpt", ("gpt", 131072)),
        ([{"id": "odd", "max_model_len": "many"}], None, ("odd", None)),
    ],
)
async def test_a_server_is_asked_once_for_name_and_window(models, name, known):
    info, asked = await learnt(models, name)
    assert (info.name, info.context_window) == known
    assert asked == ["/v1/models"]


async def test_an_older_llama_cpp_tells_its_window_in_its_properties():
    props = {"default_generation_settings": {"n_ctx": 2048}}
    info, asked = await learnt(OLDER_LLAMA_CPP, props=props)
    assert info == ModelInfo(name="/m.gguf", context_window=2048)
    assert asked == ["/v1/models", "/props"]


@pytest.mark.parametrize("props", [None, {"default_generation_settings": {}}, {"default_generation_settings": 1}])
async def test_what_the_model_was_trained_for_is_not_taken_for_what_is_served(props):
    info, _ = await learnt(OLDER_LLAMA_CPP, props=props)
    assert info == ModelInfo(name="/m.gguf")


async def test_the_embedded_server_tells_what_its_worker_knows(embedded_url, local_worker):
    async with OpenAIWorker(embedded_url) as worker:
        await worker.learn_model()
        assert worker.model_info.context_window == local_worker.model_info.context_window == 8192
        assert local_worker.model_info.name in worker.model_info.name


async def test_a_call_that_needs_the_name_learns_the_window_too():
    with scripted_server(Reply()) as server:
        server.listed = VLLM
        async with OpenAIWorker(server.url) as worker:
            await worker.run_task(GenerationTask(input_str="q"))
            assert worker.model_info == ModelInfo(name="big", context_window=32768)


async def test_a_call_with_a_name_asks_nothing():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            await worker.run_task(GenerationTask(input_str="q"))
    assert server.asked == []


@pytest.mark.parametrize("models", [None, "big", ["big"], [{"name": "big"}]])
async def test_what_is_no_list_of_models_is_an_error(models):
    with pytest.raises(WorkerError, match="does not list its models"):
        await learnt(models)


async def test_nothing_that_answers_is_an_error():
    async with OpenAIWorker("http://127.0.0.1:9/v1") as worker:
        with pytest.raises(BackendUnavailableError, match="no server answers"):
            await worker.learn_model()


async def test_a_server_that_lists_no_model_yet_is_asked_again():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url) as worker:
            server.listed = []
            with pytest.raises(ModelNotFoundError, match="lists no model"):
                await worker.run_task(GenerationTask(input_str="q"))
            server.listed = VLLM
            await worker.learn_model()
            assert worker.model_info.name == "big"


async def test_a_server_that_does_not_tell_in_time_is_left(slow_to_list, monkeypatch):
    monkeypatch.setattr("scaffolding_core.workers.http.asking._SECONDS", 0.05)
    async with OpenAIWorker(slow_to_list.url) as worker:
        with pytest.raises(BackendTimeoutError, match="name one with model="):
            await worker.run_task(GenerationTask(input_str="q"))


# One question for all.


def in_threads(count, ask):
    """Starts to ask, each on a loop in a thread of its own."""
    pool = ThreadPoolExecutor(count)
    asking = [pool.submit(asyncio.run, ask()) for _ in range(count)]
    pool.shutdown(wait=False)
    return asking


def test_all_who_ask_at_once_share_one_question_over_loops_threads_and_workers(slow_to_list):
    workers = [OpenAIWorker(slow_to_list.url), OpenAIWorker(slow_to_list.url, timeout=9)]

    async def ask():
        await asyncio.gather(*(worker.run_task(GenerationTask(input_str="q")) for worker in workers * 2))

    asking = in_threads(4, ask)
    asyncio.run(until(lambda: slow_to_list.asked))
    slow_to_list.list_held.set()
    for each in asking:
        each.result()
    assert slow_to_list.asked == ["/v1/models"]
    assert [worker.model_info.name for worker in workers] == ["scripted-model"] * 2
    for worker in workers:
        worker.shutdown()


async def test_one_who_asks_and_is_cut_leaves_the_others_their_answer(slow_to_list):
    async with OpenAIWorker(slow_to_list.url) as worker:
        tasks = [GenerationTask(input_str="q") for _ in range(3)]
        first, *others = [asyncio.create_task(worker.run_task(task)) for task in tasks]
        await until(lambda: slow_to_list.asked)
        first.cancel()
        await asyncio.wait([first])
        slow_to_list.list_held.set()
        await asyncio.gather(*others)
    assert [task.output_str for task in tasks] == [None, "7", "7"]
    assert slow_to_list.asked == ["/v1/models"]


def test_where_the_loop_that_asks_ends_another_asks(slow_to_list):
    worker = OpenAIWorker(slow_to_list.url)

    async def leave():
        task = asyncio.create_task(worker.learn_model())
        await until(lambda: slow_to_list.asked)
        return task

    asyncio.run(leave())
    (asking,) = in_threads(1, worker.learn_model)
    asyncio.run(until(lambda: len(slow_to_list.asked) == 2))
    slow_to_list.list_held.set()
    asking.result()
    assert worker.model == "scripted-model"
    worker.shutdown()


async def test_a_failure_is_told_to_all_who_wait_and_to_nobody_later():
    with scripted_server(Reply()) as server:
        server.listed, server.list_wait = None, 0.02
        async with OpenAIWorker(server.url) as worker:
            errors = await asyncio.gather(*(worker.learn_model() for _ in range(3)), return_exceptions=True)
            assert len({id(error) for error in errors}) == 3
            assert {type(error) for error in errors} == {WorkerError}
            assert len(server.asked) == 1
            server.listed = VLLM
            await worker.learn_model()
    assert len(server.asked) == 2


async def test_a_recording_worker_knows_what_the_worker_inside_knows():
    with scripted_server(Reply()) as server:
        server.listed = VLLM
        async with OpenAIWorker(server.url) as inner:
            worker = RecordingWorker(inner)
            await worker.learn_model()
            assert worker.model_info.context_window == 32768


async def test_a_worker_of_ones_own_says_what_its_model_is_or_nothing():
    class Mine(FunctionWorker):
        model_info = ModelInfo(name="mine", context_window=99)

    assert Mine(str).model_info.context_window == 99
    await FunctionWorker(str).learn_model()
    assert FunctionWorker(str).model_info == ModelInfo()
