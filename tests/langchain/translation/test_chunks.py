"""What a stream shows of a wrapped model that streams content blocks, as Anthropic's and OpenAI's do."""

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_scaffolding import ChatScaffolding
from tests.langchain.doubles import each_way

CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}, "index": 2}
CITED = {"type": "text", "text": " 7", "citations": [{"type": "char_location", "cited_text": "7"}], "index": 1}
THOUGHT = [
    [{"type": "thinking", "thinking": "h", "index": 0}],
    [{"type": "thinking", "thinking": "m", "index": 0}],
    [{"type": "thinking", "thinking": "", "signature": "SIG", "index": 0}],
]
SAID = [[{"type": "text", "text": "It is", "index": 1}], [CITED]]
SEARCHED = [[{"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}, "index": 3}]]
BLOCKS = {"thoughts and text": [*THOUGHT, *SAID], "a server's tool": [*SEARCHED, *SAID]}


class Streaming(BaseChatModel):
    """Streams pieces of blocks, and at last a tool call in two pieces."""

    pieces: list = []
    calls_tool: bool = False

    @property
    def _llm_type(self):
        return "streaming"

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        provider = {"model_provider": "anthropic"}
        for piece in self.pieces:
            yield ChatGenerationChunk(message=AIMessageChunk(piece, response_metadata=provider))
        for name, text in (("f", '{"a"'), (None, ": 1}")) if self.calls_tool else ():
            block = CALL if name else {"type": "input_json_delta", "partial_json": text, "index": 2}
            part = tool_call_chunk(name=name, args=text, id="t1" if name else None, index=2)
            yield ChatGenerationChunk(
                message=AIMessageChunk([block], tool_call_chunks=[part], response_metadata=provider)
            )
        usage = {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3}
        told = {**provider, "model_name": "m", "stop_reason": "end_turn"}
        yield ChatGenerationChunk(message=AIMessageChunk([], usage_metadata=usage, response_metadata=told))

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        first, *rest = self._stream(messages)
        whole = sum(rest, first).message
        return ChatResult(generations=[ChatGeneration(message=AIMessage(**whole.model_dump(exclude={"type"})))])


@pytest.mark.parametrize("method", ["direct", "chain_of_thought", "majority_vote", "best_of_n"])
@pytest.mark.parametrize("version", [None, "v1"])
@pytest.mark.parametrize(
    "given",
    [
        {"pieces": BLOCKS["thoughts and text"]},
        {"pieces": BLOCKS["thoughts and text"], "calls_tool": True},
        {"pieces": BLOCKS["a server's tool"]},
        {"calls_tool": True},
    ],
    ids=["text", "text and call", "server tool", "call"],
)
async def test_every_block_is_streamed_as_the_wrapped_model_streams_it(method, version, given):
    bare = Streaming(**given, output_version=version)
    reward = (lambda prompt, answer: 1) if method == "best_of_n" else None
    model = ChatScaffolding.wrap(Streaming(**given), method, output_version=version, reward=reward)
    first, *rest = bare.stream("q")
    expected = sum(rest, first)
    async for message in each_way(model, "q"):
        assert without_places(message.content_blocks) == without_places(expected.content_blocks)
        assert [call["args"] for call in message.tool_calls] == [call["args"] for call in expected.tool_calls]
        if isinstance(message, AIMessageChunk):
            assert without_places(message.content) == without_places(expected.content)
            assert message.chunk_position == "last"


def without_places(blocks):
    """Blocks without where a stream put them, which an answer in one piece does not tell."""
    return [{name: value for name, value in block.items() if name != "index"} for block in blocks]


@pytest.mark.parametrize("method", ["direct", "majority_vote"])
async def test_chunks_share_one_id_and_tell_usage_once_at_the_end(method):
    model = ChatScaffolding.wrap(Streaming(pieces=BLOCKS["thoughts and text"]), method)
    for chunks in ([*model.stream("q")], [chunk async for chunk in model.astream("q")]):
        assert len({chunk.id for chunk in chunks}) == 1
        told = [chunk for chunk in chunks if chunk.usage_metadata or chunk.response_metadata.get("model_name")]
        assert told == [chunk for chunk in chunks if chunk.chunk_position == "last"][-1:]
