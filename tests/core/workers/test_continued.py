"""An answer that is begun: the model goes on from its last byte, where the backend lets it."""

import pytest

from scaffolding_core import (
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    NativeChatController,
    OpenAIWorker,
    ScaffoldingLlm,
    UserMessage,
)
from scaffolding_core.tasks.chat import GO_ON
from tests.servers.scripted import Reply, scripted_server

BEGUN = "It is 12 + 5 ="
QUESTION = "What is 12 + 5? Answer with the sum."
USER, ASSISTANT = {"role": "user", "content": "q"}, {"role": "assistant", "content": BEGUN}


def chat():
    return ChatTask(messages=[UserMessage("q")]).continued(BEGUN)


async def sent(task, **options):
    with scripted_server(Reply("17")) as server:
        async with OpenAIWorker(server.url, "m", **options) as worker:
            await worker.run_task(task)
    assert task.output_str == "17"
    return server.requests[0]


def test_what_was_written_is_added_to_what_was_before():
    task = GenerationTask(input_str="q", seed=3).continued("It is ").continued("12")
    assert (task.answer_prefix, task.text_prompt, task.input_str, task.seed) == ("It is 12", "qIt is 12", "q", 3)


async def test_a_text_prompt_is_sent_with_it_byte_for_byte():
    body = await sent(GenerationTask(input_str="q: ").continued(" a\n\tb "))
    assert body["prompt"] == "q:  a\n\tb "


@pytest.mark.parametrize(
    ("server", "fields"),
    [
        ("vllm", {"continue_final_message": True, "add_generation_prompt": False}),
        ("sglang", {"continue_final_message": True}),
        ("llama.cpp", {}),
        (
            "trtllm-serve",
            {"add_generation_prompt": False, "chat_template_kwargs": {"continue_final_message": True}},
        ),
    ],
)
async def test_a_chat_goes_on_with_its_last_message_as_the_server_takes_it(server, fields):
    body = await sent(chat(), server=server)
    assert body["messages"] == [USER, ASSISTANT]
    assert {name: body.get(name) for name in fields} == fields
    assert "continue_final_message" not in body or server in ("vllm", "sglang")


async def test_what_else_a_template_is_given_stays():
    task = chat()
    task.chat_template_kwargs = {"enable_thinking": False}
    body = await sent(task, server="trtllm-serve")
    assert body["chat_template_kwargs"] == {"enable_thinking": False, "continue_final_message": True}


@pytest.mark.parametrize("server", ["dynamo", None])
async def test_another_server_is_asked_in_a_turn(server):
    body = await sent(chat(), server=server)
    assert body["messages"] == [USER, ASSISTANT, {"role": "user", "content": GO_ON}]


async def test_a_server_that_is_not_named_is_recognised_first():
    with scripted_server(Reply("17")) as server:
        server.listed = [{"id": "m", "owned_by": "vllm"}]
        async with OpenAIWorker(server.url, "m") as worker:
            await worker.run_task(chat())
    assert server.requests[0]["continue_final_message"] is True


async def test_token_ids_cannot_be_followed_by_text():
    with pytest.raises(InvalidRequestError, match="give input_str"):
        await sent(GenerationTask(input_tokens=[1, 2]).continued(BEGUN))


async def test_a_prompt_that_becomes_a_chat_keeps_it():
    task = NativeChatController().as_chat(GenerationTask(input_str="q").continued(BEGUN))
    assert (task.messages, task.answer_prefix) == ([UserMessage("q")], BEGUN)


@pytest.mark.parametrize("make", [GenerationTask.create_from_prompt, ChatTask.create_from_prompt])
async def test_the_embedded_model_goes_on_and_repeats_nothing(make, local_worker):
    task = make(QUESTION)
    task.temperature, task.max_tokens = 0.0, 4
    begun = task.continued(f" {BEGUN}")
    await local_worker.run_task(begun)
    assert BEGUN not in begun.output_str
    assert begun.output_str.strip()[0].isdigit()


async def test_the_prefix_cache_serves_what_was_written(local_worker):
    """Of a prompt whose answer goes on twice, all but the last tokens is read from the cache."""
    task = ChatTask.create_from_prompt(f"{QUESTION} {'Think of the numbers. ' * 8}")
    task.temperature, task.max_tokens = 0.0, 12
    async with ScaffoldingLlm(NativeChatController(), local_worker) as llm:
        first = (await llm.generate_async(task)).output
        second = (await llm.generate_async(task.continued(first.text))).output
    assert first.text
    assert second.usage.cached_tokens >= second.usage.prompt_tokens - 3
    assert second.usage.prompt_tokens > first.usage.prompt_tokens + 8
