"""A vote over a chain with a message history: each sample sees it once, and the winner's exchange is added."""

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory

from langchain_scaffolding import with_majority_vote
from tests.langchain.doubles import FULL, KnownChat

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated")  # LangChain says so of histories, and has them

CONFIG = {"configurable": {"session_id": "s"}}


def remembering(model):
    kept = {}
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    chain = RunnableWithMessageHistory(
        prompt | model,
        lambda session_id: kept.setdefault(session_id, InMemoryChatMessageHistory()),
        input_messages_key="question",
        history_messages_key="history",
    )
    return chain, kept


@pytest.mark.parametrize("votes", [1, 2])
@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
async def test_samples_see_the_history_once_and_the_winners_exchange_is_added(how, votes):
    model = KnownChat(answers=["24", "30", "24"] if votes == 1 else ["24"], calls=[], threads=[])
    vote, kept = remembering(model)
    for _ in range(votes):
        vote = with_majority_vote(vote, 3, **FULL)
    for asked in (1, 3):
        model.calls.clear()
        given = {"question": "how tall?"}
        message = vote.invoke(given, CONFIG) if how == "invoke" else await vote.ainvoke(given, CONFIG)
        assert message.text == "24"
        assert [len(messages) for messages in model.calls] == [asked] * 3**votes
    assert [message.text for message in kept["s"].messages] == ["how tall?", "24"] * 2
    assert list(kept) == ["s"]
