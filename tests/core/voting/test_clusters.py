"""Clusters by likeness, and the entropy of shares, as arithmetic."""

import math

import pytest

from scaffolding_core.voting.clusters import entropy, medoid, near, unit


def towards(*degrees):
    return [[math.cos(math.radians(each)), math.sin(math.radians(each))] for each in degrees]


def test_a_vector_joins_the_nearest_first_of_a_cluster_if_it_is_near_enough():
    assert near(towards(0, 50, 20, 35, 90), math.cos(math.radians(25))) == [[0, 2], [1, 3], [4]]
    assert near(towards(0, 20, 40), math.cos(math.radians(25))) == [[0, 1], [2]]  # no chains


def test_the_threshold_itself_is_near_enough_and_a_lone_vector_is_a_cluster():
    assert near([[1.0, 0.0], [1.0, 0.0]], 1.0) == [[0, 1]]
    assert near([[1.0, 0.0]], 1.0) == [[0]]
    assert near([], 0.5) == []


def test_length_does_not_matter_and_what_has_no_direction_is_near_to_nothing():
    assert unit([3.0, 4.0]) == [0.6, 0.8]
    for none in ([0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]):
        assert unit(none) == [0.0, 0.0]
    assert near([[0.0, 0.0], [0.0, 0.0]], 0.5) == [[0], [1]]


def test_the_medoid_is_the_most_like_all_by_their_weights_the_earliest_of_equals():
    assert medoid(towards(0, 10, 20), [1, 1, 1]) == 1
    assert medoid(towards(0, 10, 20), [9, 1, 1]) == 0
    assert medoid(towards(10, 0), [1, 1]) == 0
    assert medoid(towards(5), [1]) == 0


@pytest.mark.parametrize(
    ("counts", "nats"),
    [([], 0), ([4], 0), ([1, 1], math.log(2)), ([1] * 8, math.log(8)), ([2, 0, 2], math.log(2))],
)
def test_the_entropy_is_zero_where_all_are_of_one_kind_and_log_n_where_all_differ(counts, nats):
    assert entropy(counts) == pytest.approx(nats)


def test_the_entropy_of_three_to_one():
    assert entropy([3, 1]) == pytest.approx(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
