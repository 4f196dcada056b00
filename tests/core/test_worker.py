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
    StreamGenerationTask,
    Worker,
    WorkerError,
)


class WholeTask(StreamGenerationTask):
    """Done at once, as a chat of TensorRT-LLM's is, though it is a stream there."""

    goes_on = False


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


@pytest.mark.parametrize(("kind", "run"), [(StreamGenerationTask, "a step"), (WholeTask, "the whole")])
async def test_a_handler_of_steps_does_no_whole_task_and_one_of_whole_tasks_no_step(kind, run):
    class Both(Worker):
        async def step(self, task):
            task.output_str = "a step"

        async def whole(self, task):
            task.output_str = "the whole"

        task_handlers = {StreamGenerationTask: step, GenerationTask: whole}

    task = kind(input_str="q")
    await Both().run_task(task)
    assert task.output_str == run
