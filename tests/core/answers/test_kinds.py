"""Kinds of answer, by name: what each finds, what it merges, and what it refuses."""

from pathlib import Path

import pytest

from scaffolding_core import Answers, AssistantMessage, Exact, InvalidRequestError, WholeText
from scaffolding_core.answers import KINDS


def classes(answers, *texts):
    """The class of what each text answers; None for none."""
    sorting = answers.equivalence.classes()
    found = [answers.extractor.extract(AssistantMessage(text)) for text in texts]
    return [None if answer is None else sorting.assign(answer) for answer in found]


def same(answers, *texts):
    numbers = classes(answers, *texts)
    return None not in numbers and len(set(numbers)) == 1


@pytest.mark.parametrize(
    ("answers", "texts"),
    [
        (Answers("auto"), ["The answer is 7.", r"so \boxed{7}", "7"]),
        (
            Answers("number"),
            ["The shelf holds 12 books in 3 rows, 36 in all.", "Answer: 36", '{"answer": 36}', "36.0"],
        ),
        (Answers("number"), ["It is seven.", "7"]),
        (
            Answers("choice"),
            ["(B)", "I would choose B.", "Answer: B) Lyon", '{"answer": "B"}', "B is the right one."],
        ),
        (Answers("choice", choices=["1", "2"]), ["2", "Option 2", "The answer is (2)"]),
        (Answers("choice", labels=["good", "bad"]), ["Good.", "The review is good", '{"answer": "GOOD"}']),
        (
            Answers("choice", choices=["A", "B"], labels=["Paris", "Lyon"]),
            ["A", "The answer is Paris.", "(A) Paris", "I would say Paris"],
        ),
        (Answers("yes_no"), ["Yes, it floats.", "The answer is yes.", "True", '{"answer": true}', "Oui."]),
        (Answers("math"), [r"\boxed{x+1}", "The answer is $1+x$."]),
        (Answers("date"), ["It was signed on 4 July 1776.", "1776-07-04", "July 4, 1776"]),
        (Answers("date", day_first=True), ["3/5/2024", "The answer is 3 May 2024"]),
        (Answers("date", day_first=False), ["3/5/2024", "The answer is March 5, 2024"]),
        (Answers("text"), ["The answer is **Paris**.", "paris", "<think>Lyon?</think> Paris"]),
        (Answers("list"), ["1. red\n2. green", "The colours are red and green", '["red", "green"]', "red, green"]),
        (Answers("list", unordered=True), ["red, green", "- green\n- red"]),
        (Answers("json"), ['{"a": 1, "b": [2]}', '```json\n{"b": [2], "a": 1.0}\n```']),
        (Answers("json", key="city"), ['{"city": "Paris", "why": "x"}', 'so {"why": "y", "city": "paris"}']),
        (Answers("json", ignore=["why"]), ['{"city": "Paris", "why": "x"}', '{"city": "Paris", "why": "y"}']),
        (Answers("json", only=["city"]), ['{"city": "Paris", "why": "x"}', '{"city": "Paris"}']),
        (Answers("json", unordered=True), ['{"a": [1, 2]}', '{"a": [2, 1]}']),
        (Answers("code"), ["```python\nx = 1\n```", "Here it is:\n```\nx = 1  \n```\nIt sets x."]),
        (Answers("code"), ["SELECT a FROM t;", "```sql\nselect a\nfrom t\n```"]),
        (Answers("whole"), ["Paris is **big**.", "paris is  big"]),
    ],
    ids=str,
)
def test_what_a_kind_merges(answers, texts):
    assert same(answers, *texts)


@pytest.mark.parametrize(
    ("answers", "texts"),
    [
        (Answers("number"), ["5 km", "5 m"]),
        (Answers("choice"), ["A", "B"]),
        (Answers("yes_no"), ["Yes.", "No."]),
        (Answers("math"), [r"\boxed{x+1}", r"\boxed{x-1}"]),
        (Answers("date"), ["3/5/2024", "May 3, 2024", "March 5, 2024"]),
        (Answers("date", day_first=True), ["3/5/2024", "5/3/2024"]),
        (Answers("text"), ["The answer is 5 apples.", "The answer is five pears."]),
        (Answers("list"), ["red, green", "green, red"]),
        (Answers("list", unordered=True), ["red, red, green", "red, green, green"]),
        (Answers("json"), ['{"a": 1}', '{"a": 1, "b": 2}']),
        (Answers("code"), ["```\nx = 1\n```", "```\nX = 1\n```", "```\n  x = 1\ny\n```"]),
        (Answers("whole"), ["The answer is 7.", "So it is 7."]),
    ],
    ids=str,
)
def test_what_a_kind_keeps_apart(answers, texts):
    assert len(set(classes(answers, *texts))) == len(texts)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("calls", "whole")])
