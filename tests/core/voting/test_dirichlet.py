"""The Dirichlet rule of Adaptive-Consistency."""

import math
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import REFUSED, Beta, Dirichlet, Tally
from scaffolding_core.voting.beta import beta_confidence
from scaffolding_core.voting.dirichlet import dirichlet_confidence
from tests.core.voting.replay import replay, tally


@given(st.integers(0, 60))
def test_with_one_answer_it_is_the_beta_rule_against_an_answer_not_seen_yet(votes):
    assert dirichlet_confidence((votes,)) == pytest.approx(beta_confidence(votes, 0), abs=1e-7)


@given(st.integers(1, 30), st.integers(1, 30))
def test_with_two_answers_it_is_the_exact_sum(one, other):
    leader, runner_up = max(one, other), min(one, other)
    # Of three gamma draws: 1 - P(second is larger) - P(third is larger) + P(both are larger).
    both = sum(Fraction(math.comb(leader + k, k), 3 ** (leader + k + 1)) for k in range(runner_up + 1))
    expected = beta_confidence(leader, runner_up) - 1 + beta_confidence(leader, 0) + float(both)
    assert dirichlet_confidence((leader, runner_up)) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("counts", [(3, 2, 2), (8, 4, 1, 1), (2, 1, 1, 1, 1, 1, 1, 1), (20, 15, 3)])
def test_it_agrees_with_draws_from_the_distribution(counts):
    random, draws, leads = Random(7), 10_000, 0
    for _ in range(draws):
        leader, *others = (random.gammavariate(count + 1, 1) for count in (*counts, 0))
        leads += leader > max(others)
    assert dirichlet_confidence(counts) == pytest.approx(leads / draws, abs=0.02)


def test_nobody_is_ahead_where_nobody_voted():
    assert dirichlet_confidence(()) == 0
    assert not Dirichlet().decided(Tally(), 10)


def test_many_votes_do_not_drown_in_rounding():
    """A gamma draw of 800 is nearly normal: so is the difference of two, and the exact rule is at hand."""
    assert dirichlet_confidence((800, 790)) == pytest.approx(beta_confidence(800, 790), abs=1e-6)
    assert dirichlet_confidence((3000, 10)) == pytest.approx(1, abs=1e-6)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_it_is_stricter_than_beta_and_more_so_the_more_votes_scatter(counts):
    counts = tuple(sorted(counts, reverse=True))
    leader, runner_up = (*counts, 0)[:2]
    confidence = dirichlet_confidence(counts)
    assert confidence <= beta_confidence(leader, runner_up) + 1e-7
    assert dirichlet_confidence((*counts, 1)) < confidence + 1e-9


def test_scattered_votes_keep_it_from_stopping_where_beta_does():
    seen = tally(6, 1, 1, 1, 1, 1, 1)
    assert Beta().decided(seen, 20)
    assert not Dirichlet().decided(seen, 20)


def test_whether_to_answer_is_a_contest_of_two_however_the_answers_scatter():
    assert Dirichlet().decided(Tally([REFUSED] * 4), 20)
    assert not Dirichlet().decided(Tally([*range(5), *[REFUSED] * 6]), 20)
    assert Dirichlet().decided(Tally([*range(2), *[REFUSED] * 9]), 20)
    assert not Dirichlet().decided(Tally([0] * 7 + [REFUSED] * 5), 20)
    assert Dirichlet().decided(Tally([0] * 7 + [REFUSED]), 20)


def test_four_equal_answers_in_a_row_settle_a_vote():
    assert Dirichlet().need(Tally(), 40) == 4
    assert replay(Dirichlet(), [0] * 40).counted == 4


@pytest.mark.parametrize("confidence", [0.5, 1, math.nan, "high"])
def test_a_confidence_outside_a_half_and_1_is_refused(confidence):
    with pytest.raises(InvalidRequestError, match=r"between 0\.5 and 1"):
        Dirichlet(confidence)
