"""A worker that has served requests can be pickled, where what it holds can."""

import pickle

from scaffolding_core import NativeGenerationController, ScaffoldingLlm, Worker


class Echo(Worker):
    async def run_task(self, task):
        task.output_str = task.input_str


def test_a_worker_that_has_served_requests_can_be_pickled():
    worker = Echo()
    for _ in range(2):
        with ScaffoldingLlm(NativeGenerationController(), worker) as llm:
            assert llm.generate("7").text == "7"
        worker = pickle.loads(pickle.dumps(worker))
