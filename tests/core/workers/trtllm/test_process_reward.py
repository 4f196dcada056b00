"""ProcessRewardWorker on a TRTLLMWorker: steps scored by the context logits of TensorRT-LLM's double."""

import asyncio

from scaffolding_core import AssistantMessage, ProcessRewardWorker, RewardTask
from tests.core.workers.trtllm.conftest import requests


async def test_each_answer_is_a_prompt_of_its_own_whose_logits_are_asked_for(make_worker):
    worker = make_worker("x")
    prm = ProcessRewardWorker(worker, worker.llm.tokenizer, separator="|")
    tasks = [RewardTask(input_str="q", response=AssistantMessage(answer)) for answer in ("a\n\nb", "c")]
    await asyncio.gather(*map(prm.run_task, tasks))
    assert [len(task.step_rewards) for task in tasks] == [2, 1]
    assert all(0 <= task.reward <= 1 for task in tasks)
    assert len(requests(worker)) == 2
