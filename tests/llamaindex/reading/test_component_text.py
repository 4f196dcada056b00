"""Formats of components are told by the text alone, and strictly."""

import pytest

from llamaindex_scaffolding.reading import Step
from scaffolding_core import AssistantMessage, ToolCall
from tests.llamaindex.reading.texts import ORDINARY, by_auto, read, same


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_answer_is_read_as_ever(text):
    assert read(text) == by_auto(text)


@pytest.mark.parametrize(
    ("text", "answer", "how"),
    [
        ("A is better, by 5 to 3. [[A]]", "A", "verdict"),
        ("Not [[A]] but [[C]]", "A", "verdict"),  # the evaluator looks for A first
        ("Doc: 2, Relevance: 8", [[2, 8.0]], "ranking"),
        ("Doc: 1, Relevance: 3\n**Document: 2, Relevance: 8/10**", [[2, 8.0], [1, 3.0]], "ranking"),
        ("4.0\nIt matches the reference of 2019.", "4.0", "score line"),
        ("3\n\n**Reasoning:** the reference answer is 42.", "3", "score line"),
        ("(Philz, founded in, 1982)", [["Philz", "Founded in", "1982"]], "triplets"),
        ("SQLQuery: SELECT 1 FROM a\nSQLResult: 7\nAnswer: 7", "SELECT 1 FROM a", "SQLQuery"),
        ("```sql\nSELECT 1 FROM a\n```", "SELECT 1 FROM a", "SQLQuery"),
        ("We need a path.\nJSONPath: $.a[0].b", "$.a[0].b", "JSONPath"),
        ("$.a,  $.b", "$.a, $.b", "JSONPath"),
        ("The context says so on page 3. YES", "YES", "yes or no"),
        ("NO, the context does not mention 2019.", "NO", "yes or no"),
        ("The context does not mention 2019, therefore NO.", "NO", "yes or no"),
        ("Keywords: apples, pears, 2021", "apples, pears, 2021", "whole"),
        ("**Standalone question:** Who won in 2021?", "Who won in 2021?", "whole"),
        ("```\nwho won in 2020\nwho won in 2021\n```", ["who won in 2020", "who won in 2021"], "lines"),
        ("Who won?\n\nWho lost in 2021?", ["Who won?", "Who lost in 2021?"], "lines"),
    ],
)
def test_what_a_component_reads_is_the_answer(text, answer, how):
    assert read(text) == (answer, how)


@pytest.mark.parametrize(
    "texts",
    [
        ("4.0\nRight.  It is so in 2019.", "4\n\nIt matches what was said in 2019"),
        ("SELECT a\nFROM b;", "SQLQuery: SELECT a FROM b\nSQLResult: 3"),
        ("(a, is in, b)\n(c, is in, d)", "Triplets:\n- (C, is in, D)\n- (A, is in, B)"),
        ("Doc: 1, Relevance: 3\nDoc: 2, Relevance: 8", "Doc: 2, Relevance: 8\n\nDoc: 1, Relevance: 3"),
    ],
)
def test_what_a_component_reads_alike_is_the_same(texts):
    assert same(*texts)


@pytest.mark.parametrize(
    "texts",
    [
        ("4.0\nIt is so in 2019.", "4.5\nIt is so in 2019."),
        ("SELECT a FROM b WHERE c = 'x'", "SELECT a FROM b WHERE c = 'X'"),
        ("JSONPath: $.a.B", "JSONPath: $.a.b"),
        ("(a, is in, b)", "(b, is in, a)"),
        ("Doc: 2, Relevance: 8", "Doc: 2, Relevance: 7"),
        ("who won in 2020\nwho won in 2021", "who lost in 2020\nwho won in 2021"),
    ],
)
def test_what_a_component_reads_in_another_way_is_not(texts):
    assert not same(*texts)


def test_a_ranking_without_any_document_abstains():
    assert read("Doc: 2, Relevance (score): 8, of 10").answer is None


def test_tool_calls_are_never_read_as_text():
    message = AssistantMessage("[[A]]", tool_calls=[ToolCall("1", "weather", '{"city": "Rome"}')])
    assert Step().extract(message) == [["weather", {"city": "Rome"}]]
