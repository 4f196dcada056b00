"""Counting votes and finding the winner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.voting import Tally, winner


def test_counts_are_listed_most_first_and_abstentions_are_not_among_them():
    seen = Tally([2, None, 1, 2, 2, 1, None, 0])
    assert seen.counts() == (3, 2, 1)
    assert (seen.leader, seen.runner_up) == (3, 2)


def test_abstentions_are_kept_in_their_place():
    assert Tally([1, None, 1]).choices == [1, None, 1]


@pytest.mark.parametrize(
    ("choices", "top_two"), [([], (0, 0)), ([None], (0, 0)), ([7], (1, 0)), ([7, 8], (1, 1)), ([7, 8, 8], (2, 1))]
)
def test_the_two_largest_counts_are_0_where_nobody_voted(choices, top_two):
    seen = Tally(choices)
    assert (seen.leader, seen.runner_up) == top_two


@given(st.lists(st.one_of(st.none(), st.integers(0, 4))))
def test_the_two_largest_counts_are_the_first_two_of_all(choices):
    seen = Tally(choices)
    assert (seen.leader, seen.runner_up) == (*seen.counts(), 0, 0)[:2]


def test_the_class_with_the_most_votes_wins():
    assert winner({0: 5, 1: 9, 2: 9}) == 9


def test_a_tie_goes_to_the_class_of_the_lowest_index_whoever_arrived_first():
    assert winner({3: 1, 2: 0, 1: 1, 0: 0}) == 0
    assert winner({0: None, 1: 8, 2: 3, 3: 3, 4: 8}) == 8


def test_nobody_wins_where_nobody_voted():
    assert winner({}) is None
    assert winner({0: None, 1: None}) is None


@given(st.lists(st.integers(0, 3), min_size=1), st.randoms(use_true_random=False))
def test_the_winner_does_not_depend_on_the_order_of_arrival(choices, random):
    arrived = list(enumerate(choices))
    random.shuffle(arrived)
    assert winner(dict(arrived)) == winner(dict(enumerate(choices)))
