"""Tasks: what is asked, and what came back."""

from dataclasses import fields

import pytest

from scaffolding_core import (
    AssistantMessage,
    Candidate,
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    RewardTask,
    ToolCall,
    Usage,
    UserMessage,
)
from scaffolding_core.tasks import inputs_of


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


@pytest.mark.parametrize("wrong", [[len], "text", ["text"], 3], ids=["function", "text", "texts", "number"])
def test_what_describes_no_tool_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match="descriptions"):
        ChatTask(messages=[UserMessage("q")], tools=wrong).tools_to_dict()
