"""TRTLLMWorker generates: parameters, prompts, answers, log probabilities, usage."""

import math
import threading

import pytest

from scaffolding_core import (
    BadRequestError,
    ContextLengthExceededError,
    GenerationTask,
    InvalidRequestError,
    TRTLLMWorker,
    UnsupportedParameterError,
)
from tests.servers.trtllm.double import model_folder, standing_in


def params(worker):
    return worker.llm.double.requests[-1].params


async def ran(worker, **given):
    task = GenerationTask(**{"input_str": "q", **given})
    await worker.run_task(task)
    return task


async def test_an_answer_is_whole_with_its_tokens_and_what_it_cost(make_worker):
    task = await ran(make_worker("It is 7."), input_str="one two")
    assert (task.output_str, task.finish_reason) == ("It is 7.", "stop")
    assert len(task.output_tokens) == task.usage.completion_tokens == 4
    assert (task.usage.prompt_tokens, task.usage.calls, task.usage.lost_calls) == (3, 1, 0)


async def test_defaults_are_those_of_trtllm_serve(make_worker):
    worker = make_worker("7")
    await ran(worker)
    assert (params(worker).temperature, params(worker).top_p, params(worker).max_tokens) == (1.0, 1.0, None)


async def test_every_parameter_of_the_llm_api_reaches_it(make_worker):
    worker = make_worker("7")
    given = {
        "max_tokens": 5, "min_tokens": 2, "temperature": 0.5, "top_p": 0.9, "top_k": 4, "min_p": 0.1, "seed": 3,
        "top_p_min": 0.1, "top_p_decay": 0.2, "top_p_reset_ids": 1, "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "repetition_penalty": 1.1, "length_penalty": 1.0, "early_stopping": 1, "no_repeat_ngram_size": 3,
        "beam_search_diversity_rate": 1.0, "use_beam_search": True, "stop": ["x"], "stop_token_ids": [9],
        "bad": ["y"], "bad_token_ids": [8], "include_stop_str_in_output": True, "ignore_eos": True,
        "skip_special_tokens": False, "spaces_between_special_tokens": False, "add_special_tokens": False,
        "truncate_prompt_tokens": 4,
    }  # fmt: skip
    await ran(worker, **given)
    assert {name: getattr(params(worker), name) for name in given} == given


async def test_samples_have_seeds_of_their_own(make_worker):
    worker = make_worker("7")
    await ran(worker)
    first = params(worker).seed
    await ran(worker)
    assert None not in (first, params(worker).seed)
    assert first != params(worker).seed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 2), ("best_of", 2), ("echo", True), ("suffix", "x"), ("user", "me"), ("extra_body", {"a": 1}),
        ("prompt_logprobs", 1), ("reasoning_effort", "low"), ("thinking_token_budget", 5),
        ("prompt_ignore_length", 2), ("tool_choice", "auto"), ("chat_template_kwargs", {"a": 1}),
        ("parallel_tool_calls", False), ("response_format", {"type": "json_object"}),
    ],
)  # fmt: skip
async def test_a_parameter_that_is_not_honoured_is_refused_by_its_name(make_worker, name, value):
    worker = make_worker("7")
    with pytest.raises(UnsupportedParameterError, match=name):
        await ran(worker, **{name: value})
    assert worker.llm.double.requests == []


@pytest.mark.parametrize(
    "given", [{"cache_salt": "mine"}, {"lora_request": {"lora_name": "mine", "lora_int_id": 1}}]
)
async def test_what_a_version_of_the_llm_does_not_take_is_refused_by_its_name(tensorrt_llm, given):
    class Older:
        def generate_async(self, inputs, sampling_params=None, streaming=False):
            raise AssertionError("it is not asked")

    with pytest.raises(UnsupportedParameterError, match=next(iter(given))):
        await ran(TRTLLMWorker(Older()), **given)


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_p": 1.5}, {"temperature": -1.0}, {"temperature": float("nan")}, {"num_logprobs": -1},
        {"max_tokens": "many"}, {"max_tokens": 2.5}, {"seed": -1}, {"logit_bias": 3}, {"stop": 5}, {"stop": [""]},
        {"stop_token_ids": ["a"]}, {"input_str": None, "input_tokens": [1, -2]},
        {"input_str": None, "input_tokens": "one"}, {"input_str": None, "input_tokens": [1.5]},
    ],
)  # fmt: skip
async def test_a_value_that_makes_no_sense_never_comes_to_the_engine(make_worker, wrong):
    worker = make_worker("7")
    with pytest.raises(InvalidRequestError, match=list(wrong)[-1]):
        await ran(worker, **wrong)
    assert worker.llm.double.requests == []


