"""Code to execute is the same if it runs the same."""

import sys

import pytest

from llamaindex_scaffolding.reading import Step
from scaffolding_core import AssistantMessage, ToolCall
from scaffolding_core.answers import Normalised
from tests.llamaindex.reading.texts import read, same


def run(code):
    return f"I will run this.\n<execute>\n{code}\n</execute>\nIt prints 5."


@pytest.mark.parametrize(
    "code",
    [
        "for i in range(3):\n  print(i+1)",
        "for i in range( 3 ):\n        print(i + 1)  # counts",
        "# counts\n\nfor i in range(3):\n\n    print(i + 1)\n",
    ],
)
def test_space_and_comments_do_not_count(code):
    assert same(run(code), run("for i in range(3):\n    print(i + 1)"))


@pytest.mark.parametrize(
    "code",
    [
        "print(a - 1)",
        "print(A + 1)",
        "print('a' + 1)",
        "print(a + 1)\nprint(a)",
        "  print(a + 1",
        "print(a +1)\n\t\t:",
    ],
)
def test_whatever_else_is_other_code(code):
    assert not same(run(code), run("print(a + 1)"))


@pytest.mark.parametrize("code", ["s = '''a\n\n b'''", 's = "# no comment"'])
def test_text_within_quotes_counts_to_the_letter(code):
    assert not same(run(code), run(code.replace("\n\n", "\n").replace("# ", "#")))


def test_all_blocks_count_in_their_order():
    assert not same(run("a = 1") + run("b = 2"), run("b = 2") + run("a = 1"))


@pytest.mark.parametrize("text", ["<execute>a = 1", "<execute></execute>", "a </execute> b <execute>"])
def test_what_the_agent_would_not_execute_is_no_code(text):
    assert read(text).how != "execute"


def test_calls_beside_the_code_count_too():
    message = AssistantMessage(run("a = 1"), tool_calls=[ToolCall("1", "handoff", '{"to_agent": "b"}')])
    assert [name for name, _ in Step().extract(message)] == ["execute", "handoff"]


def test_long_code_is_compared_as_it_is():
    code = "a = 1\n" * 10_000
    assert same(run(code), run(code))
    assert not same(run(code), run(code.replace(" = ", "=")))


def test_deep_code_does_no_harm():
    deep = "(" * (sys.getrecursionlimit() + 10)
    assert Normalised().key(read(run(deep)).answer) is not None
