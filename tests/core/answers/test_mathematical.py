"""Equality in mathematics: after that of `Normalised`, in processes that can be killed."""

import importlib.util
import itertools
import pickle
import threading

import pytest

from scaffolding_core import InvalidRequestError, Mathematical, MissingExtraError
from scaffolding_core.answers import mathematical
from scaffolding_core.answers.process_pool import ProcessPool

KEPT = Mathematical()  # and with it the processes, from one test to the next


def classes_of(*answers):
    classes = Mathematical().classes()
    return [classes.assign(answer) for answer in answers]


def same(*answers):
    """Whether all are in one class, which must not depend on their order."""
    found = {len(set(classes_of(*order))) == 1 for order in (answers, answers[::-1])}
    assert len(found) == 1
    return found.pop()


@pytest.fixture
def asked(monkeypatch):
    """What the processes are asked."""
    questions = []

    class Watched(ProcessPool):
        def ask(self, question, timeout):
            questions.append(question)
            return super().ask(question, timeout)

    pool = Watched(mathematical.MODULE)
    monkeypatch.setattr(mathematical, "shared_pool", lambda module: pool)
    yield questions
    pool.close()


@pytest.mark.parametrize(
    "answers",
    [
        ("x+1", "1+x", "$x + 1$", r"\(x+1\)", r"\boxed{1+x}"),
        (r"\frac12", "0.5", "1/2"),
        (r"\{1,2\}", r"\{2,1\}"),
        (r"2\sqrt{2}", r"\sqrt{8}", r"$2\sqrt2$"),
        (r"\sqrt{4}", "2", 2, 2.0),
        ("1+2i", "i(2-i)"),
        (r"\sin(90^\circ-x)", r"\cos(x)"),
        ("x=5", "5", r"\sqrt{25}"),
    ],
)
def test_equal_in_mathematics(answers):
    assert same(*answers)


@pytest.mark.parametrize(
    "answers",
    [
        ("yes.", "Yes"),
        ("True", "true"),
        ("B) Paris", "B", "Option B"),
        (r"\text{Evelyn}", "Evelyn"),
        ("5 km", "5 kilometers", "5"),
        ("50%", r"50\%", "50 percent"),
    ],
)
def test_what_is_normally_the_same_is_the_same(answers):
    assert same(*answers)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("listen", "silent"),
        ("yajo", "yaoj"),
        ("he/she", "she/he"),
        ("03/05/2024", "06/10/2024"),
        ("2024-03-05", "2024-05-03"),
        ("10:20", "1:2"),
        ("10-7", "3"),
        ("5 km", "5 m"),
        ("$5", "€5"),
        ("50%", "50"),
        ("50%", "0.5"),
        (r"2\sqrt3\text{ km}", r"2\sqrt3\text{ m}"),
        (r"\sqrt{25}\text{ km}", "5 m"),
        (r"\$\sqrt{25}", "€5"),
        (r"\sqrt{25}\%", "5"),
        ("x+z=1", "1"),
        ("a^2+b=0", "0"),
        ("(3,1)", r"\{1,3\}"),
        ("(1,2)", "[1,2]"),
        (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
        (r"\frac{2^{2005}+1}{3\cdot 2^{2006}}", r"\frac{1}{3\cdot 2^{2006}}"),
        ("0.333", r"\frac13"),
    ],
)
def test_what_is_not_known_to_be_the_same_is_two_answers(first, other):
    assert not same(first, other)


def test_a_unit_counts_as_with_numbers():
    assert same(r"2\sqrt{3}\text{ cm}", r"\sqrt{12}\text{ centimeters}")
    assert same(r"2\sqrt{3}\text{ cm}", r"\sqrt{12}")
    assert same(r"\sqrt{25}\text{ km}", "5 km")


def test_two_unequal_answers_never_meet_over_a_third():
    assert classes_of("a+b", "x=b+a", "y=b+a", "x=a+b") == [0, 0, 1, 0]
    assert classes_of(r"\sqrt{12}", r"2\sqrt3\text{ cm}", r"2\sqrt3\text{ m}") == [0, 0, 1]
    assert classes_of(r"30^\circ", "30", r"\frac{\pi}{6}", r"\frac{60}{2}^\circ") == [0, 0, 1, 0]
    assert classes_of(r"\pm1", "-1 or 1", "1,-1", "-1,1") == [0, 0, 0, 1]


