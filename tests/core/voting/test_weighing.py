"""What answers weigh by the scores of their samples."""

import sys

import pytest

from scaffolding_core import InvalidRequestError
from scaffolding_core.voting import WEIGHINGS, Borda, resolve_weighing

SCORES = [[0.9, 0.1], [0.8], [0.2, 0.3, 0.3]]


@pytest.mark.parametrize(
    ("weighing", "weights"),
    [
        ("sum", [1.0, 0.8, 0.8]),
        ("mean", [0.5, 0.8, 0.8 / 3]),
        ("count", [2, 1, 3]),
        ("borda", [7 / 6, 5 / 6, (2 + 3.5 + 3.5) / 6]),  # places 6 and 1, 5, 2 and two that share 3 and 4
    ],
)
def test_each_weighs_as_it_says(weighing, weights):
    assert resolve_weighing(weighing)(SCORES) == pytest.approx(weights)


def test_bordas_exponent_goes_from_a_plain_vote_to_the_best_sample():
    assert Borda(0)(SCORES) == [2, 1, 3]
    best = Borda(500)(SCORES)
    assert best.index(max(best)) == 0
    assert Borda(1e308)([[1.0], [2.0]]) == [0, 1]


def test_bordas_count_does_not_see_the_scale():
    assert Borda()(SCORES) == Borda()([[1000 * score - 7 for score in each] for each in SCORES])


def test_rewards_at_the_end_of_numbers_have_a_sum():
    most = sys.float_info.max
    assert WEIGHINGS["sum"]([[most, most], [-most, -most]]) == [most, -most]
    assert WEIGHINGS["mean"]([[most, most]]) == [most]


def test_no_answer_weighs_nothing():
    assert [weighing([]) for weighing in WEIGHINGS.values()] == [[]] * len(WEIGHINGS)


@pytest.mark.parametrize("wrong", ["median", 3, None])
def test_an_unknown_weighing_is_refused(wrong):
    with pytest.raises(InvalidRequestError, match="there are: sum, mean, borda, count"):
        resolve_weighing(wrong)


@pytest.mark.parametrize("exponent", [-1, float("nan"), float("inf"), "1"])
def test_an_exponent_below_0_is_refused(exponent):
    with pytest.raises(InvalidRequestError):
        Borda(exponent)
