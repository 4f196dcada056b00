"""What a method of several leaves in the task that it was given: the results of what it chose, and its prompt."""

import pytest

from scaffolding_core import (
    BanditRoutingController,
    CascadeController,
    Controller,
    DebateController,
    FunctionWorker,
    MixtureOfAgentsController,
    NativeChatController,
    PanelController,
    ScaffoldingLlm,
    ScaffoldingOutput,
)

chat, strong = NativeChatController(), NativeChatController(role="strong")


class Taken(Controller):
    """What is in the task once a method has run it."""

    def __init__(self, method):
        self.method = method

    def process(self, tasks):
        output = yield from self.method.process(tasks)
        assert output.text == tasks[0].output_str
        assert tasks[0].input_str == "q"
        return ScaffoldingOutput(tasks[0].output_str)


@pytest.mark.parametrize(
    ("method", "answers", "told"),
    [
        (CascadeController(chat, strong, 2), ["7", "7"], "7"),
        (CascadeController(chat, strong, 2), ["7", "8"], "42"),
        (MixtureOfAgentsController(chat, strong, 2, layers=1), ["7", "8"], "42"),
        (DebateController(chat, 2), ["1", "2", "3", "3"], "3"),
        (BanditRoutingController(PanelController([strong]), None), [], "42"),
    ],
)
async def test_the_task_has_the_results_of_the_answer(method, answers, told):
    left = iter(answers)
    workers = {"generation": FunctionWorker(lambda task: next(left)), "strong": FunctionWorker(lambda task: "42")}
    async with ScaffoldingLlm(Taken(method), workers) as llm:
        assert (await llm.generate_async("q")).text == told
