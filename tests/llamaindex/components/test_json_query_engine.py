"""JSONQueryEngine: the path counts."""

import pytest
from llama_index.core.indices.struct_store import JSONQueryEngine

from tests.llamaindex.components.voting import agreements, voting

VALUE = {"store": {"book": [{"title": "A", "Title": "a", "price": 8}], "car": [{"title": "B", "price": 9}]}}
BOOK, CAR = "$.store.book[0].title", "$.store.car[0].title"


@pytest.mark.parametrize("order", [1, -1])
async def test_the_path_of_most_samples_is_looked_up(events, order):
    samples = [CAR, f"JSONPath: {BOOK}", BOOK, f"JSONPath: {CAR}", f"JSONPath: {BOOK}\n"][::order]
    engine = JSONQueryEngine(VALUE, {}, llm=voting(samples), synthesize_response=False)
    assert engine.query("Which book?").response == '{"title": "A"}'
    assert (await engine.aquery("Which book?")).response == '{"title": "A"}'
    assert agreements(events) == [0.6, 0.6]


async def test_the_case_of_a_key_counts(events):
    samples = [f"JSONPath: $.store.book[0].{key}" for key in ("title", "Title", "title", "Title", "title")]
    engine = JSONQueryEngine(VALUE, {}, llm=voting(samples), synthesize_response=False)
    assert engine.query("Which book?").response == '{"title": "A"}'
    assert agreements(events) == [0.6]


async def test_what_is_said_around_the_path_does_not_count(events):
    def around(path):
        return f"We want the first of 0.\nJSONPath: {path}"

    samples = [around(CAR), f"JSONPath: {BOOK}", around(BOOK), f"JSONPath: {CAR}", f"Response: JSONPath: {BOOK}"]
    engine = JSONQueryEngine(VALUE, {}, llm=voting(samples), synthesize_response=False)
    assert (await engine.aquery("Which book?")).response == '{"title": "A"}'
    assert agreements(events) == [0.6]
