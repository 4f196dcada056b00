"""Arguments of tool calls, as their tools get them."""

import dataclasses
import itertools
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated
from uuid import uuid4

import pytest
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, RootModel, SecretStr, model_validator
from typing_extensions import TypedDict

from scaffolding_core import InvalidRequestError, ToolDescription
from scaffolding_core.answers import as_written, read_as_type, read_by_schema, tools_of

numbers = itertools.count()


class Priority(Enum):
    HIGH = "high"
    LOW = "low"


class Place(BaseModel):
    town: str
    country: str = "FR"


class Booking(BaseModel):
    day: date
    seats: int = 1
    place: Place | None = None
    priority: Priority = Priority.LOW
    tags: list[str] = []
    notes: list[str] = Field(default_factory=list)
    ticket: str = Field(default_factory=lambda: uuid4().hex)
    made_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


BOOKING = {"day": "2024-03-05"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({}, {}, id="generated ids and time stamps"),
        pytest.param({"seats": "2"}, {"seats": 2}, id="a number as text"),
        pytest.param({"seats": 2.0}, {"seats": 2}, id="a whole number with a point"),
        pytest.param({"seats": 1}, {}, id="a default"),
        pytest.param({"tags": [], "notes": []}, {}, id="an empty default"),
        pytest.param({"priority": "low"}, {}, id="a default of an enum"),
        pytest.param({"place": {"town": "Nice"}}, {"place": {"country": "FR", "town": "Nice"}}, id="inside"),
        pytest.param({"day": "2024-03-05"}, {"day": "2024-03-05T00:00:00"}, id="a day as a time"),
    ],
)
def test_calls_that_come_to_the_same_for_the_tool_are_the_same(one, other):
    read = read_as_type(Booking)
    assert read(BOOKING | one) == read(BOOKING | other)


@pytest.mark.parametrize(
    "other",
    [
        {"seats": 2},
        {"place": {"town": "Nice"}},
        {"place": {"town": "Nice", "country": "IT"}},
        {"priority": "high"},
        {"notes": ["window"]},
        {"ticket": "A1"},
        {"day": "2024-03-06"},
    ],
)
def test_what_the_model_wrote_counts(other):
    read = read_as_type(Booking)
    assert read(BOOKING) != read(BOOKING | other)


@pytest.mark.parametrize("wrong", [{}, {"day": "soon"}, {"day": "2024-03-05", "seats": "two"}])
def test_what_the_class_refuses_is_refused(wrong):
    with pytest.raises(ValueError, match="Booking"):
        read_as_type(Booking)(wrong)


def test_a_validator_that_fails_in_any_way_refuses():
    class Picky(BaseModel):
        name: Annotated[str, BeforeValidator(lambda value: value["inner"])]

    with pytest.raises(ValueError, match="Picky refuses"):
        read_as_type(Picky)({"name": "x"})


def test_what_a_validator_fills_in_was_not_written():
    class Before(BaseModel):
        name: str
        number: int

        @model_validator(mode="before")
        @classmethod
        def _number(cls, given):
            return {"number": next(numbers), **given}

    class After(BaseModel):
        name: str
        number: int = 0

        @model_validator(mode="after")
        def _number(self):
            self.number = next(numbers)
            return self

    for kind in (Before, After):
        assert read_as_type(kind)({"name": "x"}) == {"name": "x"}


def test_what_a_validator_makes_of_a_key_that_is_no_field_counts():
    class Point(BaseModel):
        x: int
        y: int

        @model_validator(mode="before")
        @classmethod
        def _split(cls, given):
            x, y = given["at"].split(",")
            return {"x": x, "y": y}

    read = read_as_type(Point)
    assert read({"at": "1,2"}) == read({"at": "1, 2"}) == {"x": 1, "y": 2}
    assert read({"at": "1,3"}) != read({"at": "1,2"})


def test_fields_are_told_by_what_they_are_read_back_by():
    class Aliased(BaseModel, populate_by_name=True):
        town: str = Field(alias="cityName")
        day: date | None = Field(None, validation_alias=AliasChoices("on", "at"))

    read = read_as_type(Aliased)
    assert read({"cityName": "Nice", "at": "2024-01-01"}) == {"cityName": "Nice", "on": "2024-01-01"}
    assert read({"town": "Nice", "on": "2024-01-01"}) == {"cityName": "Nice", "on": "2024-01-01"}


def test_secrets_and_objects_of_ones_own_are_told_apart():
    class Login(BaseModel, arbitrary_types_allowed=True):
        key: SecretStr
        extra: Annotated[object, BeforeValidator(lambda value: (lambda: value) if value else value)] = None

    read = read_as_type(Login)
    assert read({"key": "a"}) != read({"key": "b"})
    assert read({"key": "a", "extra": 1}) != read({"key": "a", "extra": 2})


