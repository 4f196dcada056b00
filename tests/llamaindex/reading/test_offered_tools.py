"""Calls that a tool would refuse are refused, and what a tool fills in by itself does not count."""

import pytest
from llama_index.core.agent.workflow.multi_agent_workflow import handoff
from llama_index.core.base.base_selector import MultiSelection, SingleSelection
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import Context
from pydantic import BaseModel, Field

from llamaindex_scaffolding.reading import offered_tools
from tests.llamaindex.engines import KnownEngine


def book(city: str, note: str = Field(default="none", description="For the waiter."), seats: int = 2) -> str:
    """Books a table."""
    return f"{seats} in {city}"


async def in_context(ctx: Context, city: str) -> str:
    """Books a table, with a workflow's context."""
    return city


def anything(city: str, **others: object) -> str:
    """Takes whatever it gets."""
    return city


def read(tool, **arguments):
    (*_, reader) = offered_tools([tool]).values()
    return reader(arguments)


BOOK = FunctionTool.from_defaults(book)


@pytest.mark.parametrize(
    "arguments", [{}, {"city": ["Rome"]}, {"city": "Rome", "seats": "many"}, {"city": "Rome", "town": "Rome"}]
)
def test_arguments_that_a_function_would_not_take_are_refused(arguments):
    with pytest.raises(ValueError, match="book refuses"):
        read(BOOK, **arguments)


@pytest.mark.parametrize("given", [{}, {"seats": 2}, {"seats": "2"}, {"note": "none"}])
def test_defaults_do_not_count(given):
    assert read(BOOK, city="Rome", **given) == {"city": "Rome"}


def test_everything_else_counts():
    assert read(BOOK, city="Rome", seats="3", note="x") == {"city": "Rome", "seats": 3, "note": "x"}


def test_what_the_user_fills_in_need_not_be_written():
    assert read(FunctionTool.from_defaults(book, partial_params={"city": "Rome"}), seats=3) == {"seats": 3}
    assert read(FunctionTool.from_defaults(async_fn=in_context), city="Rome") == {"city": "Rome"}


def test_a_function_that_takes_whatever_it_gets_is_given_all():
    tool = FunctionTool.from_defaults(anything)
    assert read(tool, city="Rome", seats=3) == {"city": "Rome", "seats": 3}
    assert read(get_function_tool(SingleSelection), index=2, reason="a", sure=True) == {"index": 2}


def test_a_tool_that_makes_do_with_any_text_takes_any_arguments():
    tool = QueryEngineTool.from_defaults(KnownEngine("7"), name="ask", description="Ask.")
    assert read(tool, query="who?") == {"query": "who?"}


def test_a_tool_is_known_by_the_name_that_models_are_told():
    tool = FunctionTool.from_defaults(book, name="book[int]")
    assert set(offered_tools([tool])) == {"book_int_", "book[int]"}


@pytest.mark.parametrize(
    ("tool", "arguments", "counted"),
    [
        (get_function_tool(SingleSelection), {"index": "2", "reason": "a"}, {"index": 2}),
        (
            get_function_tool(MultiSelection),
            {"selections": [{"index": 1, "reason": "a"}]},
            {"selections": [{"index": 1}]},
        ),
        (FunctionTool.from_defaults(async_fn=handoff), {"to_agent": "b", "reason": "a"}, {"to_agent": "b"}),
    ],
    ids=["selection", "selections", "handoff"],
)
def test_what_explains_in_llamaindexs_own_tools_does_not_count(tool, arguments, counted):
    assert read(tool, **arguments) == counted


class Choice(SingleSelection):
    """A user's own, though derived from LlamaIndex's."""


class Selected(BaseModel):
    """A user's own, which holds one of LlamaIndex's."""

    reason: str
    choice: SingleSelection


def test_a_users_own_structure_counts_whole_but_for_llamaindexs_within():
    assert read(get_function_tool(Choice), index=2, reason="a") == {"index": 2, "reason": "a"}
    given = {"reason": "a", "choice": {"index": 2, "reason": "b"}}
    assert read(get_function_tool(Selected), **given) == {"reason": "a", "choice": {"index": 2}}


def handoff_of_ones_own(to_agent: str, reason: str) -> str:
    """Hands over to somebody else."""
    return to_agent


def test_a_users_own_tool_counts_whole_whatever_its_name():
    tool = FunctionTool.from_defaults(handoff_of_ones_own, name="handoff")
    assert read(tool, to_agent="b", reason="a") == {"to_agent": "b", "reason": "a"}