async def test_a_bias_becomes_one_of_the_whole_vocabulary(make_worker):
    worker = make_worker("7")
    await ran(worker, logit_bias={"5": -1.5})
    bias = params(worker).embedding_bias
    assert (len(bias), bias[5], sum(bias)) == (worker.tokenizer.vocab_size, -1.5, -1.5)


@pytest.mark.parametrize(
    ("wanted", "guide"),
    [
        ({"type": "json_object"}, {"json_object": True}),
        ({"type": "json_schema", "json_schema": {"schema": {"type": "integer"}}}, {"json": {"type": "integer"}}),
        ({"type": "json", "schema": {"type": "integer"}}, {"json": {"type": "integer"}}),
        ({"type": "regex", "regex": "[0-9]{3}"}, {"regex": "[0-9]{3}"}),
        ({"type": "ebnf", "ebnf": 'root ::= "7"'}, {"grammar": 'root ::= "7"'}),
    ],
)
async def test_an_answer_is_guided(make_worker, wanted, guide):
    worker = make_worker("7", options={"guided_decoding_backend": "xgrammar"})
    await ran(worker, response_format=wanted)
    assert {name: getattr(params(worker).guided_decoding, name) for name in guide} == guide


@pytest.mark.parametrize(
    ("wanted", "message"),
    [({"type": "regex"}, "needs 'regex'"), ({"type": "json_schema", "json_schema": 3}, "must have a JSON schema")],
)
async def test_a_guide_that_lacks_its_part_is_refused(make_worker, wanted, message):
    with pytest.raises(InvalidRequestError, match=message):
        await ran(make_worker("7"), response_format=wanted)


@pytest.mark.parametrize("version", ["late 2025", "mid 2026"])
async def test_both_versions_take_texts_and_tokens_and_what_they_know(tmp_path, version):
    with standing_in(version) as package, package.LLM(str(model_folder(tmp_path, "7"))) as llm:
        worker = TRTLLMWorker(llm)
        text = await ran(worker, input_str="one two", cache_salt="mine", truncate_prompt_tokens=2)
        tokens = await ran(worker, input_str=None, input_tokens=[5, 6, 7], truncate_prompt_tokens=2)
        first, second = llm.double.requests
    assert (text.output_str, tokens.output_str) == ("7", "7")
    assert (len(first.prompt), second.prompt) == (2, [6, 7])
    assert first.extras["cache_salt"] == "mine"


@pytest.mark.parametrize("version", ["late 2025", "mid 2026"])
async def test_tokens_are_made_off_the_event_loop(tmp_path, version, monkeypatch):
    with standing_in(version) as package, package.LLM(str(model_folder(tmp_path, "7"))) as llm:
        threads, encode = [], llm.tokenizer.encode

        def encoded(*args, **options):
            threads.append(threading.current_thread())
            return encode(*args, **options)

        monkeypatch.setattr(llm.tokenizer, "encode", encoded)
        await ran(TRTLLMWorker(llm))
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


async def test_a_prompt_that_is_too_long_is_told_as_such(make_worker):
    with pytest.raises(ContextLengthExceededError, match="max_num_tokens"):
        await ran(make_worker("7", options={"max_num_tokens": 2}), input_str="one two three")


async def test_a_refusal_of_the_engine_ends_its_request_alone(make_worker):
    worker = make_worker("7")
    worker.llm.double.refusal = "this adapter is not loaded"
    with pytest.raises(BadRequestError, match="this adapter is not loaded"):
        await ran(worker)
    worker.llm.double.refusal = None
    assert (await ran(worker)).output_str == "7"


