"""SQL engines: the statement counts, to the letter."""

import pytest
from llama_index.core import SQLDatabase
from llama_index.core.query_engine import NLSQLTableQueryEngine
from llama_index.core.retrievers import NLSQLRetriever
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

from tests.llamaindex.components.voting import agreements, voting

MOST = "SELECT max(people) FROM city WHERE people < 10"
WANT = [
    MOST,
    f"SQLQuery: {MOST}\nSQLResult: 9\nAnswer: The largest has 9 people, less than 10.",
    f"```sql\n{MOST.replace(' FROM', chr(10) + 'FROM')};\n```",
]
LEAST = MOST.replace("max", "min")
OTHERS = [LEAST, f"SQLQuery: {LEAST}\nSQLResult: 9\nAnswer: It has less than 10."]


@pytest.fixture
def database():
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE city (name TEXT, people INTEGER)"))
        connection.execute(text("INSERT INTO city VALUES ('Bern', 3), ('bern', 4), ('Rome', 7)"))
    yield SQLDatabase(engine)
    engine.dispose()


@pytest.mark.parametrize("order", [1, -1])
async def test_the_statement_of_most_samples_is_run(events, database, order):
    llm = voting([OTHERS[0], *WANT, OTHERS[1]][::order])
    retriever = NLSQLRetriever(database, tables=["city"], llm=llm, embed_model="mock")
    found = [*retriever.retrieve("The largest?"), *await retriever.aretrieve("The largest?")]
    assert [node.metadata["result"] for node in found] == [[(7,)], [(7,)]]
    assert agreements(events) == [0.6, 0.6]


async def test_an_engine_answers_by_the_statement_of_most_samples(events, database):
    llm = voting([OTHERS[0], *WANT, OTHERS[1]], ["7 people.", "It has 7.", "10", "7", "10 people."])
    engine = NLSQLTableQueryEngine(database, tables=["city"], llm=llm, embed_model="mock")
    response = engine.query("The largest?")
    assert response.metadata["result"] == [(7,)]
    assert "7" in response.response
    assert agreements(events) == [0.6, 0.6]


async def test_text_within_quotes_counts_to_the_letter(events, database):
    samples = [
        f"SELECT people FROM city WHERE name = '{name}'" for name in ("bern", "Bern", "Bern", "bern", "Bern")
    ]
    retriever = NLSQLRetriever(database, tables=["city"], llm=voting(samples), embed_model="mock")
    assert retriever.retrieve("Bern?")[0].metadata["result"] == [(3,)]
    assert agreements(events) == [0.6]
