"""What makes no sense is refused where it is written, before anything is paid for.

On a scripted model, which is never called.
"""

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_scaffolding import ChatScaffolding, ScaffoldingLLM, ScaffoldingRunnable, with_majority_vote
from scaffolding_core import (
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    UnknownMethodError,
)
from tests.langchain.doubles import KnownLLM, Scripted

WRAPPED = [
    (ChatScaffolding, Scripted(answers=["7"])),
    (ScaffoldingLLM, KnownLLM(answers=["7"])),
    (ScaffoldingRunnable, RunnableLambda(str)),
]


@pytest.mark.parametrize(("kind", "inner"), WRAPPED)
@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"n": 2}, InvalidRequestError, "no field 'n'"),
        ({"stop_rule": "full"}, InvalidRequestError, "no field 'stop_rule': .* method_options"),
        ({"method": "votee"}, UnknownMethodError, "'votee'"),
        ({"method_options": {"colour": 1}}, InvalidRequestError, "colour"),
        ({"method": "best_of_n"}, InvalidRequestError, "pass reward="),
        ({"reward": 7}, InvalidRequestError, "a reward must be"),
        ({"method": "direct", "sample_num": 3}, InvalidRequestError, "'direct' takes one sample"),
        ({"max_concurrent_samples": 0}, InvalidRequestError, "at least 1"),
    ],
)
def test_a_field_that_makes_no_sense_is_one_typed_error(kind, inner, wrong, error, told):
    with pytest.raises(error, match=told):
        kind.wrap(inner, **wrong)


@pytest.mark.parametrize("kind", [kind for kind, _ in WRAPPED])
def test_what_is_no_runnable_is_refused(kind):
    with pytest.raises(InvalidRequestError, match="needs a chat model or a chain"):
        kind.wrap("a model's name")


def test_options_beside_a_controller_are_refused_since_it_has_its_own():
    method = MajorityVoteController(NativeChatController(), 2)
    with pytest.raises(InvalidRequestError, match="give 'stop_rule' to the controller"):
        ChatScaffolding.wrap(Scripted(answers=["7"]), method, method_options={"stop_rule": "full"})
    with pytest.raises(InvalidRequestError, match="NativeGenerationController takes one sample"):
        ChatScaffolding.wrap(Scripted(answers=["7"]), NativeGenerationController(), sample_num=2)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"model": "large"}, "no server for the model 'large'"),
        ({"model": "large", "inner": Scripted(answers=["7"])}, "name it in the wrapped model"),
        ({"base_url": "http://x/v1", "inner": Scripted(answers=["7"])}, "give one of"),
        ({"max_concurrent_samples": 3}, "make a worker with"),
        ({"siblings": 1}, "siblings is for a server"),
    ],
)
def test_a_field_that_the_backend_would_ignore_is_refused(wrong, told):
    with pytest.raises(InvalidRequestError, match=told):
        ChatScaffolding(**wrong)


def test_a_tool_choice_names_a_tool_that_is_there():
    model = ChatScaffolding(base_url="http://127.0.0.1:9/v1")
    tool = {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}
    named = {"type": "function", "function": {"name": "add"}}
    assert model.bind_tools([tool], tool_choice="add").kwargs["tool_choice"] == named
    with pytest.raises(InvalidRequestError, match="no tool 'sub'.* add"):
        model.bind_tools([tool, {"type": "web_search"}], tool_choice="sub")


def test_the_short_functions_refuse_options_that_the_method_does_not_have():
    with pytest.raises(InvalidRequestError, match="stop_rul"):
        with_majority_vote(Scripted(answers=["7"]), n=3, stop_rul="full")


def test_samples_of_a_method_that_configuration_replaces_are_left_alone():
    inner = Scripted(answers=["7"])
    model = ChatScaffolding.wrap(inner, sample_num=3)
    assert model.invoke("q", {"configurable": {"method": "direct"}}).content == "7"
    assert len(inner.calls) == 1
