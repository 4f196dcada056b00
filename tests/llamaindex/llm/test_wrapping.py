"""A wrapped LLM: one line gives it a method, and it stays what it is."""

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.llms.mock import MockLLM

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
