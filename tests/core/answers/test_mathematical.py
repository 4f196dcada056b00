"""Equality in mathematics, in a process that can be killed."""

import importlib.util
import threading

import pytest

from scaffolding_core import InvalidRequestError, Mathematical, MissingExtraError
from scaffolding_core.answers.bounded_process import shared_process


def classes_of(*answers, timeout=5.0):
    classes = Mathematical(timeout).classes()
    return [classes.assign(answer) for answer in answers]


def same(*answers, timeout=5.0):
    return len(set(classes_of(*answers, timeout=timeout))) == 1


@pytest.mark.parametrize(
    "answers",
    [
        ("x+1", "1+x", "$x + 1$"),
        (r"\frac12", "0.5", "1/2"),
        (r"\{1,2\}", r"\{2,1\}"),
        (r"2\sqrt{2}", r"\sqrt{8}"),
        (r"\sqrt{4}", "2", 2),
    ],
)
def test_equal_in_mathematics(answers):
    assert same(*answers)


def test_an_answer_joins_the_first_class_whose_first_member_it_equals():
    assert classes_of("x+1", "2", "1+x", "x+2", "2.0", "x + 1") == [0, 1, 0, 2, 1, 0]


def test_it_is_transitive_where_the_single_comparisons_are_not():
    near = ["0.3333333", "1/3", "0.33333333333", "x", r"\frac{1}{3}"]
    classes = Mathematical().classes()
    once = [classes.assign(answer) for answer in near]
    assert [classes.assign(answer) for answer in reversed(near)] == once[::-1]
    assert once[1] == once[4]


def test_requests_do_not_see_each_others_classes():
    mathematical = Mathematical()
    first, second = mathematical.classes(), mathematical.classes()
    assert [first.assign("x"), first.assign("y")] == [0, 1]
    assert [second.assign("y"), second.assign("x")] == [0, 1]


def test_numbers_and_repeated_text_never_reach_the_process():
    process = shared_process("scaffolding_core.answers.math_process")
    process.close()
    assert classes_of("7", "$7.0$", "8", "1,000", 1000, "1e3") == [0, 0, 1, 2, 2, 2]
    assert classes_of("x+1", "x+1", " $x+1$ ") == [0, 0, 0]
    assert process._process is None


def test_it_is_costly_so_that_a_method_runs_it_in_a_thread():
    assert Mathematical().classes().costly


def test_it_works_off_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(same("y+3", "3+y")))
    thread.start()
    thread.join()
    assert found == [True]


@pytest.mark.parametrize(
    "hostile", ["9^{9^{9^{9^9}}}", "((2^{999999})!)!", r"\int" * 300, "x" + "^x" * 400, "(" * 900, "x" * 100_000]
)
def test_what_never_ends_is_unequal_in_bounded_time(hostile):
    assert not same(hostile, "x+1", timeout=1)
    assert same("z+1", "1+z")


def test_one_hostile_sample_costs_its_own_time_once_and_not_the_vote():
    for early in (True, False):
        classes = Mathematical(timeout=4).classes()  # a sound comparison must never take as long
        texts = ["x+1", "1+x", "y+1", "1+y", "z", "1+z"]
        texts.insert(0 if early else 5, "(2^{999999})!")
        numbers = [classes.assign(text) for text in texts]
        assert len(set(numbers)) == 5
        assert classes.undecided == 1


def test_nothing_a_model_wrote_is_evaluated(tmp_path):
    target = tmp_path / "touched"
    payload = f"__import__('os').system('touch {target}')"
    answers = [payload, f"{payload} + 1", f"$ {payload} $", f"\\text{{{payload}}}", f"1) or {payload} or (1", "x"]
    same(*answers, timeout=2)
    assert not target.exists()


def test_what_is_no_text_is_the_same_to_the_letter():
    assert classes_of({"a": 1}, {"a": 1}, {"a": "1"}, ["x"], None) == [0, 0, 1, 2, 3]


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[math\]"):
        Mathematical()


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_that_makes_no_sense_is_refused(timeout):
    with pytest.raises(InvalidRequestError):
        Mathematical(timeout)
