"""BudgetForcingController: thoughts of no less and no more tokens than are wanted."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    Budget,
    BudgetExceededError,
    BudgetForcingController,
    ChatTask,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    SimulatedWorker,
    ToolCall,
    UnsupportedTaskError,
    UserMessage,
)
from tests.core.doubles import Method

pytestmark = pytest.mark.looptime

generation = NativeGenerationController()


class Thinker(SimulatedWorker):
    """Says one text after another, words as tokens; records what it was asked."""

    def __init__(self, *said, seconds=0.0):
        self.tasks, rest = [], iter(said)

        def answer(task, source):
            self.tasks.append(task)
            return next(rest)

        super().__init__(answer, seconds_per_token=seconds)

    @property
    def begun(self):
        return [task.answer_prefix or "" for task in self.tasks]


async def forced(worker, task="q", made_of=generation, budget=None, **options):
    async with ScaffoldingLlm(BudgetForcingController(made_of, **options), worker) as llm:
        return (await llm.generate_async(task, budget=budget)).output


async def test_a_thought_that_ends_too_soon_goes_on():
    worker = Thinker("I think it is 7.</think> 7", " no, it is 8.</think> 8", "\n\nIt is 8.")
    output = await forced(worker, waits=1, answers="number")
    assert output.text == "<think>\nI think it is 7.\nWait no, it is 8.</think>\n\nIt is 8."
    assert worker.begun == [
        "<think>\n",
        "<think>\nI think it is 7.\nWait",
        "<think>\nI think it is 7.\nWait no, it is 8.</think>",
    ]
    assert output.answer == "8"
    assert output.data == {"thinking_tokens": 9, "extended": 1, "closed": False}
    assert (output.finish_reason, output.method) == ("stop", "BudgetForcingController")


async def test_it_goes_on_until_it_has_so_many_tokens():
    worker = Thinker(*["one two three</think>"] * 9)
    output = await forced(worker, waits=0, min_thinking=8, extension=" Hm")
    assert output.data == {"thinking_tokens": 9, "extended": 2, "closed": False}
    assert output.text == "<think>\none two three Hmone two three Hmone two three</think>one two three</think>"


async def test_a_thought_that_is_too_long_is_closed_and_the_answer_asked_for():
    worker = Thinker("on and on and on and on", " 8")
    output = await forced(worker, max_thinking=3, waits=0)
    assert output.text == "<think>\non and on\n</think>\n\n**Final answer:** 8"
    assert output.data == {"thinking_tokens": 3, "extended": 0, "closed": True}
    assert [task.max_tokens for task in worker.tasks] == [3, None]


async def test_what_it_was_told_to_go_on_with_counts_into_the_same_limit():
    worker = Thinker("a b</think>", "c d e f", "8")
    output = await forced(worker, max_thinking=5, waits=3)
    assert [task.max_tokens for task in worker.tasks] == [5, 3, None]
    assert output.data == {"thinking_tokens": 5, "extended": 1, "closed": True}


async def test_a_model_that_has_nothing_to_add_is_not_asked_for_ever():
    worker = Thinker("a b</think>", "</think>", "8")
    output = await forced(worker, min_thinking=99)
    assert output.text == "<think>\na b\nWait</think>8"


async def test_a_thought_that_ends_without_its_mark_is_given_one():
    worker = Thinker("a b", " c", "8")
    assert (await forced(worker)).text == "<think>\na b\nWait c</think>8"


@pytest.mark.parametrize(
    "task",
    [
        GenerationTask(input_str="q\n<think>\n"),
        GenerationTask(input_str="q", answer_prefix="<think>\nSo "),
        ChatTask(messages=[UserMessage("q")], answer_prefix="<think>So "),
    ],
)
async def test_a_thought_that_is_open_already_is_not_opened_again(task):
    worker = Thinker("a</think>", "b</think>", "8")
    output = await forced(worker, task)
    assert output.text == "a\nWaitb</think>8"


async def test_a_chat_is_gone_on_with_in_its_text():
    worker = Thinker("a</think>", "b</think>", "8")
    output = await forced(worker, [UserMessage("q")], made_of=NativeChatController())
    assert output.text == "<think>\na\nWaitb</think>8"
    assert all(type(task) is ChatTask and len(task.messages) == 1 for task in worker.tasks)


async def test_the_marks_are_the_models_own():
    worker = Thinker("a[/THINK]", "b[/THINK]", "8")
    marks = {"opening": "[THINK]", "closing": "[/THINK]", "extension": " Again: "}
    assert (await forced(worker, **marks)).text == "[THINK]a Again: b[/THINK]8"


async def test_all_its_parts_together_have_the_tokens_of_the_task():
    worker = Thinker("a b c</think>", "d e</think>", "x y z")
    output = await forced(worker, GenerationTask(input_str="q", max_tokens=7))
    assert [task.max_tokens for task in worker.tasks] == [7, 4, 2]
    assert (output.finish_reason, output.text[-3:]) == ("length", "x y")


async def test_thoughts_that_use_them_up_are_all_there_is():
    worker = Thinker("a b c d")
    output = await forced(worker, GenerationTask(input_str="q", max_tokens=3))
    assert (len(worker.tasks), output.finish_reason) == (1, "length")


async def test_a_stop_of_the_tasks_own_ends_the_answer():
    worker = Thinker("a END b</think>")
    output = await forced(worker, GenerationTask(input_str="q", stop="END"))
    assert (output.text, len(worker.tasks)) == ("<think>\na ", 1)


async def test_a_call_of_a_tool_is_handed_on_whole():
    call = ToolCall("1", "add", "{}")
    worker = FunctionWorker(lambda task: AssistantMessage("I add", tool_calls=[call]))
    output = await forced(worker, made_of=NativeChatController())
    assert output.message.tool_calls == [call]
    assert output.finish_reason == "tool_calls"


async def test_thoughts_that_a_server_tells_apart_are_an_error_that_says_what_to_do():
    worker = FunctionWorker(lambda task: AssistantMessage("8", reasoning="hm"))
    with pytest.raises(UnsupportedTaskError, match="reasoning parser"):
        await forced(worker, made_of=NativeChatController())


async def test_an_answer_that_time_cuts_is_kept_as_far_as_it_goes():
    worker = Thinker("a b</think>", "c d</think>", "x y z", seconds=1.0)
    output = await forced(worker, budget=Budget(seconds=6.5))
    assert (output.text, output.stopped, output.finish_reason) == (
        "<think>\na b\nWaitc d</think>x y",
        "budget",
        "cancelled",
    )


async def test_thoughts_alone_are_no_answer():
    with pytest.raises(BudgetExceededError):
        await forced(Thinker("a b</think>", "c d</think>", seconds=1.0), budget=Budget(seconds=3.5))


async def test_the_given_task_keeps_its_prompt():
    given = []

    def process(tasks):
        given.extend(tasks)
        return (yield from BudgetForcingController(generation).process(tasks))

    async with ScaffoldingLlm(Method(process), Thinker("a", "b", "8")) as llm:
        await llm.generate_async("q")
    (task,) = given
    assert (task.input_str, task.answer_prefix, task.output_str) == ("q", None, "<think>\na\nWaitb</think>8")


@pytest.mark.parametrize(
    "options",
    [
        {"waits": 0},
        {"waits": -1},
        {"min_thinking": 9, "max_thinking": 8},
        {"max_thinking": 0},
        {"closing": " "},
        {"opening": ""},
    ],
)
def test_other_settings_are_refused(options):
    with pytest.raises(InvalidRequestError):
        BudgetForcingController(generation, **options)


async def test_a_mark_that_a_server_leaves_in_the_text_is_there_once():
    said = iter(["a</think>", "b</think>", "8"])
    output = await forced(FunctionWorker(lambda task: next(said)))
    assert output.text == "<think>\na\nWaitb</think>8"