@pytest.mark.parametrize("text", ["", "<think>It is 7, so B", "I'm sorry, but I can't help with that."])
def test_no_kind_finds_an_answer_where_there_is_none(kind, text):
    assert Answers(kind).extractor.extract(AssistantMessage(text)) is None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("calls", "whole")])
def test_every_kind_knows_a_refusal(kind):
    assert Answers(kind).extractor.read(AssistantMessage("I'm sorry, but I can't help with that.")).refused


def test_an_option_that_is_not_offered_is_no_answer():
    assert classes(Answers("choice", choices=["A", "B"]), "C", "The answer is D.", "A") == [None, None, 0]


def test_an_option_that_words_a_refusal_is_an_option_where_it_stands_alone():
    kind = Answers("choice", choices=["paid", "unknown", "none"])
    assert classes(kind, "unknown", "None.", "I cannot say.", "<think>none</think>unknown") == [0, 1, None, 0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("numbre", "there are: auto, number, choice, yes_no, math, date, text, list, json, code, calls, whole"),
        ({"kind": "number", "choices": ["A"]}, "do not take this"),
        ({"choices": ["A"]}, "a mapping with a 'kind'"),
        ({"kind": "choice", "choices": []}, "not empty"),
        ({"kind": "choice", "choices": ["A", "a"]}, "'A' and 'a' read alike"),
        ({"kind": "choice", "choices": "AB"}, "list of texts"),
        ({"kind": "choice", "labels": ["good", ""]}, "not empty"),
        ({"kind": "choice", "labels": ["good", "Good."]}, "read alike"),
        ({"kind": "choice", "choices": ["A", "B"], "labels": ["Paris"]}, "a label for each choice"),
        ({"kind": "choice", "choices": ["A", "B"], "labels": ["B", "A"]}, "read alike"),
        ({"kind": "json", "only": []}, "at least one field"),
        ({"kind": "json", "ignore": "b"}, "list of names"),
        ({"kind": "json", "key": "a["}, "must look like"),
        ({"kind": "list", "unordered": "yes"}, "True or False"),
        ({"kind": "date", "day_first": "yes"}, "True, False or None"),
        (7, "answers must be one of"),
        (("a", "b", "c"), "a pair of extractor and equivalence"),
        ((WholeText, None), "must be an instance with extract"),
        ((None, Exact), "must be an instance with classes"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_said(given, message):
    with pytest.raises(InvalidRequestError, match=message):
        Answers.of(given)


def test_a_name_a_mapping_a_pair_and_none_are_all_answers():
    assert Answers.of("yes-no").kind == "yes_no"
    assert Answers.of({"kind": "json", "key": "a"}).parameters == {"key": "a"}
    assert Answers.of(None).kind == "auto"
    own = Answers.of((WholeText(), None))
    assert own.kind == ""
    assert own.extractor.extract(AssistantMessage(" all of it ")) == "all of it"
    assert Answers.of(own) is own


def test_answers_are_equal_if_they_mean_the_same():
    assert Answers("json", key="a") == Answers.of({"kind": "json", "key": "a"})
    assert Answers("json", key="a") != Answers("json", key="b")
    assert Answers("number") != Answers("math")
    assert len({Answers("number"), Answers("number")}) == 1
    assert repr(Answers("json", key="a")) == "Answers('json', key='a')"


def test_the_readme_has_a_row_for_each_kind():
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    for name, kind in KINDS.items():
        assert f"| `{name}` | {kind.parameters} | {kind.merges} |\n" in readme


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "calls"])
@pytest.mark.parametrize(
    "text", ["5 thouſand", "5 auguſt 2024", "ſunday, March 3, 2024", "The answer is falſe.", "yeſ"]
)
def test_letters_that_are_others_without_case_do_no_harm(kind, text):
    answers = Answers(kind)
    found = answers.extractor.extract(AssistantMessage(text))
    assert found is None or answers.equivalence.classes().assign(found) == 0
