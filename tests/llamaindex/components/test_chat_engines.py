"""Chat engines that condense: the question counts, all of it."""

import pytest
from llama_index.core.chat_engine import CondensePlusContextChatEngine, CondenseQuestionChatEngine
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer

from tests.llamaindex.components.voting import agreements, voting
from tests.llamaindex.engines import KnownEngine, summary_index

SENTENCES = (
    [
        "What was the revenue of Uber in 2021?",
        " What was the revenue of Uber in 2021?\n",
        "Standalone question: What was the revenue of Uber in 2021?",
    ],
    ["What was the revenue of Lyft in 2021?", "What was the revenue of Lyft in 2021?\n"],
)
CONTEXTS = (
    [
        "I am asking about Uber. What was its revenue in 2021?",
        "I am asking about Uber.\nWhat was its revenue in 2021?",
        "I am asking about Uber. What was its revenue in 2021?\n",
    ],
    [
        "I am asking about Lyft. What was its revenue in 2021?",
        "I am asking about Lyft.  What was its revenue in 2021?",
    ],
)
QUESTIONS = pytest.mark.parametrize(("want", "others"), [SENTENCES, CONTEXTS], ids=["one", "two"])
HISTORY = [ChatMessage("Tell me of ride hailing."), ChatMessage(role="assistant", content="There are two firms.")]


def samples(want, others):
    return [others[0], *want, others[1]]


def memory():
    """One that opens no database, as LlamaIndex's default does."""
    return ChatMemoryBuffer.from_defaults(token_limit=1000)


@QUESTIONS
async def test_the_condensed_question_of_most_samples_is_asked(events, want, others):
    asked = KnownEngine("17 billion")
    engine = CondenseQuestionChatEngine.from_defaults(
        query_engine=asked, llm=voting(samples(want, others)), memory=memory()
    )
    engine.chat("And in 2021?", chat_history=HISTORY)
    await engine.achat("And in 2021?", chat_history=HISTORY)
    assert all("Uber" in str(question) for question in asked.queries)
    assert agreements(events) == [0.6, 0.6]


@QUESTIONS
async def test_context_is_looked_up_for_the_question_of_most_samples(events, want, others):
    llm = voting(samples(want, others), "17 billion", samples(want, others), "17 billion")
    retriever = summary_index("Ride hailing.").as_retriever()
    engine = CondensePlusContextChatEngine.from_defaults(retriever=retriever, llm=llm, memory=memory())
    answers = [
        engine.chat("And in 2021?", chat_history=HISTORY),
        await engine.achat("And in 2021?", chat_history=HISTORY),
    ]
    assert all("Uber" in answer.sources[0].raw_input["message"] for answer in answers)
    assert agreements(events) == [0.6, 1.0, 0.6, 1.0]
