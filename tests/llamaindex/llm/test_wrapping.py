"""A wrapped LLM: one line gives it a method, and it stays what it is."""

from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, CompletionResponse
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms.llm import PydanticProgramMode
from llama_index.core.llms.mock import MockLLM
from llama_index.core.prompts import PromptTemplate
from pydantic import ConfigDict, PrivateAttr

from llamaindex_scaffolding import ScaffoldingLLM, with_best_of_n, with_chain_of_thought, with_majority_vote
from tests.llamaindex.doubles import ScriptedLLM, in_turn, voted

QUESTION = [ChatMessage(role="user", content="What is 6 times 7?")]


class TestWrapping:
    def test_metadata_is_that_of_the_wrapped_llm(self):
        assert voted("42").metadata == ScriptedLLM().metadata

    def test_metadata_of_its_own(self):
        llm = ScaffoldingLLM("direct", worker=in_turn(), model="m", context_window=99, max_tokens=7)

        assert (llm.metadata.model_name, llm.metadata.context_window, llm.metadata.num_output) == ("m", 99, 7)
        assert llm.metadata.is_chat_model

    def test_metadata_of_the_embedded_model(self):
        metadata = ScaffoldingLLM("direct").metadata

        assert metadata.model_name.startswith("SmolLM2-135M-Instruct")
        assert metadata.context_window == 8192
        assert not metadata.is_function_calling_model

    def test_one_line_for_each_method(self):
        inner = ScriptedLLM(answers=["1", "2", "2"])
        vote = with_majority_vote(inner, n=3, stop_rule="full")
        best = with_best_of_n(inner, reward=lambda prompt, answer: float(answer), n=3)
        thought = with_chain_of_thought(inner)

        assert vote.chat(QUESTION).message.content == "2"
        assert best.chat(QUESTION).raw["score"] == 2.0
        assert "step by step" in (thought.chat(QUESTION), inner.record.asked[-1][-1].content)[1]

    def test_samples_differ_unless_told_otherwise(self):
        llm = with_majority_vote(ScriptedLLM(answers=["42"]), n=2)
        llm.chat(QUESTION)

        assert {kwargs["temperature"] for kwargs in llm.llm.record.kwargs} == {0.7}

    def test_the_prompts_of_the_wrapped_llm_stay(self):
        inner = MockLLM(system_prompt="be brief", completion_to_prompt=lambda prompt: f"<{prompt}>")
        llm = ScaffoldingLLM.wrap(inner, "direct")

        assert llm.system_prompt == "be brief"
        assert llm.completion_to_prompt("x") == "<x>"

    def test_a_wrapper_can_be_wrapped(self):
        inner = voted("41", "42", "42")
        outer = with_chain_of_thought(inner)

        assert outer.chat(QUESTION).message.content == "42"
        assert outer.chat(QUESTION).raw["usage"]["prompt_tokens"] > 3


class Counting(MockLLM):
    """Counts its calls in its own attributes, and would be copied wherever pydantic validates it."""

    model_config = ConfigDict(revalidate_instances="always")

    calls: int = 0
    _seen: list[Any] = PrivateAttr(default_factory=list)
    _temperature: Any = PrivateAttr(default=None)

    def complete(self, prompt, formatted=False, **kwargs):
        self.calls += 1
        self._seen.append(self._temperature)
        return CompletionResponse(text=prompt)


class TestItIsTheLLMThatWasGiven:
    def test_no_copy_is_made_of_it(self):
        inner = Counting()
        assert with_majority_vote(inner).llm is inner

    @pytest.mark.parametrize("nested", [False, True])
    async def test_what_it_keeps_in_its_attributes_and_what_is_changed_there_holds(self, nested):
        inner = Counting()
        llm = with_majority_vote(with_chain_of_thought(inner) if nested else inner, n=2, stop_rule="full")
        llm.complete("q")
        inner._temperature = 0
        await llm.acomplete("q")
        assert (inner.calls, inner._seen) == (4, [None, None, 0, 0])

    def test_a_method_that_is_replaced_is_called(self):
        inner = Counting()
        llm = with_majority_vote(inner, n=2, stop_rule="full")
        llm.complete("q")
        object.__setattr__(inner, "complete", lambda prompt, **kwargs: CompletionResponse(text="replaced"))
        assert llm.complete("q").text == "replaced"

    def test_its_prompts_and_callbacks_of_later_hold(self):
        heard = TokenCountingHandler()
        inner = ScriptedLLM(answers=["42"])
        llm = with_majority_vote(inner, n=2, temperature=None, stop_rule="full")
        llm.predict(PromptTemplate("q"))
        inner.callback_manager, inner.system_prompt = CallbackManager([heard]), "be brief"
        inner.pydantic_program_mode = PydanticProgramMode.LLM
        llm.predict(PromptTemplate("q"))

        assert [message.content for message in inner.record.asked[-1]] == ["be brief", "q"]
        assert llm.pydantic_program_mode == PydanticProgramMode.LLM
        assert (len(heard.llm_token_counts), heard.total_llm_token_count) == (1, 10)

    def test_what_the_wrapper_sets_for_itself_is_its_own(self):
        inner = ScriptedLLM(answers=["42"], system_prompt="be brief")
        llm = ScaffoldingLLM.wrap(inner, "direct", system_prompt="be long")
        llm.callback_manager = own = CallbackManager([])
        inner.system_prompt, inner.callback_manager = "be quiet", CallbackManager([])

        assert (llm.system_prompt, llm.callback_manager) == ("be long", own)