def test_an_answer_joins_the_first_class_that_it_is_equal_to():
    assert classes_of("x+1", "2", "1+x", "x+2", "2.0", "x + 1") == [0, 1, 0, 2, 1, 0]


def test_an_answer_stays_in_its_class():
    near = ["0.3333333", "1/3", "0.33333333333", "x", r"\frac{1}{3}"]
    classes = Mathematical().classes()
    once = [classes.assign(answer) for answer in near]
    assert [classes.assign(answer) for answer in reversed(near)] == once[::-1]
    assert once[1] == once[4]


def test_requests_do_not_see_each_others_classes():
    shared = Mathematical()
    first, second = shared.classes(), shared.classes()
    assert [first.assign("x"), first.assign("y")] == [0, 1]
    assert [second.assign("y"), second.assign("x")] == [0, 1]


def test_only_formulas_reach_a_process_and_each_text_once(asked):
    classes_of("7", "$7.0$", "8", "1,000", 1000, "1e3", "-1/2", "5 km", "50%", "x", "2x")
    classes_of(
        *("listen", "he/she", "A well-known (old) sentence, and/or more: 1+1.", "10:20", "2024-03-05", "3-2")
    )
    assert asked == []
    assert classes_of("x+1", "x+1", " $x+1$ ") == [0, 0, 0]
    assert asked == []
    assert classes_of("x+1", "7", "1+x", "word", "x+2") == [0, 1, 0, 2, 3]
    assert [question["formula"] for question in asked] == ["7", "1+x", "x+2"]


def test_a_vote_asks_once_for_each_answer_however_many_there_are(asked):
    roots = [rf"\sqrt{{{a}}}+\sqrt{{{b}}}" for a, b in itertools.combinations((2, 3, 5, 6, 7, 10, 11, 13), 2)]
    assert classes_of(*roots) == list(range(len(roots)))
    assert len(asked) == len(roots) - 1


def test_what_is_too_large_to_compute_is_undecided_at_once():
    towers = [rf"9^{{9^{{9^{{9^{{{i}}}}}}}}}" for i in range(2, 6)] + ["(2^{999999})!", r"\binom{10^{9}}{10^{8}}"]
    classes = Mathematical().classes()
    assert len({classes.assign(tower) for tower in towers}) == len(towers)
    assert classes.undecided == 0


def test_a_comparison_that_is_cut_counts_as_unequal_and_the_vote_goes_on(monkeypatch):
    class Silent(ProcessPool):
        def ask(self, question, timeout):
            return None if question["formula"] == "z+1" else super().ask(question, timeout)

    pool = Silent(mathematical.MODULE)
    monkeypatch.setattr(mathematical, "shared_pool", lambda module: pool)
    classes = Mathematical().classes()
    assert [classes.assign(answer) for answer in ("1+z", "z+1", "x+1", "1+x")] == [0, 1, 2, 2]
    assert classes.undecided == 1
    pool.close()


def test_it_is_costly_so_that_a_method_runs_it_in_a_thread():
    assert Mathematical().classes().costly


def test_it_works_off_the_main_thread_and_after_pickling():
    found = []
    again = pickle.loads(pickle.dumps(Mathematical(timeout=7)))
    assert again.timeout == 7

    def compare():
        classes = again.classes()
        found.append(classes.assign("y+3") == classes.assign("3+y"))

    thread = threading.Thread(target=compare)
    thread.start()
    thread.join()
    assert found == [True]


def test_nothing_a_model_wrote_is_evaluated(tmp_path):
    target = tmp_path / "touched"
    payload = f"__import__('os').system('touch {target}')"
    classes_of(
        payload, f"{payload} + 1", f"$ {payload} $", f"\\text{{{payload}}}", f"1) or {payload} or (1", "x+1"
    )
    assert not target.exists()


def test_what_is_no_text_is_compared_as_normally():
    assert classes_of({"a": 1}, {"a": 1.0}, {"a": 2}, ["x"], None) == [0, 0, 1, 2, 3]


def test_what_is_longer_than_a_formula_is_compared_as_normally(asked):
    long = "+".join(["x"] * 600)
    assert classes_of(long, long, "x+" + long, "x+1") == [0, 0, 1, 2]
    assert asked == []


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[math\]"):
        Mathematical()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "1", True])
def test_a_timeout_that_makes_no_sense_is_refused(timeout):
    with pytest.raises(InvalidRequestError):
        Mathematical(timeout)


def test_all_share_one_pool():
    first, second = Mathematical(), Mathematical()
    assert first._pool is second._pool
