"""Worker: what its handlers leave in a task."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    Worker,
    WorkerError,
)


def handled_by(handler):
    class Custom(Worker):
        task_handlers = {GenerationTask: handler}

    return Custom()


@pytest.mark.parametrize("method", [NativeGenerationController(), NativeChatController()])
async def test_a_handler_that_fills_nothing_in_is_an_error_and_no_empty_answer(method):
    async def forgets(worker, task):
        pass

    async with ScaffoldingLlm(method, handled_by(forgets)) as llm:
        with pytest.raises(WorkerError, match=r"Custom left the \w+Task empty: set output_str"):
            await llm.generate_async("q")


@pytest.mark.parametrize("value", [7, b"text", {"text": "7"}])
async def test_an_output_that_is_no_text_is_an_error_that_names_it(value):
    async def fills(worker, task):
        task.output_str = value

    async with ScaffoldingLlm(NativeGenerationController(), handled_by(fills)) as llm:
        with pytest.raises(WorkerError, match=r"Custom set output_str to .*: it must be text"):
            await llm.generate_async("q")
    with pytest.raises(InvalidRequestError, match="must be text or a list of parts, got"):
        AssistantMessage(value).text  # noqa: B018  # reading it is what fails


@pytest.mark.parametrize(
    "filled",
    [{"output_str": ""}, {"output_tokens": [1]}, {"custom_output_params": {"a": 1}}, {"original": 7}],
)
async def test_any_result_will_do(filled):
    async def fills(worker, task):
        for name, value in filled.items():
            setattr(task, name, value)

    for task in (GenerationTask(input_str="q"), ChatTask()):
        await handled_by(fills).run_task(task)


async def test_so_will_a_task_of_ones_own():
    class Own(GenerationTask):
        seen = False

    async def sees(worker, task):
        task.seen = True

    task = Own(input_str="q")
    await handled_by(sees).run_task(task)
    assert task.seen
