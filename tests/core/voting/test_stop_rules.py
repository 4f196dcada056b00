"""What holds for every stop rule, and rules by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting import (
    STOP_RULES,
    Beta,
    Dirichlet,
    Full,
    Lossless,
    StopRule,
    Tally,
    Window,
    resolve_stop_rule,
)

RULES = [Lossless(), Beta(), Dirichlet(), Window(), Full()]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
choices = st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=20)


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
    leader = max(range(4), key=seen.count)
    need = rule.need(Tally(seen), left)
    for further in range(need + 1):
        settled = rule.decided(Tally([*seen, *[leader] * further]), left - further)
        assert settled == (further == need)


@every_rule
def test_nothing_is_left_to_decide_once_all_samples_are_in(rule):
    assert rule.decided(Tally([0, 1]), 0)
    assert rule.need(Tally([0, 1]), 0) == 0


@every_rule
def test_abstentions_alone_decide_nothing(rule):
    assert not rule.decided(Tally([None] * 10), 2)
    assert rule.need(Tally([None] * 10), 1) == 1


@pytest.mark.parametrize(
    ("rule", "in_order", "run_ahead"),
    [
        (Lossless(), False, 1.5),
        (Full(), False, 1.0),
        (Beta(), True, 1.0),
        (Dirichlet(), True, 1.0),
        (Window(), True, 1.0),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, StopRule) else str(value),
)
def test_a_rule_that_bets_on_the_rest_reads_in_index_order_and_runs_less_ahead(rule, in_order, run_ahead):
    assert (rule.in_order, rule.run_ahead) == (in_order, run_ahead)


def test_a_full_vote_waits_for_all():
    assert not Full().decided(Tally([0] * 99), 1)
    assert Full().need(Tally([0] * 99), 7) == 7


@pytest.mark.parametrize(
    ("name", "kind"),
    [("lossless", Lossless), ("beta", Beta), ("dirichlet", Dirichlet), ("window", Window), ("full", Full)],
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
