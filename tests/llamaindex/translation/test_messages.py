"""LlamaIndex's messages and the core's, both ways."""

import asyncio
import base64
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.llms.llm import ToolSelection

from llamaindex_scaffolding import ScaffoldingLLM
from llamaindex_scaffolding.translation.messages import (
    from_core,
    reasoning_of,
    to_chat_message,
    to_core,
    tool_calls_of,
)
from scaffolding_core import (
    AssistantMessage,
    FunctionWorker,
    InvalidRequestError,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from tests.llamaindex.doubles import ScriptedLLM

DATA = b"\x00some bytes"
CODED = base64.b64encode(DATA).decode()


def user(*blocks):
    return ChatMessage(role="user", blocks=list(blocks))


def parts(*blocks):
    """The content parts that a message of the user's becomes."""
    return to_core([user(TextBlock(text="see"), *blocks)])[0].content[1:]


class TestIn:
    @pytest.mark.parametrize(
        ("role", "kind"),
        [
            ("system", SystemMessage),
            ("developer", SystemMessage),
            ("user", UserMessage),
            ("assistant", AssistantMessage),
            ("model", AssistantMessage),
            ("chatbot", AssistantMessage),
            ("tool", ToolMessage),
            ("function", ToolMessage),
        ],
    )
    def test_every_role_has_a_message(self, role, kind):
        (message,) = to_core([ChatMessage("hello", role=role)])
        assert (type(message), message.text) == (kind, "hello")

    @pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool"])
    def test_role_and_name_survive_both_ways_and_on_the_wire(self, role):
        call_id = {"tool_call_id": "1"} if role == "tool" else {}
        given = ChatMessage("hello", role=role, additional_kwargs={"name": "ann", **call_id})
        (core,) = to_core([given])
        assert from_core([replace(core, original=None)]) == [given]
        assert core.to_dict()["role"] == role
        assert core.to_dict().get("name") == (None if role == "tool" else "ann")  # a call's id tells the tool

    @pytest.mark.parametrize(
        ("block", "part"),
        [
            (
                ImageBlock(url="https://example.com/cat.png", detail="low"),
                {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}},
            ),
            (
                ImageBlock(image=DATA, image_mimetype="image/gif"),
                {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{CODED}"}},
            ),
            (
                AudioBlock(audio=DATA, format="mp3"),
                {"type": "input_audio", "input_audio": {"data": CODED, "format": "mp3"}},
            ),
            (
                DocumentBlock(data=DATA, title="a.pdf", document_mimetype="application/pdf"),
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{CODED}"},
                },
            ),
            (
                CitableBlock(title="t", source="s", content=[TextBlock(text="cited")]),
                {"type": "text", "text": "cited"},
            ),
            (
                CitationBlock(
                    cited_content=TextBlock(text="said"),
                    source="s",
                    title="t",
                    additional_location_info={},
                ),
                {"type": "text", "text": "said"},
            ),
        ],
    )
    def test_blocks_become_openai_parts(self, block, part):
        content = to_core([user(ImageBlock(url="https://example.com/x.png"), block)])[0].content
        assert content[1:] == [part]

    def test_a_file_is_read(self, tmp_path):
        path = tmp_path / "cat.png"
        path.write_bytes(DATA)
        (part,) = parts(ImageBlock(path=path, image_mimetype="image/png"))
        assert part["image_url"]["url"] == f"data:image/png;base64,{CODED}"

    def test_text_alone_stays_text(self):
        hint = CachePoint(cache_control={"type": "ephemeral"})
        (message,) = to_core([user(TextBlock(text="a"), TextBlock(text="b"), hint)])
        assert message.content == "a\nb"

    def test_thoughts_and_tool_calls_of_an_answer_are_told_apart(self):
        blocks = [
            ThinkingBlock(content="hm"),
            TextBlock(text="so"),
            ToolCallBlock(tool_call_id="1", tool_name="add", tool_kwargs={"a": 1}),
        ]
        (message,) = to_core([ChatMessage(role="assistant", blocks=blocks)])
        assert (message.text, message.reasoning) == ("so", "hm")
        assert message.tool_calls == [ToolCall("1", "add", '{"a": 1}')]

    def test_the_call_that_a_tool_answers_is_named(self):
        (message,) = to_core([ChatMessage("3", role="tool", additional_kwargs={"tool_call_id": "1"})])
        assert message.tool_call_id == "1"

    @pytest.mark.parametrize(
        "call",
        [
            {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}},
            {"id": "1", "name": "add", "arguments": {"a": 1}},
            SimpleNamespace(id="1", function=SimpleNamespace(name="add", arguments='{"a": 1}')),
            ToolSelection(tool_id="1", tool_name="add", tool_kwargs={"a": 1}),
        ],
    )
    def test_tool_calls_beside_the_blocks_are_found(self, call):
        message = ChatMessage("", role="assistant", additional_kwargs={"tool_calls": [call]})
        assert tool_calls_of(message) == [ToolCall("1", "add", '{"a": 1}')]

    def test_several_thoughts_are_one(self):
        blocks = [ThinkingBlock(content="a"), TextBlock(text="x"), ThinkingBlock(content="b")]
        assert reasoning_of(ChatMessage(role="assistant", blocks=blocks)) == "a\nb"

    def test_a_video_is_refused(self):
        with pytest.raises(InvalidRequestError, match="VideoBlock cannot be sent"):
            to_core([user(VideoBlock(url="https://example.com/x.mp4"))])

    @pytest.mark.parametrize("role", ["system", "assistant", "tool"])
    def test_an_image_that_would_be_lost_is_refused(self, role):
        with pytest.raises(InvalidRequestError, match=f"'{role}' holds text alone"):
            to_core(
                [ChatMessage(role=role, blocks=[TextBlock(text="x"), ImageBlock(url="https://example.com/x")])]
            )

    @pytest.mark.parametrize(
        "block", [AudioBlock(url="http://127.0.0.1:9/x.mp3"), DocumentBlock(url="http://127.0.0.1:9/x.pdf")]
    )
    def test_a_file_that_cannot_be_read_is_one_typed_error(self, block):
        with pytest.raises(InvalidRequestError, match="cannot be read"):
            parts(block)


