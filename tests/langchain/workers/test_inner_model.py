"""A model with a method tells what the model that it wraps tells: to those who count, and to those who trace."""

import pytest
from langchain_core.messages import HumanMessage, trim_messages

from langchain_scaffolding import ChatScaffolding, ScaffoldingLLM
from tests.langchain.doubles import KnownLLM, Scripted

HISTORY = [HumanMessage("one two three"), HumanMessage("four five")]


class Words:
    """Takes words for tokens."""

    def get_token_ids(self, text):
        return [len(word) for word in text.split()]

    def get_num_tokens_from_messages(self, messages, tools=None):
        return sum(self.get_num_tokens(message.text) for message in messages)

    def _get_ls_params(self, stop=None, **kwargs):
        return {"ls_provider": "acme", "ls_model_name": kwargs.get("model", "words-1"), "ls_max_tokens": 5}


class WordsChat(Words, Scripted):
    pass


class WordsLLM(Words, KnownLLM):
    pass


@pytest.fixture(params=["chat", "bound", "completion"])
def model(request):
    if request.param == "completion":
        return ScaffoldingLLM.wrap(WordsLLM(answers=["7"]), temperature=0.5)
    inner = WordsChat(answers=["7"], profile={"max_input_tokens": 9})
    return ChatScaffolding.wrap(inner if request.param == "chat" else inner.bind(a=1), temperature=0.5)


def test_tokens_are_counted_as_the_wrapped_model_does(model):
    assert model.get_token_ids("a bc") == [1, 2]
    assert model.get_num_tokens("a bc") == 2
    assert model.get_num_tokens_from_messages(HISTORY) == 5
    assert trim_messages(HISTORY, max_tokens=3, token_counter=model) == HISTORY[1:]
    own = model.model_copy(update={"custom_get_token_ids": lambda text: [0]})
    assert own.get_token_ids("a bc") == [0]


def test_traces_tell_the_wrapped_models_provider_and_name(model):
    told = model._get_ls_params(model="words-2")
    assert (told["ls_provider"], told["ls_model_name"]) == ("acme", "words-2")
    assert (told["ls_temperature"], told["ls_max_tokens"]) == (0.5, 5)
    assert model._get_ls_params()["ls_model_name"] == "words-1"
    assert model._llm_type == "scaffolding"


def test_the_profile_is_the_wrapped_models():
    inner = WordsChat(answers=["7"], profile={"max_input_tokens": 9})
    for each in (inner, inner.bind(a=1), inner.with_fallbacks([inner])):
        assert ChatScaffolding.wrap(each).profile == {"max_input_tokens": 9}
