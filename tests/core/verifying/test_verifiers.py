"""Verifiers: whether an answer passes, and what is wrong with it, without a model."""

from datetime import date

import pytest
from pydantic import BaseModel, Field

from scaffolding_core import AssistantMessage, InvalidRequestError, ToolCall
from scaffolding_core.verifying import FitsSchema, Matches, SameAnswer, same_calls

AGE = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}


class Person(BaseModel):
    age: int
    name: str = Field("x", pattern="^[a-z]+$")


def verdict(verifier, answer):
    return verifier.verify(AssistantMessage(answer))


@pytest.mark.parametrize(
    ("verifier", "right", "wrong", "feedback"),
    [
        (SameAnswer("42"), "The answer is 42.", "The answer is 41.", "'41' is not right"),
        (SameAnswer(1000, "number"), "It costs 1,000 in all", "It costs 999", "'999' is not right"),
        (SameAnswer(1e22, "number"), "10000000000000000000000", "1e21", "is not right"),
        (SameAnswer(True, "yes_no"), "Yes.", "No.", "is not right"),
        (SameAnswer(date(2024, 3, 5), "date"), "March 5, 2024", "March 6, 2024", "is not right"),
        (SameAnswer("Paris", {"kind": "json", "key": "city"}), '{"city": "Paris"}', '{"city": "Rome"}', "is not"),
        (SameAnswer(r"\frac{1}{2}", "math"), "So x = \\boxed{0.5}", "So x = \\boxed{0.6}", "is not right"),
        (SameAnswer("B", {"kind": "choice", "choices": ["A", "B"]}), "(B)", "hmm", "no answer was found"),
        (Matches(r"\bSELECT\b"), "select all: SELECT * FROM t", "select all", "does not match the pattern"),
        (Matches(r"(?i)(?=.*\d)"), "A1", "A", "does not match"),
        (Matches("^ok$"), "ok", "ok then", "does not match"),
        (FitsSchema(AGE), 'Here: {"age": 3}', 'Here: {"age": -3}', "age: "),
        (FitsSchema(AGE), '{"age": 3}', "three", "no JSON object"),
        (FitsSchema(AGE), '<think>{"age": -3}?</think>{"age": 3}', '<think>{"age": 3}</think>?', "no JSON object"),
        (FitsSchema({"enum": [{"a": 1}, {"a": 2.5}]}), '{"a": 2.5}', '{"a": 3}', "should be one of"),
        (FitsSchema(Person), '{"age": 3, "name": "ann"}', '{"age": 3, "name": "Ann"}', "name: "),
    ],
)
def test_what_is_right_passes_and_what_is_wrong_is_told_why(verifier, right, wrong, feedback):
    assert verdict(verifier, right) == (True, None)
    said = verdict(verifier, wrong)
    assert not said.passed
    assert feedback in said.feedback
    assert "42" not in said.feedback  # the reference stays unknown to the model


@pytest.mark.parametrize("arguments", [{"x": 1}, '{"x": 1}'], ids=["data", "text"])
def test_calls_are_the_same_in_any_order_and_whatever_their_ids(arguments):
    verifier = same_calls([{"name": "f", "arguments": arguments}, {"name": "g"}])
    f, g = ToolCall("1", "f", '{"x": 1}'), ToolCall("2", "g", "{}")
    assert verifier.verify(AssistantMessage(tool_calls=[g, f])).passed
    assert not verifier.verify(AssistantMessage(tool_calls=[f])).passed
    assert not verifier.verify(AssistantMessage("f(1)")).passed


def test_a_pattern_that_never_ends_is_given_up():
    assert not verdict(Matches("(a+)+$", timeout=0.2), "a" * 40 + "b").passed


@pytest.mark.parametrize(
    "make",
    [
        lambda: SameAnswer(None),
        lambda: SameAnswer("7", "jury"),
        lambda: SameAnswer("N/A", "number"),
        lambda: SameAnswer("C", {"kind": "choice", "choices": ["A", "B"]}),
        lambda: SameAnswer(["7"], "number"),
        lambda: Matches("("),
        lambda: FitsSchema({"title": "anything"}),
        lambda: FitsSchema({"type": "nonsense"}),
        lambda: FitsSchema({"$ref": "http://127.0.0.1:1/schema"}),
        lambda: FitsSchema({"properties": {"age": {"$ref": "#/$defs/age"}}}),
        lambda: FitsSchema({"allOf": [AGE, {"required": ["name"]}]}),
        lambda: FitsSchema(int),
        lambda: same_calls([{"tool": "f"}]),
        lambda: same_calls([{"name": "f", "arguments": "x=1"}]),
    ],
)
def test_what_verifies_nothing_is_refused(make):
    with pytest.raises(InvalidRequestError):
        make()
