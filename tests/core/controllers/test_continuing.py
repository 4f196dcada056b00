"""Answers that are written in parts: what a part is asked, what it tells, and what the parts are together."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    NativeGenerationController,
    TokenLogprob,
    Usage,
    UserMessage,
)
from scaffolding_core.controllers.continuing import (
    checked_continuable,
    joined,
    part_of,
    stopped_at,
    tokens_of,
    total_tokens,
)


def test_a_part_goes_on_with_what_was_written_and_stops_where_the_answer_would_too():
    task = GenerationTask(input_str="q", answer_prefix="So ", stop="END", max_tokens=9, seed=1)
    part = part_of(task, "it is", place=(0, 1), stop="\n", tokens=4)
    assert (part.text_prompt, part.stop, part.max_tokens) == ("qSo it is", ["END", "\n"], 4)
    assert part.seed not in (1, part_of(task, "it is", place=(1, 0)).seed)
    assert (task.stop, task.max_tokens, task.answer_prefix) == ("END", 9, "So ")
    assert part_of(task, "", place=()).stop == "END"


@pytest.mark.parametrize(
    ("told", "at"),
    [(None, None), ({}, None), ({"stop_reason": None}, ""), ({"stop_reason": 2}, ""), ({"stop_reason": "x"}, "x")],
)
def test_it_tells_where_it_stopped_if_anybody_does(told, at):
    assert stopped_at(GenerationTask(customized_result_fields=told)) == at


def test_its_tokens_are_those_that_were_paid_for_else_its_words():
    said = AssistantMessage("one two", reasoning="hm")
    assert tokens_of(GenerationTask(said=said, usage=Usage(completion_tokens=7))) == 7
    assert tokens_of(GenerationTask(said=said, usage=Usage(calls=1))) == 3
    assert tokens_of(GenerationTask(said=AssistantMessage("one two", output_tokens=[1, 2, 3, 4]))) == 4


def test_the_tokens_of_all_are_the_tasks_or_those_of_the_method_that_writes():
    of_method = NativeGenerationController({"max_tokens": 5})
    assert total_tokens(of_method, GenerationTask(input_str="q", max_tokens=3)) == 3
    assert total_tokens(of_method, GenerationTask(input_str="q")) == 5
    assert total_tokens(NativeGenerationController(), GenerationTask(input_str="q")) is None


def test_joined_they_are_one_message_with_tokens_where_nothing_was_put_between():
    logprob = TokenLogprob("a", -0.1)
    parts = [
        AssistantMessage("a", output_tokens=[1], logprobs=[logprob], reasoning="x"),
        AssistantMessage("b", output_tokens=[2], logprobs=[logprob], reasoning="y"),
    ]
    whole = joined(parts, "ab", "stop")
    assert (whole.text, whole.reasoning, whole.output_tokens, whole.finish_reason) == ("ab", "xy", [1, 2], "stop")
    assert whole.logprobs == [logprob] * 2
    assert joined(parts, "a b", "length").output_tokens is None
    assert joined([AssistantMessage("a")], "a", None) == AssistantMessage("a")


def test_one_task_that_text_can_follow_is_gone_on_with():
    for task in (GenerationTask(input_str="q"), ChatTask(messages=[UserMessage("q")])):
        assert checked_continuable([task]) is task
    for tasks in ([], [GenerationTask(input_tokens=[1])], [GenerationTask(input_str="q")] * 2):
        with pytest.raises(InvalidRequestError):
            checked_continuable(tasks)
