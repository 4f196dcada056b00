"""How sure a model was of its words, as arithmetic."""

import math
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core import TokenLogprob
from scaffolding_core.confidence import (
    GroupConfidence,
    bottom_confidence,
    kept_threshold,
    lowest_confidence,
    mean_confidence,
    mean_logprob,
    self_certainty,
    tail_confidence,
    token_confidence,
)


def token(*likeliest):
    """A token that was drawn as the first of the likeliest."""
    top = tuple((str(place), math.log(p) if p else -math.inf) for place, p in enumerate(likeliest))
    return TokenLogprob("0", top[0][1], top)


def of_confidence(value):
    return TokenLogprob("x", -1.0, (("x", -value),))


def test_a_token_is_as_sure_as_the_others_are_unlikely():
    assert token_confidence(token(0.5, 0.5)) == pytest.approx(math.log(2))
    assert token_confidence(token(0.9, 0.1)) > token_confidence(token(0.5, 0.5))
    assert token_confidence(TokenLogprob("x", -0.25)) == 0.25  # where no others are told


def test_self_certainty_is_the_distance_from_even_odds():
    assert self_certainty([token(*[0.25] * 4)] * 3) == pytest.approx(0)
    sure = self_certainty([token(0.7, 0.1, 0.1, 0.1)])
    assert sure == pytest.approx(-(math.log(4 * 0.7) + 3 * math.log(4 * 0.1)) / 4)
    assert self_certainty([token(0.97, 0.01, 0.01, 0.01)]) > sure > 0
    assert self_certainty([]) == 0


def test_likelihood_is_the_mean_over_tokens():
    assert mean_logprob([TokenLogprob("a", -1.0), TokenLogprob("b", -3.0)]) == -2
    assert mean_logprob([]) == 0


@pytest.mark.parametrize("impossible", [-math.inf, math.nan])
def test_what_cannot_be_is_a_finite_number(impossible):
    wrong = TokenLogprob("x", impossible, (("x", impossible), ("y", -0.1)))
    for measure in (mean_logprob, self_certainty, mean_confidence):
        assert math.isfinite(measure([wrong]))


@given(st.lists(st.floats(0, 20), min_size=1, max_size=60), st.integers(1, 20))
def test_groups_slide_over_the_tokens(values, size):
    tokens = [of_confidence(value) for value in values]
    windows = [values[end - size : end] for end in range(size, len(values) + 1)] or [values]
    groups = sorted(map(mean, windows))
    assert lowest_confidence(tokens, size) == pytest.approx(groups[0], abs=1e-6)
    assert tail_confidence(tokens, size) == pytest.approx(mean(values[-size:]), abs=1e-6)
    bottom = groups[: max(1, len(groups) // 10)]
    assert bottom_confidence(tokens, size) == pytest.approx(mean(bottom), abs=1e-6)


def test_a_group_is_told_with_the_token_that_ends_it():
    group = GroupConfidence(2)
    assert [group.add(of_confidence(value)) for value in (1, 3, 7, 1)] == [None, 2, 5, 4]
    assert group.lowest == 2


def test_a_share_is_kept_by_the_percentile_above_the_others():
    warm_up = [1, 2, 3, 4, 5]
    assert [kept_threshold(warm_up, keep) for keep in (1, 0.5, 0.25, 0)] == [1, 3, 4, 5]
    assert kept_threshold([3, 1], 0.75) == 1.5
    assert kept_threshold([7], 0.1) == 7
