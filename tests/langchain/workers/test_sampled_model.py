"""What of a wrapped model is streamed."""

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_scaffolding.workers.sampled_model import streams
from tests.langchain.doubles import KnownChat, Scripted


class StreamsAsync(Scripted):
    async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
        yield ChatGenerationChunk(message=AIMessageChunk("7"))


class InvokesInItsOwnWay(KnownChat):
    def invoke(self, *given, **options):
        return super().invoke(*given, **options)


@pytest.mark.parametrize(
    ("model", "streamed"),
    [
        (KnownChat(answers=["7"]), True),
        (StreamsAsync(answers=["7"]), True),
        (Scripted(answers=["7"]), False),
        (KnownChat(answers=["7"], disable_streaming=True), False),
        (InvokesInItsOwnWay(answers=["7"]), False),
    ],
    ids=["streams", "streams_async", "cannot", "told_not_to", "invokes_in_its_own_way"],
)
def test_a_chat_model_is_streamed_if_that_is_as_good_as_invoking_it(model, streamed):
    assert streams(model, listening=True, may_be_cut=False) is streamed
    assert streams(model, listening=False, may_be_cut=True) is streamed
    assert not streams(model, listening=False, may_be_cut=False)
