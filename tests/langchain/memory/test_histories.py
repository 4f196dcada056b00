"""A vote over a chain with a message history: each sample sees it once, and the winner's exchange is added."""

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables.history import RunnableWithMessageHistory

from langchain_scaffolding import with_majority_vote
from langchain_scaffolding.memory.histories import Histories
from langchain_scaffolding.memory.steps import adone, done
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


@pytest.mark.parametrize("how", ["blocking", "async"])
async def test_a_sample_clears_its_own_view_and_the_history_is_cleared_if_it_wins(how):
    history = InMemoryChatMessageHistory(messages=[HumanMessage("old")])
    winner, loser = Histories(), Histories()
    views = [sample.view(lambda: history, (), {}) for sample in (winner, loser)]
    if how == "blocking":
        views[0].clear()
    else:
        await views[0].aclear()
    views[0].add_messages([HumanMessage("new")])
    assert [[message.text for message in view.messages] for view in views] == [["new"], ["old"]]
    assert await views[0].aget_messages() == views[0].messages
    if how == "blocking":
        done(winner.kept())
    else:
        await adone(winner.kept())
    assert [message.text for message in history.messages] == ["new"]
