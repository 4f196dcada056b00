"""What a judge would have said, by the log probabilities of its verdict's tokens."""

import math

import pytest

from scaffolding_core import TokenLogprob
from scaffolding_core.controllers.judging.weighing import expected_number, expected_word, tokens_from


def token(text, **others):
    """A token with its probability, and those of others at its place: a leading `_` is a space."""
    chances = {name.replace("_", " "): chance for name, chance in {text: others.pop("p", 1.0), **others}.items()}
    top = tuple((name.removeprefix("t"), math.log(chance)) for name, chance in chances.items())
    return TokenLogprob(top[0][0], top[0][1], top)


@pytest.mark.parametrize(
    ("tokens", "said", "mean"),
    [
        ([token("8", p=0.5, t9=0.3, t7=0.2)], 8, 8.1),
        ([token("_8", p=0.5, t8=0.1, _9=0.4)], 8, 8.4),
        ([token("9", p=0.6, t10=0.4)], 9, 9.4),
        ([token("10", p=0.5, t1=0.25, t9=0.25)], 10, 7.5),
        ([token("8", p=0.5, twell=0.4, t0=0.05, t11=0.05)], 8, 8),
    ],
    ids=["plain", "spaces", "a token for 10", "1 beside a token for 10", "what is no score"],
)
def test_the_mean_of_all_numbers_by_their_probability(tokens, said, mean):
    assert expected_number(tokens, said, 10) == pytest.approx(mean)


class TestDigitByDigit:
    """A tokenizer that writes 10 as 1 and 0."""

    def test_what_follows_tells_ten_from_one(self):
        ten = [token("1", p=0.6, t9=0.4), token("0", p=0.75, **{"t\n": 0.25})]
        assert expected_number(ten, 10, 10) == pytest.approx(0.4 * 9 + 0.6 * (0.75 * 10 + 0.25 * 1))
        one = [token("1", p=0.6, t9=0.4), token("\n", p=0.75, t0=0.25)]
        assert expected_number(one, 1, 10) == pytest.approx(0.4 * 9 + 0.6 * (0.25 * 10 + 0.75 * 1))

    def test_a_one_that_nothing_follows_may_be_either_and_is_left_out(self):
        assert expected_number([token("9", p=0.5, t1=0.4, t8=0.1)], 9, 10) == pytest.approx((4.5 + 0.8) / 0.6)


def test_tokens_that_write_something_else_tell_nothing():
    assert expected_number([token("x")], 8, 10) is None
    assert expected_number([token("1")], 10, 10) is None
    assert expected_word([], {"yes": 1.0}) is None


def test_words_are_told_by_how_they_begin_unless_both_begin_so():
    words = {"yes": 1.0, "pass": 1.0, "no": 0.0, "partly": 0.5}
    assert expected_word([token("_Yes", p=0.5, ty=0.1, _no=0.2, tp=0.2)], words) == pytest.approx(0.75)


def test_the_tokens_of_the_last_line_that_says_so_count_from_the_value_on():
    written = [token(text) for text in ("Score", ":", " 3", "\n", "Score", ":", " ", "8", "<end>")]
    assert [each.token for each in tokens_from(written, "Score: 8", 7)] == ["8", "<end>"]
    assert tokens_from(written, "Score: 9", 7) == ()
