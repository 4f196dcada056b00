"""StepSplitter: the steps of a text, which joined are the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.answers.steps import StepSplitter
from scaffolding_core.errors import InvalidRequestError

KINDS = [
    StepSplitter(),
    StepSplitter(separator="<step>"),
    StepSplitter(by="tokens", tokens=2),
    StepSplitter(by="sentences"),
    StepSplitter(by="items"),
]


@pytest.mark.parametrize(
    ("splitter", "text", "steps"),
    [
        (StepSplitter(), "a\n\nb c\n\nd", ["a\n\n", "b c\n\n", "d"]),
        (StepSplitter(), "\n\na\n\n\n\nb\n\n", ["\n\na\n\n\n\n", "b\n\n"]),
        (StepSplitter(separator="<step>"), "a<step><step>b", ["a<step><step>", "b"]),
        (
            StepSplitter(by="tokens", tokens=2),
            "one two  three\nfour five ",
            ["one two", "  three\nfour", " five "],
        ),
        (
            StepSplitter(by="sentences"),
            "It is 3.5, e.g. so. Is it? Yes",
            ["It is 3.5, e.g. so.", " Is it?", " Yes"],
        ),
        (
            StepSplitter(by="items"),
            'Here: [1, {"a": [2, 3]}, "x, y"] and 4, 5',
            ["Here: [1,", ' {"a": [2, 3]},', ' "x, y"] and 4, 5'],
        ),
        (StepSplitter(by="items"), "no list, at all", ["no list, at all"]),
        (StepSplitter(), "", []),
    ],
)
def test_a_text_is_split(splitter, text, steps):
    assert splitter.split(text) == steps


@pytest.mark.parametrize("splitter", KINDS, ids=lambda splitter: splitter.by + splitter.separator[:1])
@given(text=st.text(st.sampled_from('ab1 .?,["]{}\\\n') | st.characters()))
def test_joined_the_steps_are_the_text(splitter, text):
    steps = splitter.split(text)
    assert "".join(steps) == text
    assert all(steps)
    assert splitter.begun(text) in {text, "".join(steps[:-1])}


def test_one_step_is_asked_for_by_its_separator_or_by_its_tokens():
    told = [(splitter.stop, splitter.max_tokens) for splitter in KINDS]
    assert told == [("\n\n", None), ("<step>", None), (None, 2), (None, 64), (None, 64)]
    assert StepSplitter(tokens=9).max_tokens == 9


def test_what_is_not_whole_when_the_tokens_are_used_up_is_left_out():
    assert StepSplitter(by="sentences").begun("One. Two. Thr") == "One. Two."
    assert StepSplitter(by="items").begun("[1, 2, 3") == "[1, 2,"
    assert StepSplitter(by="sentences").begun("no end") == "no end"
    assert StepSplitter().begun("a\n\nb") == "a\n\nb"


@pytest.mark.parametrize("options", [{"by": "lines"}, {"separator": ""}, {"tokens": 0}, {"tokens": True}])
def test_other_settings_are_refused(options):
    with pytest.raises(InvalidRequestError):
        StepSplitter(**options)
