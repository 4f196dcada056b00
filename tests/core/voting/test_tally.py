"""Counting votes and finding the winner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.voting import REFUSED, Tally, winner


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


choices_and_refusals = st.lists(st.sampled_from([None, 0, 0, 1, 2, REFUSED, REFUSED]), max_size=12)


def test_refusals_are_counted_beside_the_answers():
    seen = Tally([REFUSED, 4, REFUSED, None, 4, 5, REFUSED])
    assert (seen.refusals, seen.answers) == (3, 3)
    assert (seen.leader, seen.runner_up, seen.counts()) == (2, 1, (2, 1))


@pytest.mark.parametrize(
    ("choices", "best"),
    [
        ([REFUSED], REFUSED),
        ([0, REFUSED], REFUSED),  # of equals the refusals win
        ([0, 0, 1, REFUSED, REFUSED], 0),
        ([0, 0, 1, REFUSED, REFUSED, REFUSED], REFUSED),  # although no answer has more votes than another class
        ([0, 1, 2, 3, REFUSED, REFUSED, REFUSED], 0),  # although no answer has as many votes
        ([0, *[REFUSED] * 7], REFUSED),
        ([None, None, REFUSED], REFUSED),
        ([0, None, None, REFUSED, 0], 0),
    ],
)
def test_a_refusal_wins_where_at_least_half_of_those_that_vote_decline(choices, best):
    assert winner(dict(enumerate(choices))) == best


@given(choices_and_refusals)
def test_fewer_refusals_take_no_part(choices):
    declining = choices.count(REFUSED)
    answering = len(choices) - choices.count(None) - declining
    answers = winner({index: choice for index, choice in enumerate(choices) if choice != REFUSED})
    assert winner(dict(enumerate(choices))) == (REFUSED if declining and declining >= answering else answers)


@given(choices_and_refusals)
def test_a_tally_knows_who_wins_as_it_stands(choices):
    assert Tally(choices).refusing == (winner(dict(enumerate(choices))) == REFUSED)


@pytest.mark.parametrize(
    ("choices", "contests"),
    [
        ([], [(0, 0)]),
        ([0, 0, 1], [(2, 1)]),
        ([0, 1, 2, REFUSED, REFUSED], [(1, 1), (3, 2)]),  # which answer, and whether to answer
        ([0, 1, REFUSED, REFUSED], [(2, 2)]),  # which answer does not matter
        ([REFUSED], [(1, 0)]),
    ],
)
def test_what_is_to_be_settled_is_whether_to_answer_and_which_answer(choices, contests):
    assert Tally(choices).contests() == contests
