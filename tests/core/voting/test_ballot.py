"""One vote: the order that a rule sees, how far samples run ahead, and what is paid."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import REFUSED, Ballot, Beta, Dirichlet, Full, Lossless, StopRule, Tally, Window
from tests.core.voting.replay import replay

statistical = pytest.mark.parametrize(
    "rule", [Beta(), Dirichlet(), Window()], ids=lambda rule: type(rule).__name__
)


def test_a_statistical_rule_waits_for_the_samples_before_a_fast_one():
    ballot = Ballot(Beta(), 40, run_ahead=2)
    for index in (1, 2, 3, 4, 5):
        ballot.see(index, 0)
    assert not ballot.decided
    assert ballot.votes() == {}
    ballot.see(0, 0)
    assert ballot.decided


def test_the_lossless_rule_counts_samples_as_they_come():
    ballot = Ballot(Lossless(), 4)
    for index in (3, 1, 2):
        ballot.see(index, 0)
    assert ballot.decided
    assert ballot.votes() == {3: 0, 1: 0, 2: 0}


def test_samples_after_the_decision_do_not_count_however_early_they_came():
    ballot = Ballot(Beta(), 12, run_ahead=2)
    for index, choice in [(4, 1), (5, 1), (6, 1), (7, 1), (3, 0), (2, 0), (1, 0), (0, 0)]:
        ballot.see(index, choice)
    assert ballot.decided
    assert ballot.votes() == {0: 0, 1: 0, 2: 0, 3: 0}
    assert ballot.winner() == 0


@statistical
@settings(max_examples=200)
@given(
    samples=st.lists(
        st.tuples(st.sampled_from([None, 0, 0, 0, 1, 1]), st.floats(0.1, 10)), min_size=1, max_size=30
    ),
    run_ahead=st.floats(1, 4),
)
def test_what_a_statistical_rule_decides_depends_on_no_clock(rule, samples, run_ahead):
    choices, durations = [list(column) for column in zip(*samples, strict=True)]
    one_by_one = Ballot(rule, len(choices))
    for index, choice in enumerate(choices):
        if not one_by_one.decided:
            one_by_one.see(index, choice)
    parallel = replay(rule, choices, durations, run_ahead)
    assert (parallel.counted, parallel.winner) == (len(one_by_one.votes()), one_by_one.winner())


def test_a_vote_is_not_called_decided_when_simply_all_samples_are_in():
    ballot = Ballot(Full(), 2)
    ballot.see(0, 0)
    ballot.see(1, 0)
    assert not ballot.decided
    assert ballot.ahead == 0


@pytest.mark.parametrize(
    ("rule", "run_ahead", "ahead"),
    [
        (Lossless(), None, 16),
        (Lossless(), 1.5, 14),
        (Lossless(), 1, 9),
        (Lossless(), math.inf, 16),
        (Beta(), math.inf, 16),
        (Beta(), None, 4),
        (Beta(), 1.5, 6),
        (Window(), None, 5),
        (Full(), None, 16),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, StopRule) else str(value),
)
def test_as_many_samples_run_as_could_settle_it_times_the_factor(rule, run_ahead, ahead):
    assert Ballot(rule, 16, run_ahead).ahead == ahead


def test_all_at_once_no_more_start_than_there_are():
    for rule in (Beta(), Lossless()):
        ballot = Ballot(rule, 8, run_ahead=math.inf)
        for index in (5, 1, 0):
            ballot.see(index, index)
        assert ballot.ahead == 5


def test_a_slow_first_sample_starts_nothing_extra():
    ballot = Ballot(Beta(), 40)
    assert ballot.ahead == 4
    for index in (1, 2, 3):
        ballot.see(index, 0)
    assert ballot.ahead == 1  # only the slow one itself
    ballot.see(0, 1)
    assert ballot.ahead == 3  # 3 to 1 needs three more


def test_a_failed_sample_holds_up_nobody_behind_it():
    ballot = Ballot(Beta(), 40)
    for index, choice in enumerate([None, 0, 0, 0, 0]):
        ballot.see(index, choice)
    assert ballot.decided
    assert ballot.votes() == {0: None, 1: 0, 2: 0, 3: 0, 4: 0}


def test_when_time_is_up_all_that_is_there_votes():
    ballot = Ballot(Beta(), 40)
    ballot.see(2, 5)
    ballot.see(3, 5)
    assert ballot.winner() is None
    ballot.count_all()
    assert ballot.winner() == 5
    assert ballot.votes() == {2: 5, 3: 5}


def test_a_refusal_counts_in_its_place():
    ballot = Ballot(Beta(), 40)
    ballot.refuse(1)
    assert ballot.votes() == {}
    ballot.see(0, 0)
    assert ballot.votes() == {0: 0, 1: REFUSED}
    assert ballot.winner() == REFUSED


def test_four_refusals_in_a_row_settle_a_vote_and_one_answer_among_them_does_not():
    assert replay(Beta(), [REFUSED] * 40).counted == 4
    assert replay(Beta(), [REFUSED, REFUSED, 0, REFUSED, REFUSED, REFUSED, REFUSED]).counted == 7


def test_fast_wrong_samples_do_not_sway_a_statistical_rule():
    """Right answers three of five, wrong ones twice as fast: read as they arrive, wrong ones would win."""
    random, right, arrival = Random(3), 0, 0

    class InArrivalOrder(Beta):
        in_order = False

    for _ in range(200):
        choices = [0 if random.random() < 0.6 else 1 for _ in range(40)]
        durations = [2 * random.uniform(0.8, 1.2) if c == 0 else random.uniform(0.8, 1.2) for c in choices]
        right += replay(Beta(), choices, durations, run_ahead=3).winner == 0
        arrival += replay(InArrivalOrder(), choices, durations, run_ahead=3).winner == 0
    assert right > arrival + 20


def test_the_samples_that_each_rule_pays_for_where_the_model_is_mostly_sure():
    """Shares of 40, at 0.95 for the top answer: started, since a sample that is cut is paid too."""
    random = Random(11)
    votes = [[0 if random.random() < 0.95 else random.randint(1, 5) for _ in range(40)] for _ in range(200)]

    def share(rule, run_ahead=None):
        return sum(replay(rule, choices, run_ahead=run_ahead).started for choices in votes) / (40 * len(votes))

    assert share(Beta()) == pytest.approx(0.12, abs=0.02)
    assert share(Beta()) <= 1 / 6
    assert share(Dirichlet()) == pytest.approx(0.12, abs=0.03)
    assert share(Window(5)) == pytest.approx(0.17, abs=0.04)
    assert share(Lossless(), run_ahead=1) == pytest.approx(0.57, abs=0.03)
    assert share(Full()) == 1


class Never(StopRule):
    """A rule of a user's own that needs all."""

    def decided(self, seen: Tally, left: int) -> bool:
        return False

    def need(self, seen: Tally, left: int) -> int:
        return left


def test_a_rule_of_your_own_reads_in_index_order_unless_it_says_otherwise():
    outcome = replay(Never(), [1, 0, 0], [3.0, 2.0, 1.0])
    assert (outcome.started, outcome.counted, outcome.winner) == (3, 3, 0)


@pytest.mark.parametrize("n", [0, -1])
def test_a_vote_of_no_samples_is_refused(n):
    with pytest.raises(InvalidRequestError, match="at least 1 sample"):
        Ballot(Full(), n)


@pytest.mark.parametrize("run_ahead", [0, 0.5, -1, float("nan")])
def test_a_factor_that_would_start_too_few_to_go_on_is_refused(run_ahead):
    with pytest.raises(InvalidRequestError, match="run_ahead"):
        Ballot(Full(), 4, run_ahead)
