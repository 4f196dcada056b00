"""A worker that has served requests can be pickled, where what it holds can."""

import asyncio
import pickle

from scaffolding_core import NativeGenerationController, OpenAIWorker, ScaffoldingLlm, Worker
from tests.servers.scripted import Reply, scripted_server


class Echo(Worker):
    async def run_task(self, task):
        task.output_str = task.input_str


def test_a_worker_that_has_served_requests_can_be_pickled():
    worker = Echo()
    for _ in range(2):
        with ScaffoldingLlm(NativeGenerationController(), worker) as llm:
            assert llm.generate("7").text == "7"
        worker = pickle.loads(pickle.dumps(worker))


async def test_a_worker_of_a_server_can_be_pickled_while_it_runs():
    with scripted_server(Reply(wait=0.2)) as server:
        worker = OpenAIWorker(server.url, api_key="secret", headers={"X-Team": "us"})
        async with ScaffoldingLlm(NativeGenerationController(), worker) as llm:
            running = llm.generate_async("q")
            while not server.requests:
                await asyncio.sleep(0.01)
            again = pickle.loads(pickle.dumps(worker))
            assert (await running).text == "7"
        async with again, ScaffoldingLlm(NativeGenerationController(), again) as llm:
            assert (await llm.generate_async("q")).text == "7"
        assert [headers["Authorization"] for headers in server.headers] == ["Bearer secret"] * 2
        assert server.headers[-1]["X-Team"] == "us"
        await worker.async_shutdown()
