"""The threshold from which on answers are right often enough, as arithmetic."""

import random

import pytest

from scaffolding_core import InvalidRequestError, threshold_for

PAIRS = [(0.9, True), (0.8, True), (0.8, True), (0.6, False), (0.5, True), (0.4, False), (0.3, False)]


@pytest.mark.parametrize(
    ("accuracy", "threshold"), [(1.0, 0.8), (0.8, 0.5), (0.75, 0.5), (0.66, 0.4), (0.57, 0.3), (0.1, 0.3)]
)
def test_it_is_the_lowest_whose_kept_answers_reach_the_accuracy(accuracy, threshold):
    assert threshold_for(PAIRS, accuracy) == threshold


def test_answers_of_one_confidence_are_kept_together_whatever_their_order():
    pairs = [(0.5, True), (0.5, False), (0.5, True), (0.5, True)]
    assert threshold_for(pairs, 0.75) == threshold_for(pairs[::-1], 0.75) == 0.5
    assert threshold_for(pairs, 0.8) is None


def test_without_pairs_or_where_nothing_is_enough_there_is_none():
    assert threshold_for([]) is None
    assert threshold_for([(0.9, False)]) is None


def test_to_be_sure_takes_more_than_a_few_pairs():
    assert threshold_for([(1.0, True)] * 10, 0.95) == 1.0
    assert threshold_for([(1.0, True)] * 10, 0.95, sure=0.95) is None
    assert threshold_for([(1.0, True)] * 60, 0.95, sure=0.95) == 1.0
    assert threshold_for([(1.0, True)] * 51, 0.95, sure=0.95) is None  # 51 / (51 + 1.645 ** 2) < 0.95
    assert threshold_for([(1.0, True)] * 52, 0.95, sure=0.95) == 1.0


def test_sure_by_a_half_is_the_share_as_it_is():
    for accuracy in (0.57, 0.75, 0.8):
        assert threshold_for(PAIRS, accuracy, sure=0.5) == threshold_for(PAIRS, accuracy)


def test_where_confidence_is_the_chance_to_be_right_it_finds_the_accuracy():
    drawn = random.Random(0)
    pairs = [(chance, drawn.random() < chance) for chance in (drawn.random() for _ in range(20_000))]
    threshold = threshold_for(pairs, 0.9)
    assert threshold == pytest.approx(0.8, abs=0.03)  # of those above t, (1 + t) / 2 are right
    kept = [right for confidence, right in pairs if confidence >= threshold]
    assert sum(kept) / len(kept) >= 0.9


@pytest.mark.parametrize(
    ("pairs", "options"),
    [
        ([(float("nan"), True)], {}),
        (PAIRS, {"accuracy": 0}),
        (PAIRS, {"accuracy": 1.1}),
        (PAIRS, {"sure": 1}),
        (PAIRS, {"sure": 0}),
    ],
)
def test_what_is_no_number_or_out_of_range_is_refused(pairs, options):
    with pytest.raises(InvalidRequestError):
        threshold_for(pairs, **options)
