"""TRTOpenaiWorker against a scripted server: which parameters go on the wire."""

from scaffolding_core import GenerationTask, NativeGenerationController, ScaffoldingLlm, TRTOpenaiWorker
from tests.servers.scripted import Reply, scripted_server


def test_parameters_of_trtllm_serve_are_sent():
    with scripted_server(Reply("hi")) as server:

        class Client:
            base_url = server.url
            api_key = "k"

        controller = NativeGenerationController(sampling_params={"top_k": 3, "min_tokens": 2, "max_tokens": 8})
        worker = TRTOpenaiWorker(Client(), "m", extra_body={"priority": 0.7})
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
