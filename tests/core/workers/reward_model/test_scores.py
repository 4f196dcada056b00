"""Scores as a server told them."""

import math

import pytest

from scaffolding_core.errors import WorkerError
from scaffolding_core.workers.reward_model.scores import checked_score, checked_scores


def test_whole_numbers_are_scores() -> None:
    assert checked_scores([1, -2.5], 2) == [1.0, -2.5]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (math.nan, "told nan"),
        (-math.inf, "told -inf"),
        (10**400, "told inf"),
        (None, "told None"),
        ("0.9", "told '0.9'"),
        (True, "told True"),
    ],
)
def test_what_cannot_be_compared_is_named(told: object, named: str) -> None:
    with pytest.raises(WorkerError, match=named):
        checked_score(told)


@pytest.mark.parametrize(
    ("told", "named"), [([0.5], "told 1 scores, where it was asked for 2"), (None, "told None, where a list of 2")]
)
def test_scores_of_another_count_are_named(told: object, named: str) -> None:
    with pytest.raises(WorkerError, match=named):
        checked_scores(told, 2)
