"""The stand-in for TensorRT-LLM has the real one's signatures, and fails as that does."""

import asyncio
import dataclasses
import inspect

import pytest

from tests.eventually import until
from tests.servers.trtllm.double import standing_in

EARLIER = """inputs sampling_params=None lora_request=None prompt_adapter_request=None streaming=False
    kv_cache_retention_config=None disaggregated_params=None _postproc_params=None scheduling_params=None
    cache_salt=None"""
LATER = """inputs sampling_params=None lora_request=None prompt_adapter_request=None streaming=False
    kv_cache_retention_config=None disaggregated_params=None trace_headers=None _postproc_params=None
    scheduling_params=None conversation_params=None cache_salt=None priority=0.5"""
"""The parameters of `generate_async` in 1.2 rc (late 2025) and in mid-2026."""

LLM = """model tokenizer=None tokenizer_mode='auto' skip_tokenizer_init=False trust_remote_code=False
    tensor_parallel_size=1 dtype='auto' revision=None tokenizer_revision=None **kwargs"""

FIELDS = {
    "tensorrt_llm.SamplingParams": """end_id=None pad_id=None max_tokens=32 bad=None bad_token_ids=None stop=None
        stop_token_ids=None include_stop_str_in_output=False embedding_bias=None logits_processor=None
        apply_batched_logits_processor=False n=1 best_of=None use_beam_search=False top_k=None top_p=None
        top_p_min=None top_p_reset_ids=None top_p_decay=None seed=None temperature=None min_tokens=None
        beam_search_diversity_rate=None repetition_penalty=None presence_penalty=None frequency_penalty=None
        length_penalty=None early_stopping=None no_repeat_ngram_size=None min_p=None beam_width_array=None
        logprobs=None prompt_logprobs=None return_context_logits=False return_generation_logits=False
        exclude_input_from_output=True return_encoder_output=False return_perf_metrics=False
        additional_model_outputs=None lookahead_config=None guided_decoding=None ignore_eos=False detokenize=True
        add_special_tokens=True truncate_prompt_tokens=None skip_special_tokens=True
        spaces_between_special_tokens=True""",
    "tensorrt_llm.llmapi.GuidedDecodingParams": """json=None regex=None grammar=None json_object=False
        structural_tag=None""",
    "tensorrt_llm.scheduling_params.SchedulingParams": """attention_dp_rank=None attention_dp_relax=True
        agent_hierarchy=None""",
    "tensorrt_llm.conversation_params.ConversationParams": "conversation_id",
    "tensorrt_llm.executor.LoRARequest": "lora_name lora_int_id lora_path='' lora_ckpt_source='hf'",
    "tensorrt_llm.executor.Logprob": "logprob rank=None",
}

OUTPUT = """index text token_ids cumulative_logprob logprobs prompt_logprobs finish_reason stop_reason
    generation_logits additional_context_outputs additional_generation_outputs disaggregated_params
    request_perf_metrics length text_diff token_ids_diff logprobs_diff"""
RESULT = """request_id prompt prompt_token_ids outputs context_logits finished cached_tokens
    avg_decoded_tokens_per_iter decoding_iter metrics_dict result aresult abort aborted"""


def described(function) -> list[str]:
    return [str(each.replace(annotation=each.empty)) for each in inspect.signature(function).parameters.values()]


def named(path):
    import importlib

    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("version", "parameters"), [("late 2025", EARLIER), ("mid 2026", LATER)])
def test_each_version_has_its_signature(version, parameters):
    with standing_in(version) as package:
        assert described(package.LLM.generate_async)[1:] == parameters.split()
        assert described(package.LLM.__init__)[1:] == LLM.split()
        assert hasattr(package.LLM, "preprocess") == (version == "mid 2026")


@pytest.mark.parametrize("path", FIELDS)
def test_parameters_have_the_fields_and_defaults_of_the_real_ones(tensorrt_llm, path):
    assert described(named(path)) == FIELDS[path].split()


