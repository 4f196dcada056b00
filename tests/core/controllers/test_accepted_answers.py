"""Votes where whoever acts on the answers accepts only some: calls of tools, and structures."""

import json

import pytest
from pydantic import BaseModel, Field

from scaffolding_core import (
    AssistantMessage,
    BestOfNController,
    ChainOfThoughtController,
    ChatTask,
    ComputeTask,
    FieldVoteController,
    FromMessage,
    FunctionWorker,
    GenerationTask,
    MajorityVoteController,
    NativeChatController,
    NativeRewardController,
    Parsed,
    ScaffoldingLlm,
    ToolCall,
    ToolDescription,
    UserMessage,
)
from scaffolding_core.answers import KINDS, Acceptance

BOOK = ToolDescription(
    "book",
    "Book a table.",
    {
        "type": "object",
        "properties": {"town": {"type": "string"}, "seats": {"type": "integer", "default": 2}},
        "required": ["town"],
    },
)


def books(town, seats=None, tool="book"):
    """A message that books a table."""
    arguments = {"town": town} if seats is None else {"town": town, "seats": seats}
    return AssistantMessage(None, None, [ToolCall(f"id-{town}-{seats}", tool, json.dumps(arguments))])


async def ask(method, samples, task=None):
    """The output for scripted samples; scripted, since votes need known ones."""
    left = iter(samples)

    async def next_one(_):
        return next(left)

    workers = {
        NativeChatController.WorkerTag.GENERATION: FunctionWorker(next_one),
        NativeRewardController.WorkerTag.REWARD: FunctionWorker(lambda task: 1.0),
    }
    async with ScaffoldingLlm(method, workers) as llm:
        asked = task or ChatTask(messages=[UserMessage("A table!")], tools=[BOOK])
        return (await llm.generate_async(asked)).output


def vote(*samples, task=None, chat=None, **options):
    """A full vote over samples."""
    options = {"stop_rule": "full", **options}
    return ask(MajorityVoteController(chat or NativeChatController(), len(samples), **options), samples, task)


async def test_calls_are_compared_as_the_tool_gets_them():
    output = await vote(books("Rome"), books("Nice"), books("Nice", 2), books("Nice", "2"))
    assert (output.answer, output.agreement) == ([["book", {"town": "Nice"}]], 3 / 4)
    assert output.message.tool_calls[0].id == "id-Nice-None"
    assert [candidate.read_as for candidate in output.candidates] == ["calls"] * 4


async def test_calls_that_could_not_be_carried_out_have_no_vote():
    broken = [books("Rome", tool="bok"), books("Rome", "two"), books(5)]
    output = await vote(*broken, books("Nice"))
    assert (output.answer, output.agreement) == ([["book", {"town": "Nice"}]], 1.0)
    assert [candidate.votes for candidate in output.candidates] == [0, 0, 0, 1]
    assert output.message.tool_calls[0].id == "id-Nice-None"


async def test_where_no_call_could_be_carried_out_the_earliest_is_the_result():
    for samples in ([books("Rome", "two"), books("Nice", tool="bok")], [books("Rome", "two")]):
        output = await vote(*samples)
        assert (output.agreement, output.answer, output.votes) == (0.0, None, {})
        assert output.message.tool_calls[0].id == "id-Rome-two"


async def test_tools_of_the_chat_that_a_method_makes_are_known_too():
    chat = NativeChatController(tools=[BOOK])
    output = await vote(books("Rome", "two"), books("Nice"), chat=chat, task=GenerationTask(input_str="A table!"))
    assert output.message.tool_calls[0].id == "id-Nice-None"


async def test_without_tools_calls_are_compared_as_they_are_written():
    task = ChatTask(messages=[UserMessage("A table!")])
    output = await vote(books("Nice"), books("Nice", "2"), books("Nice", "2"), task=task)
    assert output.answer == [["book", {"town": "Nice", "seats": "2"}]]


async def test_calls_and_texts_are_votes_of_one_poll():
    say = AssistantMessage
    output = await vote(
        say("Where?"), books("Nice"), books("Rome"), say("Where?"), books("Nice", "2"), books("Nice")
    )
    assert (output.answer, output.agreement) == ([["book", {"town": "Nice"}]], 3 / 6)
    output = await vote(say("Where?"), books("Nice"), say("Where?"))
    assert (output.text, output.agreement) == ("Where?", 2 / 3)