def test_dataclasses_typed_dicts_and_roots():
    @dataclasses.dataclass
    class Trip:
        to: str
        days: int = 1
        ticket: str = dataclasses.field(default_factory=lambda: uuid4().hex)

    class Stop(TypedDict):
        at: int

    class Stops(RootModel[dict[str, list[Stop]]]):
        pass

    assert read_as_type(Trip)({"to": "Rome", "days": "1"}) == read_as_type(Trip)({"to": "Rome"}) == {"to": "Rome"}
    assert read_as_type(Stop)({"at": "5"}) == {"at": 5}
    assert read_as_type(Stops)({"a": [{"at": "5"}]}) == {"a": [{"at": 5}]}


def test_a_class_that_cannot_be_validated_is_refused_at_once():
    class Plain:
        pass

    with pytest.raises(InvalidRequestError, match="Plain cannot be validated"):
        read_as_type(Plain)


SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 2},
        "days": {"type": "integer", "minimum": 1, "maximum": 9},
        "unit": {"enum": ["C", "F"], "default": "C"},
        "near": {"anyOf": [{"$ref": "#/$defs/Point"}, {"type": "null"}], "default": None},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "exact": {"type": ["boolean", "null"]},
        "share": {"type": "number", "exclusiveMaximum": 1},
    },
    "required": ["city"],
    "$defs": {
        "Point": {
            "type": "object",
            "properties": {"x": {"type": "number"}, "next": {"$ref": "#/$defs/Point"}},
            "additionalProperties": False,
        }
    },
}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"days": "3"}, {"days": 3}),
        ({"days": 3.0, "unit": "C", "near": None}, {"days": 3}),
        ({"unit": "F", "exact": "yes"}, {"unit": "F", "exact": True}),
        ({"near": {"x": "1.5"}}, {"near": {"x": 1.5}}),
        ({"near": {"next": {"x": 1, "next": {"x": 2}}}}, {"near": {"next": {"x": 1, "next": {"x": 2}}}}),
        ({"tags": ["a"], "more": {"of": [1]}}, {"tags": ["a"], "more": {"of": [1]}}),
        ({"exact": None, "share": "0.5"}, {"exact": None, "share": 0.5}),
    ],
)
def test_a_schema_is_read_with_the_leniency_of_pydantic(written, read):
    assert read_by_schema(SCHEMA)({"city": "Nice", **written}) == {"city": "Nice", **read}


@pytest.mark.parametrize(
    "wrong",
    [
        {"city": None},
        {"city": 5},
        {"city": "N"},
        {"days": "some"},
        {"days": 0},
        {"days": 2.5},
        {"unit": "K"},
        {"near": {"y": 1}},
        {"tags": "a"},
        {"tags": ["a", "b", "c"]},
        {"share": 1},
        {"exact": "perhaps"},
    ],
)
def test_what_a_schema_does_not_allow_is_refused(wrong):
    with pytest.raises(ValueError, match="validation error"):
        read_by_schema(SCHEMA)({"city": "Nice", **wrong})
    with pytest.raises(ValueError, match="validation error"):
        read_by_schema(SCHEMA)({key: value for key, value in wrong.items() if key != "city"})


def test_large_whole_numbers_keep_every_digit():
    read = read_by_schema({"type": "object", "properties": {"id": {"type": "number"}}})
    assert read({"id": 12345678901234567890}) != read({"id": 12345678901234567891})


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "nothing known"},
        {"properties": {"a": {"$ref": "#/missing"}}},
        {"allOf": 3},
    ],
)
def test_a_schema_that_says_nothing_takes_anything(schema):
    assert read_by_schema(schema)({"a": "5"}) == {"a": "5"}


def test_tools_are_known_by_their_descriptions_in_each_shape():
    parameters = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    tools = tools_of(
        [
            ToolDescription("ours", "", {"days": {"type": "integer"}}),
            {"type": "function", "function": {"name": "chat", "parameters": parameters}},
            {"type": "function", "name": "responses", "parameters": parameters},
            {"name": "messages", "input_schema": parameters},
            {"type": "custom", "name": "free"},
        ]
    )
    assert [tools[name]({"days": "5"}) for name in tools] == [{"days": 5}] * 4 + [{"days": "5"}]
    with pytest.raises(KeyError):
        tools["unknown"]


def test_beside_a_tool_of_the_servers_own_any_name_may_be_a_tool():
    tools = tools_of([{"type": "web_search"}, {"name": "known", "parameters": {"type": "object"}}])
    assert tools["unknown"] is as_written
