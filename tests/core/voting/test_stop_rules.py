"""Stop rules, as arithmetic."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import (
    Ballot,
    Beta,
    Dirichlet,
    Full,
    Lossless,
    StopRule,
    Tally,
    Window,
    resolve_stop_rule,
    winner,
)
from scaffolding_core.voting.beta import beta_confidence
from scaffolding_core.voting.dirichlet import dirichlet_confidence

choices = st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=24)


def samples_used(rule: StopRule, sequence: list) -> int:
    ballot = Ballot(rule, len(sequence))
    for index, choice in enumerate(sequence):
        ballot.see(index, choice)
        if ballot.decided():
            return index + 1
    return len(sequence)


@given(choices, st.randoms())
def test_lossless_always_gives_the_answer_of_the_full_vote_in_any_order_of_arrival(sequence, order):
    arrival = list(enumerate(sequence))
    order.shuffle(arrival)
    ballot = Ballot(Lossless(), len(sequence))
    for index, choice in arrival:
        ballot.see(index, choice)
        if ballot.decided():
            break
    assert ballot.winner() == winner(dict(enumerate(sequence)))


@given(choices)
def test_need_is_the_fewest_further_votes_for_the_leader_that_settle_it(sequence):
    for rule in (Lossless(), Beta(), Window(3)):
        seen, left = Tally(sequence), 20 - len(sequence) if len(sequence) < 20 else 3
        need = rule.need(seen, left)
        assert 0 <= need <= left
        assert (need == 0) == rule.decided(seen, left)
        if isinstance(rule, Window) or need == left:
            continue
        leader = winner(dict(enumerate(sequence))) or 0
        for further in range(1, need + 1):
            seen.add(leader)
            assert rule.decided(seen, left - further) == (further == need)


@pytest.mark.parametrize(
    ("sequence", "used"),
    [
        ([1] * 16, 9),
        ([1, 2] * 8, 16),
        ([1] * 8 + [2] * 8, 16),
        ([1] * 8 + [2] * 7 + [1], 16),
        ([None] * 10 + [1] * 6, 14),
    ],
)
def test_lossless_stops_when_the_leader_cannot_be_overtaken(sequence, used):
    assert samples_used(Lossless(), sequence) == used


def test_ties_go_to_the_lowest_sample_index_and_abstentions_never_win():
    assert winner({3: 1, 0: 2, 5: 2, 4: 1}) == 2
    assert winner({0: None, 1: None, 2: None, 3: 7, 4: 7}) == 7
    assert winner({0: None}) is None


@pytest.mark.parametrize(
    ("votes", "expected"), [((0, 0), 0.5), ((4, 0), 0.96875), ((3, 0), 0.9375), ((10, 3), 0.97131), ((3, 3), 0.5)]
)
def test_beta_confidence_is_the_binomial_tail(votes, expected):
    assert beta_confidence(*votes) == pytest.approx(expected, abs=1e-5)


def test_four_equal_answers_settle_a_vote_at_95_percent():
    assert samples_used(Beta(0.95), [1] * 40) == 4
    assert samples_used(Beta(0.99), [1] * 40) == 6


@pytest.mark.parametrize("counts", [(5, 3, 2), (4,), (7, 7), (12, 1, 1, 1)])
def test_dirichlet_confidence_agrees_with_drawing(counts):
    rng = random.Random(5)
    draws = 20_000
    hits = 0
    for _ in range(draws):
        gammas = [rng.gammavariate(count + 1, 1) for count in (*counts, 0)]
        hits += gammas[0] == max(gammas)
    assert dirichlet_confidence(counts) == pytest.approx(hits / draws, abs=0.015)


def test_dirichlet_is_stricter_than_beta_where_votes_scatter():
    scattered = Tally([1, 1, 1, 1, 1, 2, 3, 4, 5])
    assert not Dirichlet().decided(scattered, 10)
    assert dirichlet_confidence(scattered.counts()) < beta_confidence(*scattered.top_two())


def test_a_window_must_agree_whole_and_windows_follow_one_another():
    assert samples_used(Window(5), [1] * 40) == 5
    assert samples_used(Window(5), [2, 1, 1, 1, 1, 1, 1, 1, 1, 1] + [3] * 30) == 10
    assert samples_used(Window(5), [1, 1, 1, 1, None] + [1] * 35) == 10


def test_full_never_stops_early():
    assert samples_used(Full(), [1] * 12) == 12


def test_statistical_rules_read_only_the_prefix_whatever_arrives():
    ballot = Ballot(Beta(), 16)
    for index in (1, 2, 3, 4, 5):
        ballot.see(index, 9)
        assert not ballot.decided()
    ballot.see(0, 9)
    assert ballot.decided()


def test_one_slow_sample_starts_nothing_extra():
    ballot = Ballot(Beta(), 40)
    at_first = ballot.ahead()
    for index in range(1, at_first):
        ballot.see(index, 1)
    assert ballot.ahead() == 1  # the slow one, which runs already


def test_a_sure_model_needs_few_samples():
    rng = random.Random(11)
    questions = [[0 if rng.random() < 0.95 else rng.randint(1, 3) for _ in range(40)] for _ in range(400)]

    def share(rule):
        return sum(samples_used(rule, question) for question in questions) / (400 * 40)

    assert share(Beta(0.95)) < 1 / 6
    assert share(Window(5)) < 1 / 4
    assert 0.5 < share(Lossless()) < 0.65


@pytest.mark.parametrize("wrong", [lambda: Beta(0.4), lambda: Dirichlet(1), lambda: Beta("x"), lambda: Window(1)])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidRequestError):
        wrong()


def test_rules_have_names():
    assert isinstance(resolve_stop_rule("beta"), Beta)
    mine = Window(7)
    assert resolve_stop_rule(mine) is mine
    with pytest.raises(InvalidRequestError, match="lossless, beta, dirichlet, window, full"):
        resolve_stop_rule("fast")
