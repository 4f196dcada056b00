"""What each worker says it can do is what it does, and a method that needs more is refused at once."""

import pytest

from scaffolding_core import (
    Capabilities,
    FunctionWorker,
    InvalidRequestError,
    LocalWorker,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    Recording,
    RecordingWorker,
    ReplayWorker,
    ScaffoldingLlm,
    ToolDescription,
    Worker,
)
from tests.servers.scripted import Reply, scripted_server

CLOCK = [ToolDescription("clock", "Tells the time", {})]


def capable(body):
    """A server that does all that it is asked."""
    if "tools" in body:
        return Reply(pieces=(), tool_calls=(("clock", "{}"),), finish="tool_calls")
    told = {"tokens": ["7"], "token_logprobs": [-0.5], "top_logprobs": [{"8": -1.0}]}
    return Reply(logprobs=told if body.get("logprobs") else None)


async def test_a_recorded_and_a_replayed_worker():
    recording = Recording()
    with scripted_server(capable) as server:
        async with OpenAIWorker(server.url, "m", siblings=1) as inner:
            recorder = RecordingWorker(inner, recording)
            assert recorder.capabilities == inner.capabilities
            method = MajorityVoteController(NativeChatController({"num_logprobs": 1}, tools=CLOCK), 2)
            async with ScaffoldingLlm(method, recorder) as llm:
                first = (await llm.generate_async("q")).output
    worker = ReplayWorker(recording)
    async with ScaffoldingLlm(method, worker) as llm:
        again = (await llm.generate_async("q")).output
    assert (
        [call.name for call in again.message.tool_calls]
        == [call.name for call in first.message.tool_calls]
        == ["clock"]
    )
    assert worker.capabilities.tools
    assert worker.capabilities.logprobs
    assert worker.capabilities.siblings == 1


# Methods.


class Needs(NativeGenerationController):
    @property
    def needs(self):
        return {self.WorkerTag.GENERATION: Capabilities(logprobs=True, siblings=4)}


@pytest.mark.parametrize("nested", [lambda method: method, lambda method: MajorityVoteController(method, 3)])
@pytest.mark.parametrize("by_tag", [lambda worker: worker, lambda worker: {"generation": worker}])
def test_a_method_that_needs_more_is_refused_when_it_is_put_together(nested, by_tag):
    able = Capabilities(siblings=3)
    with pytest.raises(InvalidRequestError, match="Needs needs logprobs and siblings of"):
        ScaffoldingLlm(nested(Needs()), by_tag(FunctionWorker(str, capabilities=able)))
    more = Capabilities(logprobs=True, siblings=4)
    ScaffoldingLlm(nested(Needs()), by_tag(FunctionWorker(str, capabilities=more)))


def test_tools_need_a_worker_that_calls_them(embedded_worker: LocalWorker):
    with pytest.raises(InvalidRequestError, match="NativeChatController needs tools of LocalWorker"):
        ScaffoldingLlm(NativeChatController(tools=CLOCK), embedded_worker)
    ScaffoldingLlm(NativeChatController(), embedded_worker)


@pytest.mark.parametrize("workers", [{}, FunctionWorker(str), Worker(), RecordingWorker(FunctionWorker(str))])
def test_of_one_that_says_nothing_or_comes_later_nothing_is_asked(workers):
    ScaffoldingLlm(Needs(), workers)
