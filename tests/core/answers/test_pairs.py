"""Pairs of texts that the default must take for the same or for different, and texts with what they answer.

They were written for this project, by kinds of errors that readers of answers make.
"""

import json
from pathlib import Path

import pytest

from scaffolding_core import AssistantMessage, Mathematical
from scaffolding_core.answers import default_equivalence, default_extractor

PAIRS = [json.loads(line) for line in Path(__file__).with_name("pairs.jsonl").read_text().splitlines()]


def answer(text):
    return default_extractor().extract(AssistantMessage(text))


def same(first, other, equivalence):
    if first is None or other is None:
        return False
    classes = equivalence.classes()
    return classes.assign(first) == classes.assign(other)


def of(kind):
    return [
        pytest.param(row, id=f"{row['kind']}-{number}")
        for number, row in enumerate(PAIRS)
        if row["type"] == kind and row.get("equivalence", "default") == "default"
    ]


@pytest.mark.parametrize("row", of("merge"))
def test_different_answers_are_kept_apart(row):
    assert not same(answer(row["text_a"]), answer(row["text_b"]), default_equivalence())


@pytest.mark.parametrize("row", of("split"))
def test_an_answer_is_the_same_however_it_is_written(row):
    assert same(answer(row["text_a"]), answer(row["text_b"]), default_equivalence())


@pytest.mark.parametrize("row", of("extraction"))
def test_a_text_answers_this(row):
    found = answer(row["text"])
    assert found is None if row["expected"] is None else same(found, row["expected"], default_equivalence())


@pytest.mark.parametrize("row", [row for row in PAIRS if row.get("equivalence") == "Mathematical"], ids=str)
def test_mathematics_joins_what_is_equal_and_nothing_else(row):
    joined = same(answer(row["text_a"]), answer(row["text_b"]), Mathematical())
    assert joined == (row["type"] == "split")