async def test_results_have_the_attributes_of_the_real_ones(make_llm):
    result = make_llm("7").generate_async("q")
    output = (await result).outputs[0]
    assert all(hasattr(result, name) for name in RESULT.split())
    assert all(hasattr(output, name) for name in OUTPUT.split())


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"n": 2}, ValueError),
        ({"n": 2, "temperature": 0, "top_p": 1.0}, ValueError),
        ({"top_p": 1.5}, ValueError),
        ({"temperature": -1}, ValueError),
        ({"no_such_field": 1}, TypeError),
    ],
)
def test_sampling_parameters_are_checked(tensorrt_llm, wrong, error):
    with pytest.raises(error):
        tensorrt_llm.SamplingParams(**wrong)


async def test_what_is_new_is_told_beside_what_there_is(make_llm, tensorrt_llm):
    steps = []
    async for step in make_llm("It is 7").generate_async("q", streaming=True):
        steps.append((step.outputs[0].text, step.outputs[0].text_diff, step.outputs[0].token_ids_diff[:]))
    texts, news, _ = zip(*steps, strict=True)
    assert texts == ("It", "It is", "It is 7", "It is 7")
    assert news == ("It", " is", " 7", "")


async def test_of_several_answers_only_the_last_says_why_it_ended(make_llm, tensorrt_llm):
    params = tensorrt_llm.SamplingParams(n=2, temperature=1.0)
    result = await make_llm("7", "It is 8").generate_async("q", params)
    assert [(each.text, each.finish_reason) for each in result.outputs] == [("7", None), ("It is 8", "stop")]


async def test_an_abort_ends_it_as_cancelled(make_llm):
    llm = make_llm("a b c d e f")
    llm.double.hold(2)
    result = llm.generate_async("q")
    result.abort()
    assert (await result).outputs[0].finish_reason == "cancelled"


def test_a_result_of_no_event_loop_is_not_awaited_on_one(make_llm):
    result = make_llm("7").generate_async("q")

    async def wait():
        await result

    with pytest.raises(AssertionError, match="event loop was not present"):
        asyncio.run(wait())
    assert result.result(timeout=0).outputs[0].text == "7"  # whatever the timeout


async def test_a_long_prompt_is_refused_at_once(make_llm):
    with pytest.raises(ValueError, match="should not exceed max_num_tokens"):
        make_llm("7", max_num_tokens=2).generate_async("one two three")


async def test_a_request_error_is_told_where_it_is_awaited(make_llm, tensorrt_llm):
    llm = make_llm("7")
    llm.double.refusal = "no"
    result = llm.generate_async("q")
    with pytest.raises(RuntimeError, match="no") as raised:
        await result
    assert isinstance(raised.value, named("tensorrt_llm.executor.RequestError"))


async def test_of_an_engine_that_ends_one_that_waits_is_told(make_llm):
    llm = make_llm("7")
    llm.double.hold()
    first, second = llm.generate_async("q"), llm.generate_async("q")
    await until(lambda: llm.double.running == 2)
    llm.double.break_down(RuntimeError("out of memory"))
    with pytest.raises(RuntimeError, match="out of memory"):
        await first
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second, 0.01)
    with pytest.raises(RuntimeError, match="LLM is shutting down"):
        llm.generate_async("q")


def test_an_llm_refuses_what_it_does_not_know(make_llm):
    with pytest.raises(ValueError, match="got invalid argument: wrong"):
        make_llm("7", wrong=1)
    with pytest.raises(RuntimeError, match="Only 1 GPUs are available, but 2 are required"):
        make_llm("7", tensor_parallel_size=2)


def test_the_fields_of_an_answer_come_in_their_order(tensorrt_llm):
    fields = [f.name for f in dataclasses.fields(named("tensorrt_llm.executor.CompletionOutput")) if f.init]
    assert fields == OUTPUT.split()[:-4]
