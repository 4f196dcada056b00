"""TRTLLMWorker answers chats: the model's own template, thoughts, tools."""

import json

import pytest

from scaffolding_core import (
    AssistantMessage,
    ChatTask,
    GenerationTask,
    IncompleteResponseError,
    InvalidRequestError,
    NativeChatController,
    ScaffoldingLlm,
    SystemMessage,
    TokenEvent,
    ToolCall,
    ToolDescription,
    ToolMessage,
    TRTLLMWorker,
    UnsupportedParameterError,
    UserMessage,
)

ADD = ToolDescription("add", "Adds.", {"a": {"type": "integer"}})
SUBTRACT = ToolDescription("subtract", "Subtracts.", {"a": {"type": "integer"}})
NAMED = {"type": "function", "function": {"name": "add"}}
CALL = '<tool_call>{"name": "add", "arguments": {"a": 7}}</tool_call>'


async def ran(worker, *messages, **given):
    task = ChatTask(messages=list(messages) or [UserMessage("q")], **given)
    await worker.run_task(task)
    return task


def prompt(worker):
    return worker.tokenizer.decode(worker.llm.double.requests[-1].prompt)


async def test_a_chat_is_written_with_the_models_template_and_no_further_special_tokens(make_worker):
    worker = make_worker("7")
    task = await ran(worker, SystemMessage("Be short."), UserMessage("q"), chat_template_kwargs={"thinking": True})
    assert task.output_str == "7"
    assert prompt(worker) == "thinking=True\nsystem: Be short.\nuser: q\nassistant:"


async def test_an_answer_that_is_begun_is_the_last_message_and_goes_on(make_worker):
    worker = make_worker("7")
    await worker.run_task(ChatTask(messages=[UserMessage("q")]).continued("It is "))
    assert prompt(worker) == "continue_final_message=True\nuser: q\nassistant: It is \n"
    await worker.run_task(GenerationTask(input_str="q: ").continued("It is "))
    assert prompt(worker).endswith("q: It is ")


async def test_a_model_without_a_template_says_what_to_do(make_llm, tensorrt_llm):
    from tensorrt_llm.tokenizer import Tokenizer

    with pytest.raises(InvalidRequestError, match="ask with a text prompt"):
        await ran(TRTLLMWorker(make_llm("7"), Tokenizer(chat_template=None)))


@pytest.mark.parametrize(
    "given", [{"reasoning_parser": "deepseek-r1"}, {"options": {"reasoning_parser": "qwen3"}}]
)
async def test_thoughts_are_told_apart(make_worker, given):
    opening = "" if "reasoning_parser" in given else "<think>"
    task = await ran(make_worker(f"{opening}six and one</think>7", **given))
    assert (task.output_str, task.reasoning) == ("7", "six and one")


async def test_tools_are_written_into_the_prompt_and_calls_read_out_of_the_answer(make_worker):
    worker = make_worker(f"Let me see. {CALL}", tool_parser="qwen3")
    task = await ran(worker, tools=[ADD])
    call = task.tool_calls[0]
    assert '"name": "add"' in prompt(worker)
    assert (task.output_str, task.finish_reason) == ("Let me see.", "tool_calls")
    assert (call.name, json.loads(call.arguments)) == ("add", {"a": 7})


async def test_a_call_is_not_shown_as_text_while_it_is_written(make_worker):
    worker = make_worker(f"Let me see. {CALL}", tool_parser="qwen3")
    async with ScaffoldingLlm(NativeChatController(tools=[ADD]), worker) as llm:
        shown = [event.text async for event in llm.stream("q") if isinstance(event, TokenEvent)]
    assert "".join(shown) == "Let me see."


@pytest.mark.parametrize("choice", ["required", NAMED])
async def test_a_call_that_must_be_made_is_made_or_the_answer_is_an_error(make_worker, choice):
    worker = make_worker(CALL, CALL.replace("add", "divide"), "7", tool_parser="qwen3")
    asked = {"tools": [ADD, SUBTRACT], "tool_choice": choice}
    assert (await ran(worker, **asked)).tool_calls[0].name == "add"
    assert ("subtract" in prompt(worker)) == (choice == "required")
    for _ in range(2):  # another tool is called, or none
        with pytest.raises(IncompleteResponseError, match="tool_choice is"):
            await ran(worker, **asked)


@pytest.mark.parametrize(("parallel", "calls"), [(None, 2), (True, 2), (False, 1)])
async def test_an_answer_has_one_call_where_no_more_are_wanted(make_worker, parallel, calls):
    task = await ran(make_worker(CALL + CALL, tool_parser="qwen3"), tools=[ADD], parallel_tool_calls=parallel)
    assert len(task.tool_calls) == calls


@pytest.mark.parametrize("given", [{"tool_choice": "any", "tools": [ADD]}, {"tool_choice": NAMED}])
async def test_a_choice_of_a_tool_that_cannot_be_met_is_refused(make_worker, given):
    with pytest.raises(InvalidRequestError, match="tool_choice"):
        await ran(make_worker("7", tool_parser="qwen3"), **given)


@pytest.mark.parametrize("tools", [None, [ADD]])
async def test_special_tokens_stand_in_an_answer_whose_calls_are_marked_with_them(make_worker, tools):
    worker = make_worker("7", tool_parser="kimi_k2")
    await ran(worker, tools=tools)
    assert worker.llm.double.requests[0].params.skip_special_tokens == (tools is None)


async def test_a_call_of_before_is_written_with_its_arguments(make_worker):
    worker = make_worker("7")
    called = AssistantMessage(None, tool_calls=[ToolCall("c", "add", '{"a": 7}')])
    await ran(worker, UserMessage("q"), called, ToolMessage("7", "c"))
    assert '"arguments": {"a": 7}' in prompt(worker)


async def test_what_is_no_call_stays_text(make_worker):
    task = await ran(make_worker("<tool_call>{no</tool_call>", tool_parser="qwen3"), tools=[ADD])
    assert (task.output_str, task.tool_calls) == ("<tool_call>{no</tool_call>", None)


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        ({}, {"tools": [ADD]}),
        ({}, {"messages": [UserMessage([{"type": "image_url", "image_url": {"url": "x"}}])]}),
    ],
)
async def test_what_a_chat_cannot_have_here_is_refused_with_what_takes_it(make_worker, settings, given):
    worker = make_worker("7", **settings)
    task = ChatTask(**{"messages": [UserMessage("q")], **given})
    with pytest.raises(UnsupportedParameterError, match="trtllm-serve"):
        await worker.run_task(task)


def test_a_parser_that_does_not_exist_is_refused_where_it_is_named(make_worker):
    with pytest.raises(InvalidRequestError, match="no such parser"):
        make_worker("7", tool_parser="mine")


@pytest.mark.parametrize("parser", [None, "qwen3"])
def test_tools_are_declared_where_their_calls_can_be_read(make_worker, parser):
    assert make_worker("7", tool_parser=parser).capabilities.tools == (parser is not None)
