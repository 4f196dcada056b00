"""The Beta rule of Adaptive-Consistency."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import REFUSED, Beta, Tally
from scaffolding_core.voting.beta import beta_confidence
from tests.core.voting.replay import replay, tally


@pytest.mark.parametrize(
    ("leader", "runner_up", "confidence"),
    [
        (0, 0, Fraction(1, 2)),
        (1, 0, Fraction(3, 4)),
        (3, 0, Fraction(15, 16)),
        (4, 0, Fraction(31, 32)),
        (2, 1, Fraction(11, 16)),
        (5, 1, Fraction(120, 128)),
        (6, 1, Fraction(247, 256)),
        (7, 7, Fraction(1, 2)),
    ],
)
def test_known_confidences(leader, runner_up, confidence):
    assert beta_confidence(leader, runner_up) == float(confidence)


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_confidence_is_the_binomial_tail_of_the_regularised_incomplete_beta(leader, runner_up):
    a, b = leader + 1, runner_up + 1
    tail = Fraction(sum(math.comb(a + b - 1, k) for k in range(a, a + b)), 2 ** (a + b - 1))
    assert beta_confidence(leader, runner_up) == pytest.approx(float(1 - tail), abs=1e-15)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_two_answers_share_the_whole_chance(one, other):
    assert beta_confidence(one, other) + beta_confidence(other, one) == pytest.approx(1)


@pytest.mark.parametrize(("confidence", "votes"), [(0.6, 1), (0.8, 2), (0.9, 3), (0.95, 4), (0.97, 5), (0.99, 6)])
def test_how_many_equal_answers_in_a_row_settle_a_vote(confidence, votes):
    assert Beta(confidence).need(Tally(), 40) == votes
    assert replay(Beta(confidence), [0] * 40).counted == votes


def test_only_the_two_largest_counts_matter():
    assert Beta().decided(tally(6, 1), 33)
    assert Beta().decided(tally(6, 1, 1, 1, 1, 1), 29)
    assert not Beta().decided(tally(5, 1), 34)


def test_refusals_are_weighed_against_all_answers_together():
    scattered = [*range(7), *[REFUSED] * 6]
    assert not Beta().decided(Tally(scattered), 20)  # 6 to 7
    assert not Beta().decided(Tally([0, 1, *[REFUSED] * 6]), 20)
    assert Beta().decided(Tally([0, *[REFUSED] * 6]), 20)


def test_an_answer_must_be_ahead_of_the_others_and_answers_ahead_of_refusals():
    assert not Beta().decided(Tally([0] * 6 + [REFUSED] * 2), 20)
    assert Beta().decided(Tally([0] * 6 + [REFUSED]), 20)
    assert Beta().decided(Tally([0] * 9 + [1, 2] + [REFUSED] * 3), 20)
    assert not Beta().decided(Tally([0] * 4 + [1] * 4 + [REFUSED]), 20)


def test_a_tie_never_stops_it():
    assert not Beta(0.501).decided(tally(30, 30), 1)


def test_a_vote_of_thousands_still_comes_to_an_end():
    assert Beta().need(tally(2000, 2000), 1000) == 106


@pytest.mark.parametrize("confidence", [0.5, 1, 0, -1, 95, math.nan, "0.95", None, True])
def test_a_confidence_outside_a_half_and_1_is_refused(confidence):
    with pytest.raises(InvalidRequestError, match=r"between 0\.5 and 1"):
        Beta(confidence)
