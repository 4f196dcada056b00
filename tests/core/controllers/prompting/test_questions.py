"""Methods that ask otherwise than they were asked: what the model is told, and what is kept."""

import pytest

from scaffolding_core import (
    ChainOfThoughtController,
    ChatTask,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    PlanAndSolveController,
    ReReadingController,
    ScaffoldingLlm,
    StepBackController,
    UserMessage,
)
from tests.servers.scripted import Reply, scripted_server

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
CHAT = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"role": "user", "content": "q"},
]


async def asked(controller, prompt, *answers, **options):
    """What the model was asked, and the output; scripted, since prompts are looked at."""
    said, left = [], list(answers)

    def backend(task):
        said.append(task.messages[-1].content if isinstance(task, ChatTask) else task.input_str)
        return left.pop(0)

    async with ScaffoldingLlm(controller, FunctionWorker(backend)) as llm:
        return said, (await llm.generate_async(prompt, **options)).output


@pytest.mark.parametrize("make", [PlanAndSolveController, ReReadingController])
async def test_the_instruction_stands_behind_the_last_question_and_the_answer_is_read(make):
    method = make(NativeChatController(), instruction="Think.")
    (said,), output = await asked(method, CHAT, "So it is \\boxed{7}.")
    assert said.startswith("q\n\n")
    assert said.endswith("Think.")
    assert (output.answer, output.method) == ("7", make.__name__)


async def test_a_plan_is_asked_for():
    (said,), _ = await asked(PlanAndSolveController(NativeGenerationController()), "How many?", "7")
    assert said.startswith("How many?\n\nFirst understand the question")
    assert "make a plan" in said


@pytest.mark.parametrize(
    ("generation", "prompt", "told"),
    [
        (NativeGenerationController(), "How many?", "How many?\n\nRead the question again: How many?\n\nThink."),
        (NativeChatController(), CHAT, "q\n\nRead the question again: q\n\nThink."),
        (
            NativeChatController(),
            [UserMessage([{"type": "text", "text": "what is it?"}, PICTURE])],
            [
                {"type": "text", "text": "what is it?"},
                PICTURE,
                {"type": "text", "text": "Read the question again: what is it?\n\nThink."},
            ],
        ),
    ],
    ids=["text", "chat", "picture"],
)
async def test_the_question_is_said_twice(generation, prompt, told):
    (said,), _ = await asked(ReReadingController(generation, instruction="Think."), prompt, "7")
    assert said == told


@pytest.mark.parametrize(
    "generation", [NativeGenerationController(), NativeChatController()], ids=["text", "chat"]
)
async def test_the_principles_are_asked_for_first_and_stand_before_the_answer(generation):
    (first, second), output = await asked(
        StepBackController(generation, answers="number"), "How fast?", "Use {v} = s / t.", "It is 7."
    )
    assert first.startswith("How fast?\n\nDo not answer yet.")
    assert second.startswith("How fast?\n\nIt rests on this:\nUse {v} = s / t.\n\nAnswer now")
    assert (output.text, output.answer) == ("It is 7.", "7")
    assert output.data == {"principles": "Use {v} = s / t."}
    assert output.usage.calls == 2


async def test_the_given_task_keeps_its_prompt_and_gets_the_answer():
    task = ChatTask.create_from_prompt("q")
    _, output = await asked(StepBackController(NativeChatController()), task, "principles", "answer")
    assert [message.text for message in task.messages if isinstance(message, UserMessage)] == ["q"]
    assert output.text == "answer"


async def test_what_asks_nothing_in_words_has_no_principles():
    async with ScaffoldingLlm(StepBackController(NativeGenerationController()), FunctionWorker(str)) as llm:
        with pytest.raises(InvalidRequestError, match="a question in words"):
            await llm.generate_async(GenerationTask(input_tokens=[1, 2]))


@pytest.mark.parametrize("make", [ChainOfThoughtController, PlanAndSolveController, ReReadingController])
async def test_samples_that_are_asked_so_share_a_request(make):
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m", siblings=8) as worker:
            method = MajorityVoteController(make(NativeChatController()), 4, stop_rule="full")
            await ScaffoldingLlm(method, worker).generate_async("q")
    assert [body["n"] for body in server.requests] == [4]


async def test_principles_are_asked_for_in_words_alone_and_shown_without_thoughts():
    tasks = []

    def backend(task):
        tasks.append(task)
        return "<think>secret</think>s = v t"

    prompt = ChatTask(
        messages=[UserMessage("How fast?")], tools=[{"type": "function", "function": {"name": "look"}}]
    )
    async with ScaffoldingLlm(StepBackController(NativeChatController()), FunctionWorker(backend)) as llm:
        output = (await llm.generate_async(prompt)).output
    assert output.data == {"principles": "s = v t"}
    assert [bool(task.tools) for task in tasks] == [False, True]
    assert "secret" not in tasks[1].messages[-1].text
