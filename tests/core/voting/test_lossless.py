"""The lossless rule: the answer of the full vote, sooner."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolding_core.voting import Full, Lossless, Tally
from tests.core.voting.replay import replay, tally

samples = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.floats(0.1, 10)), min_size=1, max_size=24)


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


@given(samples)
def test_it_never_waits_longer_than_it_must(samples):
    """Had it not stopped where it did, it would have been too soon: one vote earlier the rest could differ."""
    choices = [choice for choice, _ in samples]
    counted = replay(Lossless(), choices, run_ahead=1).counted
    before = Tally(choices[: counted - 1])
    leader, runner_up = before.leader, before.runner_up
    assert leader <= runner_up + len(choices) - counted + 1
