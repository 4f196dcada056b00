"""What a method gives back."""

from dataclasses import fields

from scaffolding_core import (
    AssistantMessage,
    Candidate,
    ChatTask,
    GenerationTask,
    RewardTask,
    ScaffoldingOutput,
    ToolCall,
    Usage,
    UserMessage,
)
from scaffolding_core.tasks import inputs_of


def test_task_candidate_and_output_refer_to_one_message():
    task = GenerationTask(input_str="3 + 4?")
    task.said = AssistantMessage(
        "7", "Add them.", finish_reason="stop", logprobs=[], output_tokens=[7], original=task
    )
    candidate = Candidate(2, task.said, answer="7", score=0.5)
    output = ScaffoldingOutput.of(candidate, method="Vote")
    assert output.message is candidate.message is task.message() is task.said
    assert (task.output_str, candidate.text, output.text) == ("7", "7", "7")
    assert output.token_ids is candidate.output_tokens is task.output_tokens
    assert output.logprobs is candidate.logprobs is task.logprobs
    assert {output.finish_reason, candidate.finish_reason, task.finish_reason} == {"stop"}
    assert (candidate.reasoning, candidate.original, candidate.tool_calls) == ("Add them.", task, None)
    assert (output.answer, output.score, output.method, output.usage) == ("7", 0.5, "Vote", Usage())


def test_a_part_that_is_set_leaves_the_message_that_others_refer_to():
    task = GenerationTask(input_str="3 + 4?")
    assert task.said is None
    assert task.output_str is None
    assert task.message() == AssistantMessage()
    task.output_str, task.reasoning = "7", "Add them."
    candidate = Candidate(0, task.said)
    task.output_str, task.tool_calls = "8", [ToolCall("1", "go", "{}")]
    assert (candidate.text, candidate.reasoning, candidate.tool_calls) == ("7", "Add them.", None)
    assert (task.output_str, task.reasoning, task.tool_calls) == ("8", "Add them.", [ToolCall("1", "go", "{}")])


def test_a_text_becomes_the_message_of_a_candidate_or_an_output():
    assert Candidate(0, "7").message == AssistantMessage("7")
    assert ScaffoldingOutput("7", [1]).message == AssistantMessage("7")
    assert ScaffoldingOutput("7", [1]).token_ids == [1]
    assert Candidate(0).message == ScaffoldingOutput().message == AssistantMessage()


def test_a_copy_of_a_task_has_its_inputs_and_none_of_its_results():
    task = ChatTask(messages=[UserMessage("q")], temperature=0.5, custom_input_params={"a": 1}, group=object())
    task.said, task.usage, task.error = AssistantMessage("7"), Usage(calls=1), ValueError()
    task.custom_output_params = task.customized_result_fields = {"b": 2}
    copy, fresh = task.copy(), ChatTask()
    assert all(getattr(copy, name) is getattr(task, name) for name in inputs_of(ChatTask))
    assert all(
        getattr(copy, field.name) == getattr(fresh, field.name)
        for field in fields(ChatTask)
        if field.name not in inputs_of(ChatTask)
    )


def test_a_task_takes_over_the_results_of_another_kind_and_no_more():
    chat = ChatTask(messages=[UserMessage("q")])
    chat.said, chat.usage = AssistantMessage("7"), Usage(calls=1)
    chat.customized_result_fields, chat.custom_output_params = {"b": 2}, {"c": 3}
    task = GenerationTask(input_str="q")
    task.take_results(chat)
    assert (task.said, task.customized_result_fields, task.custom_output_params) == (chat.said, {"b": 2}, {"c": 3})
    assert task.usage is None
    reward = RewardTask()
    reward.take_results(chat)
    assert (reward.reward, reward.custom_output_params) == (None, {"c": 3})


def test_what_counted_is_what_neither_failed_nor_was_cut_nor_came_late():
    candidates = [Candidate(0), Candidate(1, cut=True), Candidate(2, late=True), Candidate(3, error=ValueError())]
    output = ScaffoldingOutput(candidates=[*candidates, Candidate(4, "none here")])
    assert (output.samples, output.counted, output.cut) == (5, 2, 1)
    told = output.summary()
    assert (told["samples"], told["counted"], told["cut"]) == (5, 2, 1)
    assert [each["late"] for each in told["candidates"]] == [False, False, True, False, False]


def test_a_method_without_candidates_took_one_sample():
    told = ScaffoldingOutput("7").summary()
    assert (told["samples"], told["counted"], told["cut"]) == (1, 1, 0)
