"""ScaffoldingLLM as plain data, pickled, copied, and closed."""

import copy
import json
import pickle

import pytest
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.mock import MockLLM

from llamaindex_scaffolding import ScaffoldingLLM, with_chain_of_thought
from scaffolding_core import (
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    WholeText,
)
from tests.llamaindex.doubles import ScriptedLLM, in_turn, voted

QUESTION = [ChatMessage(role="user", content="What is 6 times 7?")]


def test_hierarchy():
    names = [base.__name__ for base in ScaffoldingLLM.__mro__]

    assert BaseLLM.__name__ in names
    assert FunctionCallingLLM.__name__ in names
    assert ScaffoldingLLM.class_name() == "ScaffoldingLLM"


def test_no_key_in_plain_data_nor_in_what_is_shown():
    llm = ScaffoldingLLM("direct", api_base="http://127.0.0.1:9/v1", api_key="sk-secret")

    assert "sk-secret" not in llm.to_json() + repr(llm) + str(llm) + str(llm.to_payload())


def test_no_key_of_a_wrapped_llm_in_plain_data():
    llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["42"], api_key="sk-secret"), "direct")

    assert "sk-secret" not in llm.to_json() + repr(llm) + str(llm) + str(llm.to_payload())
    assert llm.llm.api_key == "sk-secret"


def test_no_credential_of_the_calls_in_plain_data():
    secrets = {"extra_headers": {"Authorization": "Bearer sk-secret"}, "extra_body": {"api_key": "sk-secret"}}
    llm = ScaffoldingLLM.wrap(ScriptedLLM(), "direct", additional_kwargs={**secrets, "top_p": 0.9})

    assert "sk-secret" not in llm.to_json()
    assert ScaffoldingLLM.from_json(llm.to_json()).additional_kwargs == {"extra_body": {}, "top_p": 0.9}


def test_round_trip():
    llm = ScaffoldingLLM(sample_num=5, api_base="http://127.0.0.1:9/v1", model="m", temperature=0.3)
    again = ScaffoldingLLM.from_json(llm.to_json(), api_key="k")

    assert again.to_dict() == llm.to_dict()
    assert again.api_key.get_secret_value() == "k"


def test_round_trip_with_a_wrapped_llm():
    llm = voted("41", "42", "42", method_options={"stop_rule": "full"})
    again = ScaffoldingLLM.from_dict(llm.to_dict())

    assert isinstance(again.llm, ScriptedLLM)
    assert again.chat(QUESTION).message.content == "42"


def test_round_trip_of_wrapper_in_wrapper():
    llm = with_chain_of_thought(voted("42"))
    again = ScaffoldingLLM.from_dict(json.loads(llm.to_json()))

    assert isinstance(again.llm.llm, ScriptedLLM)


def test_a_part_that_plain_data_cannot_hold_must_be_given_again():
    data = ScaffoldingLLM("direct", worker=in_turn("42")).to_dict()

    with pytest.raises(InvalidRequestError, match="worker"):
        ScaffoldingLLM.from_dict(data)
    assert ScaffoldingLLM.from_dict(data, worker=in_turn("42")).chat(QUESTION).message.content == "42"


@pytest.mark.parametrize(
    ("part", "fields"),
    [
        ("worker", {"method": "direct", "worker": FunctionWorker(lambda task: "42")}),
        ("reward", {"method": "best_of_n", "reward": lambda prompt, answer: 1.0}),
        ("method", {"method": MajorityVoteController(NativeGenerationController())}),
        ("method_options", {"method_options": {"extractor": WholeText()}}),
    ],
)
def test_an_object_is_named_in_plain_data_and_asked_for_again(part, fields):
    data = json.loads(ScaffoldingLLM(**fields).to_json())

    with pytest.raises(InvalidRequestError, match=f"pass {part}="):
        ScaffoldingLLM.from_dict(data)
    again = ScaffoldingLLM.from_dict(data, **{part: fields[part]})
    assert getattr(again, part) == fields[part]


def test_an_llm_whose_class_is_not_imported_is_refused():
    data = voted("42").to_dict()
    data["llm"]["llm_module"] = "os"

    with pytest.raises(InvalidRequestError, match="import"):
        ScaffoldingLLM.from_dict(data)


def test_pickling():
    llm = voted("41", "42", "42", method_options={"stop_rule": "full"})
    llm.chat(QUESTION)
    again = pickle.loads(pickle.dumps(ScaffoldingLLM.wrap(MockLLM(), sample_num=4)))

    assert again.sample_num == 4
    assert again.complete("42").text == "42"


def test_pickling_keeps_server_and_key():
    llm = ScaffoldingLLM("direct", api_base="http://127.0.0.1:1/v1", model="m", api_key="k")
    again = pickle.loads(pickle.dumps(llm))

    assert (again.api_base, again.model, again.api_key.get_secret_value()) == (llm.api_base, "m", "k")


def test_a_worker_that_cannot_be_pickled_is_not_lost_unseen():
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(ScaffoldingLLM("direct", worker=in_turn("42")))


def test_copies_share_what_runs():
    llm = voted("42", "42", "42")
    llm.chat(QUESTION)
    deep = copy.deepcopy(llm)
    deep.additional_kwargs["top_p"] = 0.5

    assert deep.chat(QUESTION).message.content == "42"
    assert llm.additional_kwargs == {}
    assert llm.model_copy(update={"sample_num": 1}).chat(QUESTION).raw["samples"] == 1


def test_closing_it_leaves_it_usable():
    llm = voted("42", "42", "42")
    llm.chat(QUESTION)
    llm.close()

    assert llm.chat(QUESTION).message.content == "42"


async def test_closing_it_async():
    llm = voted("42", "42", "42")
    await llm.achat(QUESTION)
    await llm.aclose()