async def test_log_probabilities_are_told_also_of_a_token_that_is_not_among_the_likeliest(make_worker):
    task = await ran(make_worker("It is"), num_logprobs=2)
    first = task.logprobs[0]
    assert [each.token for each in task.logprobs] == ["It", " is"]
    assert first.logprob == pytest.approx(math.log(0.125))
    assert [logprob for _, logprob in first.top] == pytest.approx([math.log(0.5), math.log(0.25)])


async def test_log_probabilities_that_are_numbers_alone_are_those_of_the_tokens(make_worker):
    worker = make_worker("It is")
    worker.llm.double.plain_logprobs = True
    task = await ran(worker, num_logprobs=0)
    assert [(each.token, each.logprob, each.top) for each in task.logprobs] == [
        ("It", -0.5, ()),
        (" is", -0.5, ()),
    ]


async def test_an_llm_that_tells_no_log_probabilities_says_so(make_worker):
    with pytest.raises(BadRequestError, match="gather_generation_logits"):
        await ran(make_worker("7", options={"backend": "tensorrt"}), num_logprobs=1)


@pytest.mark.parametrize(("stop", "reason"), [({"stop": "and"}, "and"), ({"stop_token_ids": [5]}, 5)])
async def test_a_stop_ends_the_answer_and_is_named(make_worker, stop, reason):
    task = await ran(make_worker("7 and 8" if "stop" in stop else "c"), **stop)
    assert (task.output_str, task.finish_reason) == ("7 " if "stop" in stop else "", "stop")
    assert task.customized_result_fields == {"stop_reason": reason}


async def test_an_answer_that_ends_at_no_stop_says_so(make_worker):
    task = await ran(make_worker("7 and 8"), stop="or")
    assert (task.output_str, task.customized_result_fields) == ("7 and 8", {"stop_reason": None})


async def test_cached_tokens_and_times_and_logits_are_handed_on(make_worker):
    worker = make_worker("7", options={"return_perf_metrics": True})
    prompt = {"input_tokens": list(range(3, 40)), "input_str": None}
    await ran(worker, **prompt)
    task = await ran(worker, **prompt, return_context_logits=True)
    assert task.usage.cached_tokens == 32
    assert task.customized_result_fields["perf_metrics"]["ttft"] == 0.25
    assert len(task.context_logits) == 37


async def test_tokens_alone_are_given_where_text_is_not_wanted(make_worker):
    task = await ran(make_worker("It is 7"), skip_detokenizer=True)
    assert (task.output_str, len(task.output_tokens)) == (None, 3)


async def test_an_llm_without_a_tokenizer_takes_that_of_the_worker(make_llm, tensorrt_llm):
    from tensorrt_llm.tokenizer import Tokenizer

    task = await ran(TRTLLMWorker(make_llm("It is 7", skip_tokenizer_init=True), Tokenizer()))
    assert task.output_str == "It is 7"


async def test_an_adapter_is_made_of_its_fields(make_worker, tmp_path):
    worker = make_worker("7")
    adapter = {"lora_name": "mine", "lora_int_id": 1, "lora_path": str(tmp_path)}
    await ran(worker, lora_request=adapter)
    assert worker.llm.double.requests[-1].extras["lora_request"].lora_name == "mine"
    with pytest.raises(InvalidRequestError, match="does not exist"):
        await ran(worker, lora_request={**adapter, "lora_path": "/no/such"})


async def test_a_prompt_without_tokens_never_comes_to_the_engine(make_worker):
    worker = make_worker("7")
    with pytest.raises(InvalidRequestError, match="no tokens"):
        await ran(worker, input_str="", add_special_tokens=False)
    assert worker.llm.double.requests == []


async def test_a_task_without_a_prompt_is_refused(make_worker):
    with pytest.raises(InvalidRequestError, match="needs input_str or input_tokens"):
        await ran(make_worker("7"), input_str=None)
