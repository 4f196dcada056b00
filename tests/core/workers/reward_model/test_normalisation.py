"""Scores of different reward models on one scale."""

import math

import pytest

from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.workers.reward_model.normalisation import from_range, ranks, sigmoid, z_scores


def test_a_sigmoid_bounds_any_score() -> None:
    assert [sigmoid(score) for score in (-1e6, 0.0, math.log(3), 1e6)] == pytest.approx([0, 0.5, 0.75, 1])


def test_a_range_becomes_0_to_1() -> None:
    assert [from_range(score, -1, 3) for score in (-1, 0, 3)] == [0, 0.25, 1]


@pytest.mark.parametrize("score", [-1.5, math.nan])
def test_a_score_outside_its_range_is_refused(score: float) -> None:
    with pytest.raises(WorkerError, match="outside the range from 0 to 1"):
        from_range(score, 0, 1)


def test_a_range_without_extent_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="must be below its high end"):
        from_range(0, 1, 1)


def test_z_scores_are_distances_from_the_average_in_standard_deviations() -> None:
    assert z_scores([1, 3]) == [-1, 1]
    assert z_scores([0.1, 0.1, 0.1]) == [0, 0, 0]
    assert z_scores([]) == []


def test_ranks_go_from_0_to_1_and_equal_scores_share_theirs() -> None:
    assert ranks([5.0, 1.0, 5.0]) == [0.75, 0.0, 0.75]
    assert ranks([7.0]) == [0.5]
