"""Tool calls as answers: which of their arguments count, and which calls could be carried out."""

import json

import pytest
from pydantic import BaseModel, Field

from scaffolding_core import AssistantMessage, Boxed, FirstOf, InvalidRequestError, ToolCall, ToolCalls
from scaffolding_core.answers import Reading, as_written, read_as_type

ONE = {"to": "Ann", "note": "hi", "items": [{"id": 1, "why": "a"}, {"id": 2, "why": "b"}]}
OTHER = {"to": "Ann", "note": "hello", "items": [{"id": 1, "why": "c"}, {"id": 2, "why": "d"}]}


def calls(*calls_, text=None):
    """A message that calls tools, each a name and its arguments."""
    written = [ToolCall(str(i), name, json.dumps(args)) for i, (name, args) in enumerate(calls_)]
    return AssistantMessage(text, None, written)


def same(extractor, one=ONE, other=OTHER):
    return extractor.extract(calls(("send", one))) == extractor.extract(calls(("send", other)))


def test_by_default_everything_counts():
    assert not same(ToolCalls())
    assert same(ToolCalls(), ONE, dict(reversed(ONE.items())))


@pytest.mark.parametrize(
    ("extractor", "alike"),
    [
        (ToolCalls(only=["to"]), True),
        (ToolCalls(only=["to", "note"]), False),
        (ToolCalls(only=["to", "items"]), False),
        (ToolCalls(only=["to", "items.id"]), True),
        (ToolCalls(ignore=["note"]), False),
        (ToolCalls(ignore=["note", "items"]), True),
        (ToolCalls(ignore=["note", "items.why"]), True),
        (ToolCalls(only=["to", "note"], ignore=["note"]), True),
    ],
)
def test_which_arguments_count_can_be_said(extractor, alike):
    assert same(extractor) is alike


def test_a_call_with_none_of_the_arguments_that_count_counts_whole():
    extractor = ToolCalls(only=["city"])
    one, other = calls(("delete", {"path": "a"})), calls(("delete", {"path": "b"}))
    assert extractor.extract(one) != extractor.extract(other)


@pytest.mark.parametrize(
    "wrong", [{"only": "to"}, {"only": []}, {"only": [1]}, {"ignore": "to"}, {"ignore": [""]}]
)
def test_names_of_arguments_that_are_none_are_refused(wrong):
    with pytest.raises(InvalidRequestError, match="must"):
        ToolCalls(**wrong)


class Send(BaseModel):
    to: str
    copies: int = 1
    id: str = Field(default_factory=lambda: str(object()))


TOOLS = {"send": read_as_type(Send), "delete": as_written}


def test_with_the_tools_arguments_are_read_as_a_tool_gets_them():
    extractor = ToolCalls(tools=TOOLS)
    assert same(extractor, {"to": "Ann"}, {"to": "Ann", "copies": "1"})
    assert not same(extractor, {"to": "Ann"}, {"to": "Ann", "copies": 2})
    assert not same(ToolCalls(), {"to": "Ann", "copies": "1"}, {"to": "Ann", "copies": 1})


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(("sned", {"to": "Ann"}), id="no such tool"),
        pytest.param(("send", {"copies": 2}), id="an argument is missing"),
        pytest.param(("send", {"to": "Ann", "copies": "many"}), id="an argument is of the wrong type"),
        pytest.param(("send", ["Ann"]), id="no object"),
    ],
)
def test_a_call_that_could_not_be_carried_out_abstains(call):
    extractor = ToolCalls(tools=TOOLS)
    assert extractor.read(calls(call)) == Reading(None)
    assert extractor.read(calls(("delete", {}), call)) == Reading(None)
    assert extractor.read(calls(("delete", {}))) == Reading([["delete", {}]], "calls")


@pytest.mark.parametrize("written", ["", "null"])
def test_nothing_written_is_no_arguments(written):
    message = AssistantMessage(None, None, [ToolCall("1", "delete", written)])
    assert ToolCalls().extract(message) == [["delete", {}]]


def test_parallel_calls_have_no_order_of_their_own_but_their_number_counts():
    extractor = ToolCalls(tools=TOOLS)
    ann, bob = ("send", {"to": "Ann"}), ("send", {"to": "Bob", "copies": "1"})
    assert extractor.extract(calls(ann, bob)) == extractor.extract(calls(bob, ann))
    assert extractor.extract(calls(ann, ann)) != extractor.extract(calls(ann))


def test_the_tools_of_a_request_take_no_place_of_its_own():
    own = ToolCalls(tools={"other": as_written})
    assert own.with_tools(TOOLS).extract(calls(("other", {}))) == [["other", {}]]
    first = FirstOf(Boxed(), ToolCalls()).with_tools(TOOLS)
    assert first.extract(calls(("send", {"to": "Ann", "copies": "1"}))) == [["send", {"to": "Ann"}]]
    assert first.extract(calls(("sned", {}))) is None


def test_what_a_tool_says_in_its_own_way_is_compared_too():
    class Day:
        def __init__(self, name):
            self.name = name

        def __eq__(self, other):
            return self.name == other.name

        def __hash__(self):
            return hash(self.name)

    extractor = ToolCalls(tools={"send": lambda arguments: {"day": Day(arguments["day"].lower())}})
    assert same(extractor, {"day": "Monday"}, {"day": "MONDAY"})