@pytest.mark.parametrize("kind", [*KINDS])
async def test_the_steps_of_an_agent_vote_on_its_calls_whatever_kind_its_answer_is(kind):
    task = ChatTask(messages=[UserMessage("A table!")])
    for asked in (task, None):
        output = await vote(books("Rome"), books("Nice"), books("Nice"), answers=kind, task=asked)
        assert output.answer == [["book", {"town": "Nice"}]]


async def test_a_vote_over_a_method_knows_the_tools():
    chain = ChainOfThoughtController(NativeChatController())
    output = await vote(books("Rome", "two"), books("Nice", "2"), books("Nice"), chat=chain)
    assert (output.answer, output.agreement) == ([["book", {"town": "Nice"}]], 1.0)


async def test_a_chain_of_thought_tells_no_answer_that_is_not_accepted():
    method = ChainOfThoughtController(NativeChatController())
    assert (await ask(method, [books("Rome", "two")])).answer is None
    assert (await ask(method, [books("Rome", "2")])).answer == [["book", {"town": "Rome"}]]


async def test_a_vote_of_ones_own_knows_the_tools():
    class Own(MajorityVoteController):
        def majority_vote(self, candidates_tasks, **options):
            return super().majority_vote(candidates_tasks, **options)

    output = await ask(Own(NativeChatController(), 2), [books("Rome", "two"), books("Nice")])
    assert output.message.tool_calls[0].id == "id-Nice-None"


async def test_best_of_n_counts_only_what_is_accepted():
    method = BestOfNController(NativeChatController(), NativeRewardController(), 3, answers="auto")
    output = await ask(method, [books("Nice"), books("Rome", "two"), books("Nice", "2")])
    assert (output.votes, output.agreement) == ({"[['book', {'town': 'Nice'}]]": 2}, 1.0)


class Visit(BaseModel):
    town: str
    days: int = 1
    id: str = Field(default_factory=lambda: str(object()))


STRUCTURED = GenerationTask(input_str="Plan!", acceptance=Acceptance(structure=Parsed(Visit)))


async def test_structures_are_compared_as_their_class_reads_them():
    samples = ['{"town": 5}', '{"town": "Rome"}', '{"town": "Nice"}', '{"days": "1", "town": "Nice"}']
    output = await vote(*samples, task=STRUCTURED)
    assert (output.answer, output.agreement) == ({"town": "Nice", "days": 1}, 2 / 3)
    assert [candidate.read_as for candidate in output.candidates] == ["", "structure", "structure", "structure"]


async def test_fields_are_voted_on_in_what_is_accepted():
    method = FieldVoteController(NativeChatController(), 3, stop_rule="full")
    output = await ask(
        method,
        ['{"town": "Nice", "days": "many"}', '{"town": "Rome", "days": "3"}', '{"town": "Rome"}'],
        STRUCTURED,
    )
    assert output.answer == {"town": "Rome", "days": 3}
    assert output.data == {"fields": {"town": 1.0, "days": 0.5}}
    output = await ask(method, [books("Nice", "many"), books("Rome", 2), books("Rome", 2)])
    assert (output.answer, output.agreement) == ({"town": "Rome", "seats": 2}, 1.0)


async def test_an_extractor_of_ones_own_finds_fields_in_what_is_accepted():
    own = FromMessage(lambda message: {"town": json.loads(message.text)["town"].upper()})
    method = FieldVoteController(NativeChatController(), 2, stop_rule="full", extractor=own)
    output = await ask(method, ['{"town": "Nice", "days": "many"}', '{"town": "Rome"}'], STRUCTURED)
    assert (output.answer, output.agreement) == ({"town": "ROME"}, 1.0)


async def test_what_finds_answers_by_a_task_of_its_own_reads_what_is_accepted():
    class Asks(FromMessage):
        costly = True

        def as_task(self, message):
            return ComputeTask(function=lambda: message.tool_calls[0].id)

    own = Asks(lambda message: "not asked", costly=True)
    output = await vote(books("Rome", "two"), books("Nice"), extractor=own)
    assert [candidate.answer for candidate in output.candidates] == [None, "id-Nice-None"]
