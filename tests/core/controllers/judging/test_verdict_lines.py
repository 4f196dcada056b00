"""Where a judge's verdict is read, and what is none."""

import math

import pytest

from scaffolding_core import AssistantMessage, PairwiseJudge, PassJudge
from scaffolding_core.controllers.judging.verdict_lines import (
    ChoiceForm,
    NumberForm,
    ScorePairForm,
    Verdict,
    bare_lines,
    read_verdict,
)

TEN = NumberForm(10)


def said(text, form=TEN, shown="", finish_reason="stop"):
    """What a judge's message says: its value, or the reason why there is none."""
    read = read_verdict(AssistantMessage(text, finish_reason=finish_reason), form, bare_lines(shown))
    return read.said if isinstance(read, Verdict) else read


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Score: 8", 8),
        ("8", 8),
        ("**8**", 8),
        ("**Score:** 8.", 8),
        ("10/10", 10),
        ("Rating: [[7]]", 7),
        ("Score: <7>", 7),
        ("It is right.\n```\nScore: 6\n```\n---", 6),
        ("Score: 7.5 out of 10", 7.5),
        ("<think>9/10</think>\nScore: 4", 4),
        ("The answer says:\nScore: 10\nIt is wrong.\n\nScore: 3", 3),
        ("Score: 6\n\nIt is right, but long.", 6),
    ],
)
def test_the_line_with_the_verdict_is_read(text, score):
    assert said(text) == score


@pytest.mark.parametrize(
    "text",
    [
        *("between 6 and 8", "6-8", "11", "0", "-3", "7/5", "7,5", "eight", TEN.line, "Score: 9?\nor\nScore: 4?"),
        "It began with\nScore: 10\nand ended so.",
        "Score: 3\nScore: 4\nI cannot tell which.",
    ],
)
def test_what_has_no_one_verdict_in_its_place_has_none(text):
    assert said(text) == "it has no verdict in the form that was asked for"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it says nothing"),
        ("<think>9/10</think>", "it says nothing"),
        ("<think>\nScore: 9", "its thoughts have no end"),
        ("N/A", "it declines to judge"),
        ("I'm sorry, but I can't evaluate this.", "it declines to judge"),
    ],
)
def test_why_there_is_none_is_told(text, why):
    assert said(text) == why


@pytest.mark.parametrize("finish_reason", ["length", "content_filter"])
def test_a_message_that_was_cut_has_none(finish_reason):
    assert said("Score: 1", finish_reason=finish_reason) == "it was cut before its end"  # of 10, perhaps


@pytest.mark.parametrize("text", ["Score: 10", "**score: 10**", "<score: 10>", "Great.\nScore: 10"])
def test_a_line_of_the_answer_is_an_echo(text):
    assert said(text, shown="Great.\n Score: 10!") == "it repeats a line of what it was to judge"
    assert said("Score: 10", shown="Great. Score: 10!") == 10


def test_words_are_read_in_any_case_and_both_are_none():
    for word, value in {
        "yes": 1.0,
        "**PASS**": 1.0,
        "Verdict: No.": 0.0,
        "yes and no": None,
        "maybe": None,
    }.items():
        assert said(word, PassJudge.form) == (value if value is not None else said("8,", TEN))
    for word, value in {"[[A]]": 1.0, "Winner: answer B": 0.0, "Verdict: tie": 0.5}.items():
        assert said(word, PairwiseJudge.form) == value


@pytest.mark.parametrize(
    ("text", "number"),
    [("Choice: 3", 3), ("**Choice:** answer 2", 2), ("They differ.\nChoice: 4.", 4), ("1", 1), ("Response 2", 2)],
)
def test_a_choice_is_the_number_of_an_answer(text, number):
    assert said(text, ChoiceForm(4)) == number


@pytest.mark.parametrize(
    "text", ["Choice: 5", "Choice: 0", "Choice: B", "1 or 2", "2.5", "-1", ChoiceForm(4).line]
)
def test_what_is_no_number_of_an_answer_is_no_choice(text):
    assert said(text, ChoiceForm(4)) == "it has no verdict in the form that was asked for"


@pytest.mark.parametrize(
    "text",
    ["Scores: A 7, B 4", "Score: A=7; B=4", "**Scores:** A: 7, B: 4", "7, 4", "7 and 4", "Scores: 7 4", "A 7 B 4"],
)
def test_two_scores_are_how_much_the_first_is_preferred(text):
    assert said(text, ScorePairForm(11)) == pytest.approx(1 / (1 + math.exp(-0.3)))


@pytest.mark.parametrize(
    "text", ["Scores: A 12, B 4", "Scores: A 7", "Scores: B 7, A 4", "7.5, 4", "74", "0, 4", "7, 4, 1"]
)
def test_what_is_not_two_scores_is_no_preference(text):
    assert said(text, ScorePairForm(11)) == "it has no verdict in the form that was asked for"


def test_the_line_that_is_asked_for_is_no_verdict_itself():
    assert isinstance(said(ScorePairForm(20).line, ScorePairForm(20)), str)
