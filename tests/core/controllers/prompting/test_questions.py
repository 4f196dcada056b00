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


EXAMPLES = [("1 + 1?", "One and one. \\boxed{2}"), ("2 + 2?", "Two and two. \\boxed{4}")]


def turns(messages):
    return [(message.role, message.text) for message in messages]


async def messages_asked(controller, prompt):
    seen = []

    def backend(task):
        seen.append(task)
        return "7"

    async with ScaffoldingLlm(controller, FunctionWorker(backend)) as llm:
        await llm.generate_async(prompt)
    return seen[0]


async def test_examples_are_turns_behind_the_system_message():
    method = ChainOfThoughtController(NativeChatController(), instruction="Think.", examples=EXAMPLES)
    task = await messages_asked(method, [{"role": "system", "content": "Be short."}, *CHAT])
    assert turns(task.messages) == [
        ("system", "Be short."),
        ("user", "1 + 1?"),
        ("assistant", EXAMPLES[0][1]),
        ("user", "2 + 2?"),
        ("assistant", EXAMPLES[1][1]),
        ("user", "Hi"),
        ("assistant", "Yes?"),
        ("user", "q\n\nThink."),
    ]


async def test_examples_stand_before_a_text():
    method = ChainOfThoughtController(NativeGenerationController(), instruction="", examples=EXAMPLES[:1])
    task = await messages_asked(method, "3 + 4?")
    assert task.input_str == f"Question: 1 + 1?\nAnswer: {EXAMPLES[0][1]}\n\nQuestion: 3 + 4?\nAnswer:"


@pytest.mark.parametrize(
    ("chat", "first"),
    [
        (CHAT, "Think."),
        ([{"role": "system", "content": "Be short."}, *CHAT], "Be short.\n\nThink."),
    ],
)
@pytest.mark.parametrize("make", [ChainOfThoughtController, ReReadingController])
async def test_the_instruction_may_stand_in_the_system_message(make, chat, first):
    task = await messages_asked(make(NativeChatController(), instruction="Think.", in_system=True), chat)
    assert turns(task.messages)[0] == ("system", first)
    assert [message.role for message in task.messages].count("system") == 1
    assert task.messages[-1].text == (
        "q" if make is ChainOfThoughtController else "q\n\nRead the question again: q"
    )


async def test_the_instruction_may_stand_before_a_text():
    method = ChainOfThoughtController(NativeGenerationController(), instruction="Think.", in_system=True)
    assert (await messages_asked(method, "3 + 4?")).input_str == "Think.\n\n3 + 4?"


async def test_samples_that_are_shown_examples_share_a_request():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m", siblings=8) as worker:
            method = ChainOfThoughtController(NativeChatController(), examples=EXAMPLES, in_system=True)
            await ScaffoldingLlm(MajorityVoteController(method, 4, stop_rule="full"), worker).generate_async("q")
    assert [body["n"] for body in server.requests] == [4]


@pytest.mark.parametrize("examples", [["1 + 1?"], [("1 + 1?",)], [("1 + 1?", 2)], "no"])
def test_examples_that_are_no_pairs_are_refused(examples):
    with pytest.raises(InvalidRequestError, match="pairs of a question and its answer"):
        ChainOfThoughtController(NativeChatController(), examples=examples)
