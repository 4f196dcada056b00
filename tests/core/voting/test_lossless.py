"""The lossless rule: the answer of the full vote, sooner."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolding_core.voting import REFUSED, Ballot, Full, Lossless, Tally, winner
from tests.core.voting.replay import replay, tally

samples = st.lists(
    st.tuples(st.sampled_from([None, 0, 0, 0, 1, 1, 2, 3, REFUSED, REFUSED]), st.floats(0.1, 10)),
    min_size=1,
    max_size=24,
)


@pytest.mark.parametrize(
    ("counts", "left", "decided"),
    [
        ((9,), 7, True),
        ((8,), 8, False),  # the rest could tie, and a tie is broken by index
        ((5, 2), 2, True),
        ((5, 2), 3, False),
        ((1,), 0, True),
        ((), 3, False),
    ],
)
def test_it_stops_when_the_runner_up_cannot_reach_the_leader(counts, left, decided):
    assert Lossless().decided(tally(*counts), left) is decided


def test_an_answer_not_seen_yet_counts_as_a_runner_up():
    assert not Lossless().decided(tally(4), 4)
    assert Lossless().decided(tally(4), 3)


def test_a_failed_or_abstaining_sample_leaves_fewer_that_could_change_it():
    assert not Lossless().decided(Tally([0, 0]), 2)
    assert Lossless().decided(Tally([0, 0, None]), 1)


@pytest.mark.parametrize(("n", "votes"), [(1, 1), (2, 2), (5, 3), (8, 5), (16, 9), (40, 21)])
def test_a_unanimous_vote_takes_one_more_than_half(n, votes):
    assert Lossless().need(Tally(), n) == votes
    assert replay(Lossless(), [0] * n).counted == votes


@settings(max_examples=300)
@given(samples, st.floats(1, 4))
def test_the_answer_is_that_of_the_full_vote_whatever_arrives_first(samples, run_ahead):
    choices, durations = [list(column) for column in zip(*samples, strict=True)]
    early = replay(Lossless(), choices, durations, run_ahead)
    full = replay(Full(), choices, durations)
    assert early.winner == full.winner
    assert full.counted == len(choices)
    assert early.started <= len(choices)


def every_result(seen, left):
    """What may win: the rest may be anything, and come before or behind what was seen."""
    for rest in product([None, 0, 1, 2, 9, REFUSED], repeat=left):
        for first in (-left, len(seen)):
            yield winner({**dict(enumerate(seen)), **dict(enumerate(rest, start=first))})


@settings(max_examples=400)
@given(st.lists(st.sampled_from([None, 0, 0, 1, 2, REFUSED, REFUSED]), max_size=9), st.integers(0, 3))
def test_it_stops_exactly_when_nothing_that_may_come_changes_the_result(seen, left):
    assert Lossless().decided(Tally(seen), left) == (len(set(every_result(seen, left))) == 1)


@pytest.mark.parametrize(
    ("choices", "left", "decided"),
    [
        ([REFUSED], 1, True),  # of equals the refusals win
        ([REFUSED], 2, False),
        ([REFUSED] * 4, 4, True),
        ([REFUSED] * 4 + [0], 4, False),
        ([0, 0, 0, REFUSED], 1, True),
        ([0, 0, REFUSED], 1, False),  # a second one would make it half
        ([0, 0, 0, 1, 1, REFUSED, REFUSED, REFUSED], 1, False),
        ([0, 0, 0, 0, 1, 1, REFUSED, REFUSED, REFUSED, REFUSED], 1, True),
    ],
)
def test_refusals_are_settled_when_half_of_all_decline_or_can_no_longer(choices, left, decided):
    assert Lossless().decided(Tally(choices), left) is decided


@pytest.mark.parametrize("n", [1, 2, 15, 16])
def test_up_to_16_samples_start_all_at_once(n):
    ballot = Ballot(Lossless(), n)
    assert ballot.ahead == n
    ballot.see(0, 0)
    assert ballot.ahead == n - 1


def test_a_larger_vote_starts_half_as_many_again_as_could_settle_it():
    assert Ballot(Lossless(), 17).ahead == 14  # 9 could
    assert Ballot(Lossless(), 40).ahead == 32  # 21 could


def test_who_pays_by_the_sample_starts_no_more_than_could_settle_it():
    for n, need in ((2, 2), (16, 9), (40, 21)):
        assert Ballot(Lossless(), n, run_ahead=1).ahead == need
        assert replay(Lossless(), [0] * n, run_ahead=1).started == need
