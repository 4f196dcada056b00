"""RewardModelWorker on a live server, whose address `SCAFFOLDING_TEST_REWARD_URL` names."""

import asyncio

import pytest

from scaffolding_core import AssistantMessage, ContextLengthExceededError, RewardModelWorker, RewardTask
from tests.servers.live import REWARD_URL


def task(answer):
    return RewardTask(input_str="What is 2 + 2?", response=AssistantMessage(answer))


async def test_equal_answers_have_equal_scores_and_one_that_is_too_long_harms_no_other():
    tasks = [task("4"), task("It is five.\n\nOr six."), task("4"), task("so " * 100_000)]
    async with RewardModelWorker(REWARD_URL) as worker:
        ended = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
    assert ended[:3] == [None] * 3
    assert isinstance(ended[3], ContextLengthExceededError)
    assert tasks[0].reward == pytest.approx(tasks[2].reward, abs=0.01)
    assert all(0 <= each.reward <= 1 for each in tasks[:3])
    assert sum(each.usage.prompt_tokens for each in tasks) > 0
