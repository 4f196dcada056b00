"""What is read of messages, where whoever acts on them accepts only some."""

import json

import pytest
from pydantic import BaseModel, Field

from scaffolding_core import AssistantMessage, FromMessage, Parsed, ToolCall, ToolCalls
from scaffolding_core.answers import Acceptance, Accepted, Answers, Json, Reading, read_as_type


class City(BaseModel):
    name: str
    people: int
    why: str = ""
    id: str = Field(default_factory=lambda: str(object()))


TOOLS = Acceptance(tools={"find": read_as_type(City)})
STRUCTURE = Acceptance(structure=Parsed(City))
PARIS = {"name": "Paris", "people": "2", "why": "big"}


def says(text, *calls):
    return AssistantMessage(text, None, [ToolCall("1", name, json.dumps(args)) for name, args in calls])


@pytest.mark.parametrize("kind", ["auto", "number", "text", "calls", "math"])
def test_a_message_that_calls_tools_is_read_as_its_calls_whatever_the_kind(kind):
    accepted = Accepted(Answers(kind), TOOLS)
    found = accepted.read(says("I think 5", ("find", PARIS)))
    assert found == Reading([["find", {"name": "Paris", "people": 2, "why": "big"}]], "calls")
    assert accepted.read(says("I think 5", ("find", {"name": "Paris"}))) == Reading(None)


def test_a_kind_reads_texts_as_ever():
    assert Accepted(Answers("number"), TOOLS).read(says("It is 5.")).answer == "5"
    assert Accepted(Answers("calls"), TOOLS).read(says("It is 5.")).answer is None


def test_an_extractor_of_ones_own_reads_what_is_accepted_as_it_is():
    own = Answers.pair(FromMessage(lambda message: json.loads(message.tool_calls[0].arguments)["people"]), None)
    accepted = Accepted(own, TOOLS)
    assert accepted.read(says("", ("find", PARIS))).answer == "2"
    assert accepted.read(says("", ("find", {"name": "Paris"}))) == Reading(None)
    assert accepted.read(says("", ("found", PARIS))) == Reading(None)


def test_calls_of_ones_own_extractor_know_the_tools():
    own = Answers.pair(ToolCalls(only=["people"]), None)
    assert Accepted(own, TOOLS).read(says("", ("find", PARIS))).answer == [["find", {"people": 2}]]


@pytest.mark.parametrize("kind", ["auto", "number", "text", "math"])
def test_all_of_a_structure_is_the_answer_but_what_its_class_generates(kind):
    accepted = Accepted(Answers(kind), STRUCTURE)
    paris = {"name": "Paris", "people": 2, "why": "big"}
    assert accepted.read(says(json.dumps(PARIS))) == Reading(paris, "structure")
    assert accepted.read(says('{"name": "Paris", "people": 2}')).answer == {**paris, "why": ""}


@pytest.mark.parametrize("text", ["Paris", '{"name": "Paris"}', '{"name": "Paris", "people": "many"}', ""])
@pytest.mark.parametrize("answers", [Answers("auto"), Answers("text"), Answers.pair(Json("name"), None)])
def test_what_is_no_such_structure_abstains(text, answers):
    assert Accepted(answers, STRUCTURE).read(says(text)) == Reading(None)


def test_what_counts_of_a_structure_can_be_said():
    accepted = Accepted(Answers("json", key="people"), STRUCTURE)
    assert accepted.read(says(json.dumps(PARIS))).answer == 2


def test_a_structure_that_came_by_a_call_is_read_alike():
    by_call = Acceptance(structure=FromMessage(lambda message: json.loads(message.tool_calls[0].arguments)))
    message = says("", ("find", {"name": "Paris", "people": 2}))
    assert Accepted(Answers("json", key="people"), by_call).read(message).answer == 2
    calls = Answers.pair(ToolCalls(only=["people"]), None)
    assert Accepted(calls, by_call).read(message).answer == [["find", {"people": 2}]]


def test_beside_tools_a_structure_is_what_texts_must_be():
    both = Acceptance(tools=TOOLS.tools, structure=Parsed(City))
    accepted = Accepted(Answers("auto"), both)
    assert accepted.read(says("", ("find", PARIS))).how == "calls"
    assert accepted.read(says(json.dumps(PARIS))).how == "structure"
    assert accepted.read(says("Paris")) == Reading(None)
