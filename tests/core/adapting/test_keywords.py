"""A call's keywords go to whom they are for, each to one."""

import pytest

from scaffolding_core import FieldVoteController, FunctionWorker, InvalidRequestError, NativeChatController
from scaffolding_core.adapting import Backend, split
from scaffolding_core.driver.order import ANSWER_OPTIONS, REQUEST_OPTIONS


@pytest.fixture
def backend():
    backend = Backend(FunctionWorker(lambda task: "7"))
    yield backend
    backend.close()


def test_each_goes_to_one(backend):
    given = {"sample_num": 3, "trace": True, "temperature": 0.5, "colour": "red"}
    told = split(backend.llm("majority_vote", {}), "majority_vote", given)
    assert told.options == {"sample_num": 3, "trace": True}
    assert told.sampling == {"temperature": 0.5}
    assert told.rest == {"colour": "red"}


@pytest.mark.parametrize("name", sorted(REQUEST_OPTIONS))
def test_an_option_of_the_request_is_never_for_a_wrapped_model(backend, name):
    told = split(backend.llm("direct", {}), "direct", {name: None})
    assert (told.options, told.sampling, told.rest) == ({name: None}, {}, {})


@pytest.mark.parametrize("name", sorted(ANSWER_OPTIONS | {"sample_num"}))
def test_an_option_of_methods_that_this_one_lacks_is_refused(backend, name):
    with pytest.raises(InvalidRequestError, match=f"'direct' takes no {name}: leave it out"):
        split(backend.llm("direct", {}), "direct", {name: "number"})


def test_answers_are_of_the_shape_that_the_method_takes(backend):
    vote, fields = backend.llm("majority_vote", {}), backend.llm("field_vote", {})
    assert split(vote, "majority_vote", {"answers": "number"}).options["answers"].kind == "number"
    price = split(fields, "field_vote", {"answers": {"price": "number"}}).options["answers"]["price"]
    assert price.kind == "number"
    with pytest.raises(InvalidRequestError, match="a kind for each field"):
        split(fields, "field_vote", {"answers": "number"})
    own = FieldVoteController(NativeChatController())
    with pytest.raises(InvalidRequestError, match="a kind for each field"):
        split(backend.llm(own, {}), own, {"answers": "number"})