class TestOut:
    def test_a_message_that_a_method_left_alone_is_the_one_that_came_in(self):
        message = user(TextBlock(text="a"), ImageBlock(url="https://example.com/x"))
        assert from_core(to_core([message]))[0] is message

    @pytest.mark.parametrize(
        ("message", "built"),
        [
            (SystemMessage("be brief"), ChatMessage("be brief", role="system")),
            (UserMessage("q"), ChatMessage("q", role="user")),
            (ToolMessage("3", "1"), ChatMessage("3", role="tool", additional_kwargs={"tool_call_id": "1"})),
            (AssistantMessage("a"), ChatMessage("a", role="assistant")),
        ],
    )
    def test_messages_of_a_method_are_built(self, message, built):
        assert from_core([message]) == [built]

    def test_thoughts_text_and_calls_are_blocks_in_that_order(self):
        calls = [ToolCall("1", "add", '{"a": 1}'), ToolCall("2", "add", '{"a": ')]
        blocks = to_chat_message(AssistantMessage("so", reasoning="hm", tool_calls=calls)).blocks
        assert blocks == [
            ThinkingBlock(content="hm"),
            TextBlock(text="so"),
            ToolCallBlock(tool_call_id="1", tool_name="add", tool_kwargs={"a": 1}),
            ToolCallBlock(tool_call_id="2", tool_name="add", tool_kwargs='{"a": '),
        ]

    @pytest.mark.parametrize(
        "block",
        [
            ImageBlock(url="https://example.com/cat.png", detail="low"),
            AudioBlock(audio=DATA, format="mp3"),
            DocumentBlock(data=DATA, title="a.pdf", document_mimetype="application/pdf"),
        ],
    )
    def test_parts_become_the_blocks_that_they_were(self, block):
        (message,) = to_core([user(TextBlock(text="see"), block)])
        message.original = None
        (built,) = from_core([message])
        assert built.blocks[0] == TextBlock(text="see")
        assert to_core([built])[0].content == message.content

    def test_a_part_of_an_unknown_type_is_refused(self):
        with pytest.raises(InvalidRequestError, match="type 'smell'"):
            from_core([UserMessage([{"type": "smell"}])])


class TestThroughAWrappedLLM:
    BLOCKS = (
        TextBlock(text="see"),
        VideoBlock(url="http://127.0.0.1:9/x.mp4"),
        AudioBlock(url="http://127.0.0.1:9/x.mp3"),
        ImageBlock(image=DATA),
        DocumentBlock(data=DATA, title="a.pdf"),
        CachePoint(cache_control={"type": "ephemeral"}),
    )

    def test_blocks_of_every_kind_go_through_as_they_are_and_nothing_is_read(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), sample_num=2)
        chat = [ChatMessage(role="tool", blocks=self.BLOCKS), user(*self.BLOCKS)]
        llm.chat(chat)
        assert llm.llm.record.asked == [chat, chat]

    async def test_blocks_stay_what_they_are_where_a_method_adds_its_words(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), "chain_of_thought")
        given = user(*self.BLOCKS)
        given.additional_kwargs["kept"] = 1
        await llm.achat([given])
        ((asked,),) = llm.llm.record.asked
        assert asked.blocks[:-1] == list(self.BLOCKS)
        assert asked.additional_kwargs == {"kept": 1}
        assert "step by step" in asked.blocks[-1].text


async def test_reading_a_slow_file_does_not_hold_up_the_loop():
    seen = []

    class Slow(ImageBlock):
        def resolve_image(self, as_base64=False):
            seen.append(threading.get_ident())
            time.sleep(0.05)
            return super().resolve_image(as_base64)

    llm = ScaffoldingLLM("direct", worker=FunctionWorker(lambda task: "a cat"))
    message = ChatMessage.model_construct(role="user", blocks=[Slow(image=DATA)], additional_kwargs={})
    await asyncio.gather(llm.achat([message]), llm.achat([message]))
    [r async for r in await llm.astream_chat([message])]
    assert len(seen) == 3
    assert threading.get_ident() not in seen
