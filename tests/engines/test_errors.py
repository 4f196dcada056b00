"""What cannot be answered is one typed error, and the next request is served."""

import pytest

from scaffolding_core import (
    BadRequestError,
    ContextLengthExceededError,
    GenerationTask,
    InvalidRequestError,
    MCPCallTask,
    ModelFileError,
    ModelNotFoundError,
    UnsupportedTaskError,
)
from tests.engines.engine import ASKING, chat, generation


@pytest.mark.parametrize("asked", [generation, chat])
async def test_a_prompt_that_does_not_fit_is_told(engine, worker, asked):
    task = generation(input_str="spam " * engine.window) if asked is generation else chat("spam " * engine.window)
    for _ in range(2):
        with pytest.raises(ContextLengthExceededError) as raised:
            await worker.run_task(task)
        assert raised.value.attempts == 1
    await worker.run_task(asked())


async def test_a_model_that_is_not_there_is_told(engine):
    if engine.unknown_model is None:
        pytest.skip("any name stands for the one model it has")
    with pytest.raises((ModelNotFoundError, ModelFileError)) as raised:
        async with engine.unknown_model() as worker:
            await worker.run_task(generation())
    assert raised.value.attempts == 1


async def test_what_the_engine_does_not_understand_is_told(worker):
    with pytest.raises((BadRequestError, InvalidRequestError)):
        await worker.run_task(chat(response_format={"type": "nonsense"}))
    await worker.run_task(chat())


@pytest.mark.parametrize("task", [GenerationTask(), MCPCallTask()], ids=["no prompt", "no text"])
async def test_what_makes_no_sense_is_not_sent(worker, task):
    with pytest.raises(UnsupportedTaskError if isinstance(task, MCPCallTask) else InvalidRequestError):
        await worker.run_task(task)
    assert not (task.usage and task.usage.calls)


async def test_what_the_engine_lacks_is_one_typed_error(engine, worker, lacking):
    with pytest.raises((InvalidRequestError, BadRequestError)):
        await worker.run_task(ASKING[lacking](engine))
    await worker.run_task(generation())
