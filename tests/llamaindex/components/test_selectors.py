"""Selectors: the choice counts, not its reason."""

import pytest
from llama_index.core.selectors import (
    LLMMultiSelector,
    LLMSingleSelector,
    PydanticMultiSelector,
    PydanticSingleSelector,
)

from tests.llamaindex.components.voting import agreements, calls, voting

CHOICES = ["Useful for sums.", "Useful for history.", "Useful for maps."]
SECOND = [
    '[{"choice": 2, "reason": "History is about the past; 1 and 3 are not."}]',
    '```json\n[\n    {\n        choice: 2,\n        reason: "It is history 3"\n    }\n]\n```',
    'The best one is below.\n{"choice": 2, "reason": "1066 is a date, so not 3"}',
]
FIRST = [
    '[{"choice": 1, "reason": "It has a number, and 3 is wrong"}]',
    'I would say:\n[{"choice": 1, "reason": "sums, not 3"}]',
]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("chat", [True, False])
async def test_an_llm_selector_takes_the_choice_of_most_samples(events, order, chat):
    llm = voting([FIRST[0], *SECOND, FIRST[1]][::order], is_chat_model=chat)
    selector = LLMSingleSelector.from_defaults(llm=llm)
    assert selector.select(CHOICES, "When was the battle of Hastings?").ind == 1
    assert (await selector.aselect(CHOICES, "When was the battle of Hastings?")).ind == 1
    assert agreements(events) == [0.6, 0.6]


async def test_what_a_selector_cannot_parse_has_no_vote(events):
    broken = ["2", "Choice (1): sums.", '[{"choice": 1}]']
    result = LLMSingleSelector.from_defaults(llm=voting([*broken, SECOND[0], SECOND[2]])).select(CHOICES, "q")
    assert result.ind == 1
    assert agreements(events) == [1.0]


async def test_an_llm_selector_of_several_counts_all_choices(events):
    one, both = '[{"choice": 2, "reason": "r"}]', '[{"choice": 2, "reason": "a"}, {"choice": 3, "reason": "b"}]'
    samples = [one, both, both.replace('"a"', '"c"'), one, both.replace('"b"', '"the map of 2"')]
    assert LLMMultiSelector.from_defaults(llm=voting(samples)).select(CHOICES, "q").inds == [1, 2]
    assert agreements(events) == [0.6]


def selection(index, reason):
    return calls(("SingleSelection", f'{{"index": {index}, "reason": "{reason}"}}'))


@pytest.mark.parametrize("order", [1, -1])
async def test_a_pydantic_selector_takes_the_choice_of_most_samples(events, order):
    samples = [(1, "sums 3"), (2, "history"), (2, "the past"), (1, "numbers 3"), (2, "a date, not 3")][::order]
    llm = voting([selection(*sample) for sample in samples], tools=True)
    selector = PydanticSingleSelector.from_defaults(llm=llm)
    assert selector.select(CHOICES, "q").ind == 1
    assert (await selector.aselect(CHOICES, "q")).ind == 1
    assert agreements(events) == [0.6, 0.6]


async def test_a_selection_without_its_index_has_no_vote(events):
    broken = [calls(("SingleSelection", '{"reason": "1"}')), calls(("Selection", '{"index": 1, "reason": "1"}'))]
    samples = [*broken, broken[0], selection(2, "a"), selection(2, "b")]
    assert PydanticSingleSelector.from_defaults(llm=voting(samples, tools=True)).select(CHOICES, "q").ind == 1
    assert agreements(events) == [1.0]


async def test_a_pydantic_selector_of_several_counts_all_choices(events):
    def selections(*indices, why):
        each = ", ".join(f'{{"index": {index}, "reason": "{why} {index}"}}' for index in indices)
        return calls(("MultiSelection", f'{{"selections": [{each}]}}'))

    samples = [selections(2, 3, why=why) for why in ("a", "b", "c")]
    samples = [selections(1, 3, why="d"), *samples, selections(1, 3, why="e")]
    assert PydanticMultiSelector.from_defaults(llm=voting(samples, tools=True)).select(CHOICES, "q").inds == [1, 2]
    assert agreements(events) == [0.6]
