"""Tools as a call of a model gets them."""

from llama_index.core.tools import FunctionTool

from llamaindex_scaffolding.translation.tools import chat_arguments


def test_a_tool_may_be_described_at_any_length():
    tool = FunctionTool.from_defaults(fn=lambda city: city, name="weather", description="Where? " * 1000)
    given = chat_arguments([tool], "q", [], parallel=False, required=True, tool_choice=None)
    assert given["tools"][0]["function"]["description"] == tool.metadata.description
    assert [message.content for message in given["messages"]] == ["q"]
