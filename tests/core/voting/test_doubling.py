"""The rule that looks after twice as many samples each time."""

import pytest

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import REFUSED, Doubling, Tally
from tests.core.voting.replay import replay


@pytest.mark.parametrize(
    ("choices", "counted"),
    [
        ([0, 0, 1, 1, 1, 1, 1, 1], 2),
        ([0, 1, 0, 0, 1, 1, 1, 1], 4),
        ([0, 1, 1, 0, 0, 0, 0, 0, 2, 2], 8),  # six of eight
        ([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], 10),
        ([0, None, 0, 0, 1, 1, 1, 1], 4),
        ([None] * 6, 6),
        ([REFUSED, REFUSED, 0, 0, 0, 0], 2),
    ],
)
def test_it_stops_at_the_first_look_at_which_three_in_four_agree(choices, counted):
    assert replay(Doubling(first=2), choices).counted == counted


def test_it_is_undecided_between_looks():
    assert not Doubling(first=2).decided(Tally([0, 1, 0]), 5)
    assert Doubling(first=2).decided(Tally([0, 1, 0, 0]), 4)
    assert not Doubling(first=2).decided(Tally([0, 1, 0, 0, 0]), 3)


@pytest.mark.parametrize(
    ("choices", "left", "need"),
    [
        ([], 40, 2),
        ([0], 40, 1),
        ([0, 0], 40, 0),
        ([0, 1], 40, 2),
        ([0, 1, 2], 40, 5),  # of four none can have three
        ([0, 1, 1, 0], 40, 4),
        ([0, 0, 1, 0, 0], 40, 3),
        ([0, 1], 1, 1),
        ([0, 1], 0, 0),
    ],
)
def test_it_needs_the_samples_to_the_first_look_that_can_decide(choices, left, need):
    assert Doubling(first=2).need(Tally(choices), left) == need


def test_the_first_look_is_after_four_unless_it_is_said():
    assert replay(Doubling(), [0, 0, 0, 1, 1, 1]).counted == 4
    assert replay(Doubling(), [0, 0, 1, 1, 0, 0, 0, 0, 2]).counted == 8


def test_the_first_look_and_the_share_may_be_others():
    assert replay(Doubling(share=1, first=3), [0, 0, 0, 1]).counted == 3
    assert replay(Doubling(share=1, first=3), [0, 0, 1, 0, 0, 0, 0]).counted == 7


@pytest.mark.parametrize("wrong", [{"share": 0.5}, {"share": 1.1}, {"share": True}, {"first": 1}, {"first": 2.5}])
def test_a_number_out_of_range_is_refused(wrong):
    with pytest.raises(InvalidRequestError):
        Doubling(**wrong)
