"""The quorum: a share of all samples, or no further sample once it is out of reach."""

import pytest

from scaffolding_core import InvalidRequestError
from scaffolding_core.voting import REFUSED, Quorum, Tally
from tests.core.voting.replay import replay, tally


@pytest.mark.parametrize(
    ("share", "counts", "left", "need"),
    [
        (0.5, (), 5, 3),
        (0.5, (1,), 4, 2),
        (0.5, (3,), 2, 0),
        (0.5, (2, 2), 1, 1),
        (0.5, (1, 1, 1), 2, 2),
        (0.5, (1, 1, 1, 1), 1, 0),  # out of reach
        (0.7, (6,), 4, 1),
        (0.7, (7,), 3, 0),  # although 0.7 * 10 > 7
        (1, (4,), 1, 1),
        (1, (3, 1), 1, 0),  # out of reach
        (0.01, (1,), 9, 0),
    ],
)
def test_it_needs_the_votes_that_the_leader_lacks(share, counts, left, need):
    rule = Quorum(share)
    assert rule.need(tally(*counts), left) == need
    assert rule.decided(tally(*counts), left) is (need == 0)


def test_samples_without_a_vote_count_against_every_answer():
    assert not Quorum(0.5).decided(Tally([0, None]), 2)
    assert Quorum(0.5).decided(Tally([0, None, None, None]), 0)
    assert not Quorum(0.5).reached(1, 4)


def test_a_unanimous_vote_costs_the_share_and_no_more():
    assert replay(Quorum(0.5), [0] * 16).counted == 8
    assert replay(Quorum(0.75), [0] * 16).counted == 12


def test_a_hopeless_vote_ends_as_soon_as_it_is():
    assert replay(Quorum(0.9), [0, 1, 0, 0, 0, 0, 0, 0, 0, 0], run_ahead=1).counted == 10
    assert replay(Quorum(0.9), [0, 1, 2, 0, 0, 0, 0, 0, 0, 0], run_ahead=1).counted == 3


@pytest.mark.parametrize(
    ("share", "choices", "left", "need"),
    [
        (0.5, [REFUSED] * 4, 4, 0),
        (0.5, [0, 0, 0, REFUSED], 4, 1),
        (0.3, [REFUSED] * 3 + [0, 0, 1, 1], 3, 1),  # 3 of 10 decline, and would not win
        (0.3, [REFUSED] * 3 + [0, 0, 0, 1], 3, 0),
        (0.5, [REFUSED] * 4 + [0, 0, 0, 1, 1, 1], 4, 3),  # no answer can reach 7 of 14 sooner
        (0.9, [REFUSED, 0], 8, 8),
        (0.9, [REFUSED, 0, 0], 7, 7),
        (0.9, [REFUSED, REFUSED, 0, 0], 6, 0),  # out of reach
    ],
)
def test_refusals_reach_it_where_they_win(share, choices, left, need):
    assert Quorum(share).need(Tally(choices), left) == need


@pytest.mark.parametrize("share", [0, -1, 1.01, "half", float("nan"), None])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(InvalidRequestError, match="above 0 and at most 1"):
        Quorum(share)
