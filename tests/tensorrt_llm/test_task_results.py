"""What a task got back, as programs read it and hand it on."""

import copy
import pickle
from types import SimpleNamespace

import pytest

from scaffolding_core import AssistantMessage, TokenLogprob
from scaffolding_core.tensorrt_llm import GenerationTask, TRTLLMWorker
from scaffolding_core.tensorrt_llm.logprobs import Logprob, TokenLogprobs

PLACE = TokenLogprob("a", -1.0, (("b", -0.5), ("a", -1.0)), 7, (8, 7))


def answered():
    task = GenerationTask(input_str="q")
    task.said = AssistantMessage("text", finish_reason="stop", logprobs=[PLACE, PLACE], output_tokens=[7, 7])
    return task


def test_a_result_gives_another_task_all_that_it_tells():
    task, answer = GenerationTask(), answered()
    assert task.result is None
    task.result = answer.result
    assert (task.output_str, task.output_tokens, task.finish_reason) == ("text", [7, 7], "stop")
    assert task.cumulative_logprob == sum(place.logprob for place in task.logprobs) == -2.0
    assert task.result.outputs[0].token_ids == [7, 7]


def test_a_text_that_is_set_after_a_result_goes_on_with_it():
    task, next_one = GenerationTask(), GenerationTask()
    task.result = answered().result
    task.output_str = "its own"
    next_one.result = task.result
    assert (task.create_scaffolding_output().text, next_one.output_str) == ("its own", "its own")


def test_a_result_of_tensorrt_llm_gives_a_task_its_answer():
    task = GenerationTask()
    given = SimpleNamespace(outputs=[SimpleNamespace(text="theirs", token_ids=[1])], context_logits=[[0.5]])
    task.result = given
    assert (task.output_str, task.output_tokens, task.context_logits) == ("theirs", [1], [[0.5]])
    assert task.result is given


def test_what_is_no_result_is_kept_until_a_worker_answers():
    task = GenerationTask()
    task.result = "Yes."
    assert (task.result, task.output_str, copy.deepcopy(task).result) == ("Yes.", None, "Yes.")
    assert task.create_scaffolding_output().text == "Yes."
    assert task.copy().result is None
    task.said = AssistantMessage("new")
    assert task.result.outputs[0].text == "new"


def test_log_probabilities_are_mappings_of_token_ids_with_the_written_one_in_them():
    (place, _) = answered().logprobs
    assert place == {8: Logprob(-0.5, 1), 7: Logprob(-1.0, 2)}
    assert TokenLogprobs(TokenLogprob("c", -9.0, PLACE.top, 9, PLACE.top_ids))[9] == Logprob(-9.0)
    assert (place.token, place.logprob, place.top) == (PLACE.token, PLACE.logprob, PLACE.top)


def test_without_ids_they_are_mappings_of_texts():
    assert TokenLogprobs(TokenLogprob("c", -2.0, (("b", -0.5),))) == {"b": Logprob(-0.5, 1), "c": Logprob(-2.0)}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda place: pickle.loads(pickle.dumps(place))])
def test_they_can_be_copied(copied):
    place = copied(TokenLogprobs(PLACE))
    assert (place, place.top_ids) == (TokenLogprobs(PLACE), (8, 7))


async def test_each_place_of_an_answer_in_this_process_has_its_own_token(make_llm):
    task = GenerationTask(input_str="q", num_logprobs=2)
    await TRTLLMWorker(make_llm("one two")).run_task(task)
    assert [place[token].logprob for place, token in zip(task.logprobs, task.output_tokens, strict=True)]
    assert [len(place) for place in task.logprobs] == [3, 3]  # the written one is none of the likeliest


async def test_each_place_of_an_answer_of_the_embedded_model_has_its_own_token(local_worker):
    task = GenerationTask(input_str="1 2 3", num_logprobs=2, max_tokens=4, temperature=0.0)
    await local_worker.run_task(task)
    assert [place[token].rank for place, token in zip(task.logprobs, task.output_tokens, strict=True)] == [1] * 4


async def test_a_handler_of_a_programs_own_calls_the_llm_itself(make_llm):
    class Own(GenerationTask):
        pass

    async def handler(worker, task):
        result = await worker.llm.generate_async(task.input_str, worker.convert_task_params(task))
        task.result = result

    worker = TRTLLMWorker(make_llm("one two three"))
    worker.register_task_handler(Own, handler)
    task = Own(input_str="q", max_tokens=2, num_logprobs=1)
    await worker.run_task(task)
    assert (task.output_str, task.finish_reason, len(task.logprobs)) == ("one two", "length", 2)
