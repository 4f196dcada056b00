r"""Whole numbers in `\boxed{}`, and the votes over them."""

import pytest

from scaffolding_core.tensorrt_llm.math_utils import (
    extract_answer_from_boxed,
    extract_answer_with_regex,
    get_digit_majority_vote_result,
    get_majority_result,
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so it is \boxed{42}", "42"),
        (r"\boxed{-50}", "-50"),
        (r"\boxed{2^{10}}", "2^{10}"),
        (r"\boxed{1}, no, \boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ("none", None),
        ("", None),
        (None, None),
    ],
)
def test_the_last_box_of_a_text(text, answer):
    assert extract_answer_from_boxed(text) == answer


def test_the_first_match_of_a_pattern():
    assert extract_answer_with_regex("The final answer is 7") == "7"
    assert extract_answer_with_regex("it is 7, or it is 8", r"it is (\d)") == "7"
    assert extract_answer_with_regex("none") is None


@pytest.mark.parametrize(
    ("boxed", "result"),
    [
        (["42", "42", "99"], (0, "42")),
        (["1", "0", "0"], (1, "0")),
        (["7", "-7", "-7"], (1, "-7")),
        (["abc", "abc", "-50"], (2, "-50")),
        (["3", "4"], (0, "3")),
        (["abc", "-3.14", "½", "²"], (0, None)),
    ],
)
def test_a_vote_counts_whole_numbers_alone(boxed, result):
    assert get_digit_majority_vote_result([rf"so \boxed{{{each}}}" for each in boxed]) == result


def test_a_vote_without_any_box_leaves_the_first_text():
    assert get_digit_majority_vote_result(["a", None]) == (0, None)


def test_a_majority_of_any_results():
    assert get_majority_result(["x", "y", "y"]) == (1, "y")
    assert get_majority_result(["a1", "b1", "a2"], result_extractor=lambda text: text[0]) == (0, "a")
    assert get_majority_result([1, 2, 2], result_validator=lambda answer: answer < 2) == (0, 1)
    assert get_majority_result([None, None]) == (None, None)
    assert get_majority_result([]) == (None, None)
