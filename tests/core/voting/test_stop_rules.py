"""What holds for every stop rule, and rules by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import (
    REFUSED,
    STOP_RULES,
    Beta,
    Dirichlet,
    Doubling,
    Full,
    Lossless,
    StopRule,
    Tally,
    Window,
    resolve_stop_rule,
    winner,
)
from scaffolding_core.voting.beta import beta_confidence
from tests.core.voting.replay import replay

RULES = [Lossless(), Beta(), Dirichlet(), Window(), Doubling(), Full()]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
choices = st.lists(st.sampled_from([None, 0, 0, 1, 2, 3, REFUSED, REFUSED]), max_size=20)


@every_rule
@given(seen=choices, left=st.integers(0, 30))
def test_need_lies_between_0_and_what_is_left_and_is_0_exactly_when_decided(rule, seen, left):
    seen = Tally(seen)
    need = rule.need(seen, left)
    assert 0 <= need <= left
    assert (need == 0) == rule.decided(seen, left)


@pytest.mark.parametrize("rule", [Lossless(), Beta(), Dirichlet()], ids=lambda rule: type(rule).__name__)
@given(seen=choices, left=st.integers(1, 30))
def test_need_votes_for_the_leader_settle_it_and_one_fewer_does_not(rule, seen, left):
    leader = winner(dict(enumerate(seen))) or 0
    need = rule.need(Tally(seen), left)
    for further in range(need + 1):
        settled = rule.decided(Tally([*seen, *[leader] * further]), left - further)
        assert settled == (further == need)


@every_rule
def test_refusals_alone_settle_a_vote_as_equal_answers_do(rule):
    assert replay(rule, [REFUSED] * 40).winner == REFUSED
    assert replay(rule, [REFUSED] * 40).counted <= replay(rule, [0] * 40).counted


@pytest.mark.parametrize("rule", [Beta(), Dirichlet()], ids=lambda rule: type(rule).__name__)
@given(seen=choices, left=st.integers(1, 30))
def test_a_bet_is_taken_only_on_what_would_win(rule, seen, left):
    """As it stands: many refusals beside scattered answers are ahead of each, and yet less than half."""
    if rule.decided(Tally(seen), left):
        answers = [choice for choice in seen if choice is not None and choice != REFUSED]
        declining = seen.count(REFUSED)
        ahead, behind = max(declining, len(answers)), min(declining, len(answers))
        assert beta_confidence(ahead, behind) >= 0.95


@every_rule
def test_nothing_is_left_to_decide_once_all_samples_are_in(rule):
    assert rule.decided(Tally([0, 1]), 0)
    assert rule.need(Tally([0, 1]), 0) == 0


@every_rule
def test_abstentions_alone_decide_nothing(rule):
    assert not rule.decided(Tally([None] * 10), 2)
    assert rule.need(Tally([None] * 10), 1) == 1


@pytest.mark.parametrize(
    ("rule", "in_order", "run_ahead", "all_at_once"),
    [
        (Lossless(), False, 1.5, 16),
        (Full(), False, 1.0, 0),
        (Beta(), True, 1.0, 0),
        (Dirichlet(), True, 1.0, 0),
        (Window(), True, 1.0, 0),
        (Doubling(), True, 1.0, 0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, StopRule) else str(value),
)
def test_a_rule_that_bets_on_the_rest_reads_in_index_order_and_runs_less_ahead(
    rule, in_order, run_ahead, all_at_once
):
    assert (rule.in_order, rule.run_ahead, rule.all_at_once) == (in_order, run_ahead, all_at_once)


def test_a_full_vote_waits_for_all():
    assert not Full().decided(Tally([0] * 99), 1)
    assert Full().need(Tally([0] * 99), 7) == 7


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lossless", Lossless),
        ("beta", Beta),
        ("dirichlet", Dirichlet),
        ("window", Window),
        ("doubling", Doubling),
        ("full", Full),
    ],
)
def test_a_rule_is_found_by_its_name(name, kind):
    assert type(resolve_stop_rule(name)) is kind


def test_a_rule_of_your_own_stays_as_it_is():
    rule = Beta(0.8)
    assert resolve_stop_rule(rule) is rule


@pytest.mark.parametrize("unknown", ["Beta", "", "sometimes", None, 0.95, ["beta"], Beta])
def test_an_unknown_rule_is_refused_with_the_names_there_are(unknown):
    with pytest.raises(InvalidRequestError) as refused:
        resolve_stop_rule(unknown)
    assert all(name in str(refused.value) for name in STOP_RULES)
