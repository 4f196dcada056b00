"""The window rule of early-stopping self-consistency."""

import pytest

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import REFUSED, Tally, Window
from tests.core.voting.replay import replay


@pytest.mark.parametrize(
    ("choices", "counted"),
    [
        ([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 5),
        ([0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2], 12),  # five in a row, but over two windows
        ([0, 1, 0, 1, 0, 3, 3, 3, 3, 3, 0, 0], 10),
        ([0, 0, None, 0, 0, 0, 0, 0, 0, 0, 1, 1], 10),
        ([None] * 12, 12),
        ([0, 0, 0, 0, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, 0, 0], 10),
    ],
)
def test_it_stops_after_the_first_window_that_agrees_and_in_which_nobody_abstains(choices, counted):
    assert replay(Window(5), choices).counted == counted


def test_it_is_undecided_within_a_window():
    assert not Window(3).decided(Tally([0, 0]), 5)
    assert Window(3).decided(Tally([0, 0, 0]), 4)
    assert not Window(3).decided(Tally([0, 0, 0, 0]), 3)


@pytest.mark.parametrize(
    ("choices", "left", "need"),
    [
        ([], 40, 5),
        ([0, 0], 40, 3),
        ([0, 1], 40, 8),  # this window cannot agree any more: its rest, and the next one
        ([None], 40, 9),
        ([0, 1, 1, 1, 1], 40, 5),
        ([0, 0, 0, 0, 0], 40, 0),
        ([0, 0, 0], 1, 1),
    ],
)
def test_it_needs_the_rest_of_the_first_window_that_can_agree(choices, left, need):
    assert Window(5).need(Tally(choices), left) == need


def test_the_vote_is_over_all_that_was_read():
    assert replay(Window(2), [0, 1, 0, 2, 1, 1, 0, 0]).winner == 1
    assert replay(Window(3), [0, 0, 1, 0, 0, 1, 2, 2, 2, 1, 1]).winner == 0


@pytest.mark.parametrize("size", [1, 0, -5, 2.5, "5", None, True])
def test_a_window_of_fewer_than_2_is_refused(size):
    with pytest.raises(InvalidRequestError, match="at least 2"):
        Window(size)
