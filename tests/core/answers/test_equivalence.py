"""Which answers are the same."""

import importlib.util
import os
import threading
import time
from fractions import Fraction

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core import (
    Exact,
    InvalidRequestError,
    Mathematical,
    MissingExtraError,
    Normalised,
    Numeric,
    PerField,
    consensus_by_field,
)
from scaffolding_core.answers.bounded_process import BoundedProcess, shared_process
from scaffolding_core.answers.numeric import number_in


def same(equivalence, *answers):
    classes = equivalence.classes()
    return len({classes.assign(answer) for answer in answers}) == 1


@pytest.mark.parametrize(
    "answers",
    [
        ("1,000", "1000", "1000.0", "$1000", "1e3", " 1000. "),
        ("1/2", "0.5", r"\frac{1}{2}", r"\dfrac{1}{2}", ".5"),
        ("-3", "−3", "-3.0"),
        ("50%", "50 %", r"50\%"),
        ("Paris", " paris.", "**Paris**", r"\text{Paris}", '"Paris"'),
        (True, "true"),
    ],
)
def test_written_differently_the_same(answers):
    assert same(Normalised(), *answers)


@pytest.mark.parametrize("answers", [("50%", "0.5"), ("1", "2"), ("1,00", "100"), ("a b", "ab"), ("1/0", "0")])
def test_different(answers):
    assert not same(Normalised(), *answers)


def test_structures_by_value_whatever_the_order_of_keys():
    assert same(Normalised(), {"a": "1,000", "b": "X"}, {"b": "x", "a": 1000})
    assert same(Exact(), {"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not same(Exact(), "Paris", "paris")
    assert same(Numeric(), "1/2", "0.50")


def test_fields_by_equivalences_of_their_own():
    fields = PerField({"name": Normalised(), "code": Exact()})
    assert same(fields, {"name": "Paris", "code": "a"}, {"name": "paris", "code": "a", "note": "x"})
    assert not same(fields, {"name": "Paris", "code": "a"}, {"name": "paris", "code": "A"})
    assert not same(fields, {"name": "Paris"}, {"name": "Paris", "code": "a"})


def test_each_field_can_be_voted_on_by_itself():
    answers = [{"a": 1, "b": "x"}, {"a": "1.0", "b": "y"}, {"a": 2, "b": "Y"}, "no structure"]
    assert consensus_by_field(answers) == {"a": 1, "b": "y"}


@given(st.fractions(max_denominator=999).filter(lambda f: abs(f.numerator) < 10**9))
def test_numbers_keep_their_exact_value(fraction):
    assert number_in(str(fraction)) == fraction


@pytest.mark.parametrize("text", ["1e999999999", "9" * 10_000, "1" * 60 + "e999", "", ".", "1e", "--1", "1/2/3"])
def test_numbers_that_would_grow_out_of_hand_are_no_numbers_or_stay_small(text):
    number = number_in(text)
    assert number is None or (isinstance(number, Fraction) and number.numerator.bit_length() < 4_000)


@pytest.mark.parametrize(
    "answers", [("x+1", "1+x"), (r"\frac12", "0.5"), (r"\{1,2\}", r"\{2,1\}"), (r"2\sqrt{2}", r"\sqrt{8}")]
)
def test_mathematics(answers):
    assert same(Mathematical(), *answers)


def test_mathematics_is_transitive_and_tells_apart():
    classes = Mathematical().classes()
    assert [classes.assign(answer) for answer in ("x+1", "2", "1+x", "x+2", "2.0")] == [0, 1, 0, 2, 1]
    assert classes.costly


def test_mathematics_works_off_the_main_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(same(Mathematical(), "y+3", "3+y")))
    thread.start()
    thread.join()
    assert found == [True]


@pytest.mark.parametrize("hostile", ["9^{9^{9^{9^9}}}", "((2^{999999})!)!", r"\int" * 3000, "x" + "^x" * 400])
def test_mathematics_that_never_ends_is_unequal_in_bounded_time(hostile):
    started = time.monotonic()
    assert not same(Mathematical(timeout=1), hostile, "1")
    assert time.monotonic() - started < 30
    assert same(Mathematical(), "z+1", "1+z")


def test_nothing_a_model_wrote_is_evaluated_here(tmp_path):
    target = tmp_path / "touched"
    payload = f"__import__('os').system('touch {target}')"
    same(Mathematical(timeout=2), payload, f"{payload} + 1", "1")
    same(Normalised(), payload, "1")
    assert not target.exists()


def test_no_process_is_left_behind():
    process = BoundedProcess("scaffolding_core.answers.regex_process")
    assert process.ask({"pattern": "b", "flags": 0, "text": "abc"}, 10) == "b"
    children = psutil.Process().children()
    process.close()
    gone = [child for child in children if not child.is_running() or child.status() == psutil.STATUS_ZOMBIE]
    assert gone


def test_a_killed_process_is_replaced():
    process = BoundedProcess("scaffolding_core.answers.regex_process")
    assert process.ask({"pattern": "(a+)+$", "flags": 0, "text": "a" * 40 + "b"}, 0.3) is None
    assert process.killed == 1
    assert process.ask({"pattern": "b", "flags": 0, "text": "abc"}, 10) == "b"
    process.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where there is fork")
def test_a_forked_child_starts_a_process_of_its_own():
    process = shared_process("scaffolding_core.answers.regex_process")
    question = {"pattern": "b", "flags": 0, "text": "abc"}
    assert process.ask(question, 10) == "b"
    child = os.fork()
    if child == 0:
        answer = process.ask(question, 10)
        process.close()
        os._exit(0 if answer == "b" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert process.ask(question, 10) == "b"


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[math\]"):
        Mathematical()


def test_a_timeout_that_makes_no_sense_is_refused():
    with pytest.raises(InvalidRequestError):
        Mathematical(timeout=0)
