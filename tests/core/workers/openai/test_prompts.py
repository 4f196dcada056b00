"""What a server tells of the prompt: echoed in front of the answer, and its tokens' log probabilities."""

import json

import pytest

from scaffolding_core import (
    ChatTask,
    GenerationTask,
    OpenAIWorker,
    StreamGenerationTask,
    UnsupportedParameterError,
    UserMessage,
)
from scaffolding_core.workers.parameters import VLLM_PARAMETERS
from tests.servers.scripted import Reply, scripted_server


async def answered(task, *choices, **more):
    """The task after its answer, and what was sent."""
    events = tuple(json.dumps({"choices": [{"index": 0, **choice}], **more}) for choice in choices)
    plain = {"choices": [{"index": 0, **choice} for choice in choices], **more}
    script = lambda body: Reply(events=events) if body.get("stream") else Reply(body=plain)  # noqa: E731
    with scripted_server(script) as server:
        async with OpenAIWorker(server.url, "m", accepts=VLLM_PARAMETERS) as worker:
            await worker.run_task(task)
    return task, server.requests[-1]


def scores(**tokens):
    return {"tokens": list(tokens), "token_logprobs": list(tokens.values()), "top_logprobs": None}


@pytest.mark.parametrize("begins", [{}, {"<s>": None}])
async def test_an_echoed_prompt_stands_in_the_text_and_its_tokens_apart(begins):
    first = {"text": "ab", "logprobs": scores(**begins, a=None if not begins else -9.0, b=-1.0)}
    second = {"text": "cd", "logprobs": scores(c=-2.0, d=-3.0), "finish_reason": "stop"}
    task = GenerationTask(input_str="ab", echo=True, num_logprobs=0)
    task, _ = await answered(task, first, second)
    assert task.output_str == "abcd"
    assert [(each.token, each.logprob) for each in task.logprobs] == [("c", -2.0), ("d", -3.0)]
    prompt = task.customized_result_fields["prompt_logprobs"]
    assert prompt[0] is None
    assert prompt[-1] == {"token": "b", "logprob": -1.0, "top": []}


@pytest.mark.parametrize("kind", [GenerationTask, lambda **given: StreamGenerationTask(streaming_step=9, **given)])
async def test_an_answer_without_the_prompt_is_not_taken_for_an_echo(kind):
    with pytest.raises(UnsupportedParameterError, match="ignores 'echo'"):
        await answered(kind(input_str="ab", echo=True), {"text": "cd", "finish_reason": "stop"})


TOLD = [
    None,
    {"5": {"logprob": -1.5, "rank": 2, "decoded_token": "b"}, "6": {"logprob": -0.5, "decoded_token": "c"}},
]
READ = [None, {"token": "b", "logprob": -1.5, "top": [["b", -1.5], ["c", -0.5]]}]


async def test_log_probabilities_of_the_prompt_are_asked_for_without_a_stream():
    task = GenerationTask(input_str="ab", prompt_logprobs=1)
    task, body = await answered(task, {"text": "c", "finish_reason": "stop", "prompt_logprobs": TOLD})
    assert task.customized_result_fields == {"prompt_logprobs": READ}
    assert body["prompt_logprobs"] == 1
    assert not {"stream", "stream_options"} & set(body)


async def test_a_chat_has_them_beside_its_choices():
    task = ChatTask(messages=[UserMessage("ab")], prompt_logprobs=1)
    task, _ = await answered(task, {"message": {"content": "c"}, "finish_reason": "stop"}, prompt_logprobs=TOLD)
    assert task.customized_result_fields == {"prompt_logprobs": READ}


async def test_an_answer_without_them_is_refused():
    with pytest.raises(UnsupportedParameterError, match="ignores 'prompt_logprobs'"):
        await answered(GenerationTask(input_str="ab", prompt_logprobs=1), {"text": "c", "finish_reason": "stop"})
