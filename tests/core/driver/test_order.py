"""What one request asks for: its options, checked before anything runs."""

import time

import pytest

from scaffolding_core import (
    ANSWER_OPTIONS,
    REQUEST_OPTIONS,
    SAMPLING_PARAMETERS,
    Budget,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
)
from scaffolding_core.controllers import FieldVoteController
from scaffolding_core.driver.order import option_names, order_of

GIVEN = {
    "budget": Budget(tokens=5),
    "deadline": time.monotonic() + 60,
    "priority": 3,
    "seed": 7,
    "metadata": {"user": "me"},
    "trace": True,
}


def order(**options):
    return order_of("q", options, NativeGenerationController(), frozenset())


def told(made):
    return {name: getattr(made.task if name == "seed" else made, name) for name in REQUEST_OPTIONS}


def test_every_option_of_a_request_is_understood_whatever_its_method():
    assert GIVEN.keys() == REQUEST_OPTIONS
    made = order(**GIVEN)
    assert told(made) == GIVEN
    assert made.options == {}


@pytest.mark.parametrize("name", sorted(REQUEST_OPTIONS))
def test_one_of_the_wrong_kind_is_refused_and_none_leaves_it_out(name):
    with pytest.raises(InvalidRequestError, match=f"{name} must be of type"):
        order(**{name: "soon"})
    assert told(order(**{name: None})) == told(order())


def test_an_unknown_option_is_refused_with_all_that_there_are():
    with pytest.raises(InvalidRequestError, match="'colour' is neither") as told:
        order(colour=1)
    assert all(name in str(told.value) for name in REQUEST_OPTIONS)


def test_the_metadata_are_the_requests_own():
    given = {"user": "me"}
    made = order(metadata=given)
    given["user"] = "you"
    assert made.metadata == {"user": "me"}


def test_how_answers_are_read_is_an_option_of_methods_and_of_nothing_else():
    votes = option_names(MajorityVoteController(NativeGenerationController()))
    fields = option_names(FieldVoteController(NativeGenerationController()))
    assert (votes | fields) & ANSWER_OPTIONS == {"answers", "extractor", "equivalence"}
    assert not ANSWER_OPTIONS & (REQUEST_OPTIONS | SAMPLING_PARAMETERS)
