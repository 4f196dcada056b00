"""Users' own code is under the request's deadline, wherever it runs, and holds up nobody else."""

import asyncio
import threading
import time
from contextlib import suppress

import pytest
from pydantic import BaseModel, field_validator

from scaffolding_core import (
    BestOfNController,
    BudgetExceededError,
    ChainOfThoughtController,
    FieldVoteController,
    FromFunction,
    FunctionWorker,
    MajorityVoteController,
    NativeGenerationController,
    NativeRewardController,
    ScaffoldingLlm,
    Worker,
)
from scaffolding_core.answers import Exact, Extractor, KeyEquivalence, Parsed, WholeText

single = NativeGenerationController()
says = FunctionWorker(lambda task: "7")
says_data = FunctionWorker(lambda task: '{"value": 7}')
scores = FunctionWorker(lambda task: 1)
released, held_up = threading.Event(), threading.Event()


@pytest.fixture(autouse=True)
def held():
    released.clear()
    held_up.clear()


def hang(*given, **options):
    if not released.wait(30):
        held_up.set()
    return "7"


async def swallow(*given):
    while not released.is_set():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
    return "7"


class Finds(Extractor):
    def extract(self, message):
        return hang()


class FindsInAll(WholeText):
    extract = Finds.extract


class Compares(KeyEquivalence):
    def key(self, answer):
        return hang()


class ComparesExactly(Exact):
    key = Compares.key


class Checked(BaseModel):
    value: int

    @field_validator("value")
    def check(cls, value):
        return hang()


class Votes(MajorityVoteController):
    def majority_vote(self, candidates_tasks, **options):
        return 0, hang()


class Chooses(BestOfNController):
    def select_best(self, tasks, rewards, **options):
        return tasks[0], len(hang()) - 1


class Swallows(Worker):
    async def run_task(self, task):
        task.output_str = await swallow()


class EndsSlowly(Worker):
    async def run_task(self, task):
        task.output_str = "7"

    async def on_scope_end(self, scope_id):
        await swallow()


@pytest.mark.parametrize(
    ("method", "workers"),
    [
        (MajorityVoteController(single, 3, extractor=FromFunction(hang)), says),
        (MajorityVoteController(single, 3, extractor=Finds()), says),
        (MajorityVoteController(single, 3, extractor=FindsInAll()), says),
        (
            MajorityVoteController(single, 3, extractor=Parsed(Checked)),
            FunctionWorker(lambda task: '{"value": 7}'),
        ),
        (MajorityVoteController(single, 3, equivalence=Compares()), says),
        (MajorityVoteController(single, 3, equivalence=ComparesExactly()), says),
        (FieldVoteController(single, 3, extractor=FromFunction(hang)), says),
        (ChainOfThoughtController(single, extractor=FromFunction(hang)), says),
        (Votes(single, 3), says),
        (Chooses(single, NativeRewardController(), 3), {"generation": says, "reward": scores}),
        *(
            (BestOfNController(single, NativeRewardController(), 3), {"generation": says, "reward": reward})
            for reward in (FunctionWorker(hang), FunctionWorker(swallow))
        ),
        (single, FunctionWorker(hang)),
        (single, FunctionWorker(swallow)),
        (single, Swallows()),
        (single, EndsSlowly()),
    ],
    ids=lambda part: type(part).__name__,
)
async def test_it_ends_with_the_request(method, workers):
    async with ScaffoldingLlm(method, workers) as llm, ScaffoldingLlm(single, says) as other:
        try:
            async with asyncio.timeout(20):
                result = llm.generate_async("q", deadline=time.monotonic() + 0.05)
                await other.generate_async("q")
                await result.ended()
        finally:
            released.set()
    assert isinstance(result.error, BudgetExceededError | None)
    assert not held_up.is_set()
