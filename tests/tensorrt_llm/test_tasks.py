"""Tasks and messages, as programs for TensorRT-LLM use them."""

import copy
import dataclasses
import pickle

import pytest

import scaffolding_core as core
from scaffolding_core import tensorrt_llm
from scaffolding_core.tensorrt_llm import (
    AssistantMessage,
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    MCPCallTask,
    NativeGenerationController,
    RewardTask,
    RoleMessage,
    ScaffoldingLlm,
    StreamGenerationTask,
    SystemMessage,
    Task,
    TaskStatus,
    TokenizeTask,
    ToolMessage,
    UserMessage,
    Worker,
)

KINDS = (GenerationTask, StreamGenerationTask, ChatTask, RewardTask, MCPCallTask, TokenizeTask)


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_is_the_cores_and_open(kind):
    task = kind()
    task.my_note = 1
    assert isinstance(task, getattr(core, kind.__name__, core.Task)) or kind is StreamGenerationTask
    assert vars(task)["my_note"] == 1
    assert copy.deepcopy(task).my_note == 1
    assert copy.deepcopy(task) == task != kind(worker_tag="other")


def test_all_that_a_task_holds_is_in_its_dict():
    task = GenerationTask.create_from_prompt("q")
    task.output_str = "a"
    assert {"input_str", "output_str", "output_tokens", "logprobs", "n", "stop"} <= vars(task).keys()
    stream = StreamGenerationTask.create_from_generation_task(task, 5)
    assert (stream.input_str, stream.output_str, stream.streaming_step) == ("q", "a", 5)


def test_the_fields_of_a_task_are_those_of_its_dataclass():
    task = GenerationTask(input_str="q", output_str="a", output_tokens=[7])
    assert task.said == AssistantMessage("a", output_tokens=[7])
    assert dataclasses.replace(task, input_str="r").output_str == dataclasses.asdict(task)["output_str"] == "a"
    assert {"temperature", "input_str", "output_str"} <= GenerationTask.__annotations__.keys()


def test_a_task_is_copied_where_it_runs():
    class Copies(Worker):
        async def run_task(self, task):
            copies = copy.deepcopy(task), pickle.loads(pickle.dumps(task))
            task.output_str = dataclasses.asdict(task)["input_str"] + "".join(each.input_str for each in copies)
            return TaskStatus.SUCCESS

    with ScaffoldingLlm(NativeGenerationController(), Copies()) as llm:
        assert llm.generate("q").outputs[0].text == "qqq"


def test_what_the_model_said_and_its_parts_are_one():
    task = GenerationTask()
    assert task.said is None
    task.said = core.AssistantMessage("a", "thoughts", finish_reason="stop")
    assert (task.output_str, task.reasoning, task.finish_reason) == ("a", "thoughts", "stop")
    task.output_str = "b"
    assert task.said == AssistantMessage("b", "thoughts")


def test_a_default_asks_for_nothing_and_gives_way():
    task = GenerationTask.create_from_prompt("q")
    assert task.sampling() == {}
    task.n, task.stop = 2, ["."]
    task.fill({"n": 5, "echo": True, "stop": "!"})
    assert task.sampling() == {"echo": True, "n": 2, "stop": ["."]}


def test_a_copy_has_the_inputs_alone():
    task = StreamGenerationTask(input_str="q", max_tokens=3)
    task.output_str, task.end_flag, task.my_note = "a", True, 1
    copied = task.copy()
    assert (copied.input_str, copied.max_tokens, copied.output_str, copied.end_flag) == ("q", 3, None, False)
    assert copied.my_note == 1


def test_a_task_whose_init_calls_no_other_has_the_defaults_all_the_same():
    class Own(Task):
        def __init__(self, turn):
            self.turn = turn

    own = copy.deepcopy(Own(2))
    assert (own.turn, own.worker_tag, own.streaming_output_flag, own.create_scaffolding_output().text) == (
        2, None, False, "",
    )  # fmt: skip
    assert Own.create_from_prompt("q") is None


def test_a_chat_shares_its_list_and_keeps_calls_without_text():
    history = [SystemMessage("s")]
    chat = ChatTask.create_from_messages(history)
    chat.add_message(UserMessage("u"))
    chat.add_messages([AssistantMessage(None, tool_calls=[core.ToolCall("1", "f", "{}")]), ToolMessage("r", "1")])
    assert [message.role for message in history] == ["system", "user", "assistant", "tool"]
    assert [message["role"] for message in chat.messages_to_dict_content(2)] == ["assistant", "tool"]
    assert chat.last_assistant_content() is None
    assert ChatTask.create_from_prompt(None, [SystemMessage("s")]).messages == [SystemMessage("s")]


def test_messages_take_the_arguments_that_they_have_there():
    said = AssistantMessage("c", "r", "rc", [{"id": "1", "function": {}}], "stop")
    assert (said.reasoning, said.reasoning_content, said.finish_reason) == ("r", "r", "stop")
    assert said.to_dict()["tool_calls"] == [{"id": "1", "function": {}}]
    assert AssistantMessage("c", reasoning_content="rc").reasoning == "rc"
    said.my_note = 1
    assert str(UserMessage("hi", prefix="h")) == "user: hi\n"
    assert RoleMessage().content is None
    assert RoleMessage.from_dict({"role": "user", "content": "x"}).to_dict() == {"role": "user", "content": "x"}


@pytest.mark.parametrize(
    ("roles", "kept"),
    [("", 0), ("s", 1), ("ssu", 2), ("suas", 1), ("us", 0)],
    ids=lambda value: str(value) or "none",
)
def test_a_dropped_chat_keeps_the_system_messages_that_it_begins_with(roles, kept):
    names = {"s": "system", "u": "user", "a": "assistant"}
    messages = [RoleMessage(names[role], f"{i}") for i, role in enumerate(roles)]
    chat = ChatTask.create_from_messages(messages)
    drop = DropKVCacheTask(chat, "drop")
    assert (drop.messages_to_retain, drop.chat_task, drop.worker_tag) == (messages[:kept], chat, "drop")


def test_a_tool_call_is_made_in_either_shape():
    new, old = MCPCallTask.create_mcptask("1", "f", "{}", "t"), MCPCallTask.create_mcptask("f", "{}", "t")
    named = MCPCallTask.create_mcptask(tool_name="f", args="{}", worker_tag="t")
    assert (new.tool_call_id, new.tool_name, new.args, new.worker_tag) == ("1", "f", "{}", "t")
    assert (old.tool_call_id, old.tool_name, old.args, old.worker_tag) == (None, "f", "{}", "t")
    assert named == old


@pytest.mark.parametrize(
    "name", ["OpenaiWorker", "TRTOpenaiWorker", "TaskStatus", "TaskCollection", "get_digit_majority_vote_result"]
)
def test_what_has_moved_here_says_so_in_its_old_place(name):
    assert hasattr(tensorrt_llm, name)
    with pytest.raises(ImportError, match=f"{name} is in scaffolding_core.tensorrt_llm: import it from there"):
        exec(f"from scaffolding_core import {name}")
