"""One score out of the scores of many steps."""

import math

import pytest

from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.results.step_scores import aggregate_steps


@pytest.mark.parametrize(
    ("aggregate", "score"),
    [("minimum", 0.25), ("product", 0.0625), ("mean", 1.25 / 3), ("last", 0.5)],
)
def test_each_aggregate_makes_one_score_of_many(aggregate: str, score: float) -> None:
    assert aggregate_steps([0.5, 0.25, 0.5], aggregate) == pytest.approx(score)


def test_a_product_of_a_thousand_steps_is_still_a_chance_above_0() -> None:
    assert 0 < aggregate_steps([0.1] * 1000, "product") < aggregate_steps([0.1], "product")


def test_a_step_that_is_surely_wrong_leaves_a_finite_score_below_all_others() -> None:
    wrong = aggregate_steps([1.0, 0.0], "product")
    assert math.isfinite(wrong)
    assert wrong < aggregate_steps([1e-300, 1.0], "product")


@pytest.mark.parametrize("scores", [[], [0.5, math.nan], [math.inf]])
def test_scores_that_say_nothing_are_refused(scores: list[float]) -> None:
    with pytest.raises(WorkerError, match="the reward model scored"):
        aggregate_steps(scores, "minimum")


def test_what_is_no_chance_cannot_be_multiplied() -> None:
    with pytest.raises(WorkerError, match=r"scored a step -1\.5"):
        aggregate_steps([0.5, -1.5], "product")


def test_an_unknown_aggregate_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match="'median'; there are: minimum, product, mean, last"):
        aggregate_steps([0.5], "median")
