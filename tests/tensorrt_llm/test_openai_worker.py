"""OpenaiWorker and TRTOpenaiWorker against a scripted server: how they are made, and what goes on the wire."""

import pytest

from scaffolding_core.tensorrt_llm import (
    GenerationTask,
    NativeGenerationController,
    OpenaiWorker,
    ScaffoldingLlm,
    TRTOpenaiWorker,
)
from tests.servers.scripted import Reply, scripted_server


class Client:
    """Of an `openai.AsyncOpenAI`, what is used."""

    def __init__(self, base_url):
        self.base_url = base_url
        self.api_key = "k"


@pytest.mark.parametrize("kind", [OpenaiWorker, TRTOpenaiWorker])
async def test_a_worker_is_made_of_a_client_by_the_name_that_tensorrt_llm_has_for_it(kind):
    with scripted_server(Reply()) as server:
        async with kind(async_client=Client(server.url), model="m") as worker:
            await worker.run_task(GenerationTask(input_str="q"))
    assert server.requests[0]["model"] == "m"
    assert server.headers[0]["Authorization"] == "Bearer k"


def test_parameters_of_trtllm_serve_are_sent():
    with scripted_server(Reply("hi")) as server:
        controller = NativeGenerationController(sampling_params={"top_k": 3, "min_tokens": 2, "max_tokens": 8})
        worker = TRTOpenaiWorker(Client(server.url), "m", extra_body={"priority": 0.7})
        llm = ScaffoldingLlm(controller, {NativeGenerationController.WorkerTag.GENERATION: worker})
        assert llm.generate("q").outputs[0].text == "hi"
        llm.shutdown(shutdown_workers=True)
    body = server.requests[0]
    assert (body["top_k"], body["min_tokens"], body["max_tokens"], body["priority"]) == (3, 2, 8, 0.7)


async def test_what_else_the_server_takes_may_be_said():
    with scripted_server(Reply()) as server:
        async with TRTOpenaiWorker(server.url, "m", accepts=["top_k"]) as worker:
            await worker.run_task(GenerationTask(input_str="q", top_k=3))
    assert server.requests[0]["top_k"] == 3
