"""Structures are read as whoever asked for them reads them."""

import itertools
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from llama_index.core.evaluation.guideline import EvaluationData
from llama_index.core.output_parsers import PydanticOutputParser, SelectionOutputParser
from pydantic import BaseModel, Field

from llamaindex_scaffolding.reading import OfClass, OfParser
from scaffolding_core import AssistantMessage, ToolCall

_counted = itertools.count()


class Part(BaseModel):
    """A part of an order."""

    name: str
    number: int = Field(default_factory=lambda: next(_counted))


class Order(BaseModel):
    """An order, of which some is made up as it is read."""

    parts: list[Part]
    urgent: bool = False
    id: str = Field(default_factory=lambda: uuid4().hex)
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


def read(of, text=None, *calls):
    return of.extract(AssistantMessage(text, tool_calls=[ToolCall("1", *call) for call in calls] or None))


@pytest.mark.parametrize("of", [OfClass(Order), OfParser(PydanticOutputParser(Order))], ids=["class", "parser"])
def test_what_a_class_makes_up_does_not_count_and_fixed_defaults_are_filled_in(of):
    told = read(of, 'Here you are:\n```json\n{"parts": [{"name": "nut"}]}\n```')
    assert told == {"parts": [{"name": "nut"}], "urgent": False}
    assert read(of, '{"parts": [{"name": "nut", "number": "3"}], "id": "x"}') == {
        "parts": [{"name": "nut", "number": 3}],
        "urgent": False,
        "id": "x",
    }


@pytest.mark.parametrize("text", ["", "none", '{"parts": 5}', '{"parts": [', '{"parts": []} or {"parts": [7]}'])
@pytest.mark.parametrize("of", [OfClass(Order), OfParser(PydanticOutputParser(Order))], ids=["class", "parser"])
def test_what_is_refused_is_no_structure(of, text):
    assert read(of, text) is None


def test_a_structure_may_come_by_the_one_call_of_its_tool():
    call = ("Order", '{"parts": [{"name": "nut"}]}')
    assert read(OfClass(Order), None, call) == {"parts": [{"name": "nut"}], "urgent": False}
    assert read(OfClass(Order), None, ("Odrer", call[1])) is None
    assert read(OfClass(Order), None, call, call) is None


def test_what_explains_may_be_kept():
    text = '{"passing": true, "feedback": "fine"}'
    assert read(OfClass(EvaluationData), text) == {"passing": True}
    assert read(OfClass(EvaluationData).whole(), text) == {"passing": True, "feedback": "fine"}


def test_a_parser_of_ones_own_is_asked():
    class Loud(SelectionOutputParser):
        def parse(self, output):
            if "!" not in output:
                raise KeyError(output)
            return output.upper()

    assert read(OfParser(Loud()), "yes!") == "YES!"
    assert read(OfParser(Loud()), "yes") is None


def bomb(field):
    """YAML that is small, and huge once it is written out."""
    items = [f"{{choice: 1, reason: x, b: &b{i} [{', '.join([f'*b{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    return f"[{{choice: 1, reason: x, b: &b0 [1]}}, {', '.join(items)}, {{{field}: *b11, reason: x}}]"


@pytest.mark.parametrize("text", ["{" * 200_000, "{" * 90_000, "[" * 50_000 + "{" * 5_000])
@pytest.mark.parametrize("parser", [SelectionOutputParser(), PydanticOutputParser(Order)], ids=["yaml", "json"])
def test_hostile_text_costs_little(parser, text):
    assert read(OfParser(parser), text) is None


@pytest.mark.parametrize("text", [bomb("choice"), bomb("choice: 1, reason")])
def test_text_that_is_small_and_means_much_costs_little(text):
    assert read(OfParser(SelectionOutputParser()), text) is None


@pytest.mark.parametrize("reason", ["R&D *counts*", "a & b", "* one", "2 *3, &c"])
def test_marks_in_an_explanation_do_no_harm(reason):
    assert read(OfParser(SelectionOutputParser()), f'[{{"choice": 2, "reason": "{reason}"}}]') == [{"choice": 2}]
