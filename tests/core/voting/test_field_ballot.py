"""A vote on each field by itself, as arithmetic."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolding_core.voting import REFUSED, Beta, FieldBallot, Full, Lossless, winner


def ballot(*choices, n=8, rule=None):
    new = FieldBallot(rule or Lossless(), n)
    for index, choice in enumerate(choices):
        see(new, index, choice)
    return new


def see(new, index, choice):
    if choice == REFUSED:
        new.refuse(index)
    else:
        new.see(index, choice)


def test_each_field_has_a_winner_of_its_own():
    assert ballot({"a": 0, "b": 0}, {"a": 0, "b": 1}, {"a": 1, "b": 1}, n=3).winner() == {"a": 0, "b": 1}


def test_it_is_decided_only_when_every_field_is():
    agreed = {"a": 0, "b": 0}
    assert not ballot(*[agreed] * 4).decided
    assert ballot(*[agreed] * 5).decided
    assert not ballot(*[agreed] * 4, {"a": 0, "b": 1}).decided
    assert ballot(*[agreed] * 4, {"a": 0, "b": 1}, agreed).decided


def test_as_many_run_ahead_as_the_least_settled_field_needs():
    settled, unsettled = {"a": 0, "b": 0}, {"a": 0, "b": 1}
    assert ballot(settled, unsettled, n=20).ahead > ballot(settled, settled, n=20).ahead


def test_a_small_vote_starts_all_at_once():
    assert ballot(n=16).ahead == 16
    assert ballot({"a": 0}, {"b": 0}, n=16).ahead == 14


def test_to_leave_a_field_out_is_a_vote_against_it():
    assert ballot({"a": 0}, {"a": 0}, {"a": 0, "b": 0}, n=3).winner() == {"a": 0}
    assert ballot({"a": 0, "b": 0}, {"a": 0}, {"a": 0, "b": 0}, n=3).winner() == {"a": 0, "b": 0}


def test_a_field_that_comes_late_could_still_win_a_place():
    assert not ballot({}, {}, {}, {}).decided
    assert ballot({}, {}, {}, {}, {}).decided


def test_samples_without_a_structure_abstain():
    assert ballot(None, None, None, {"a": 0}, None, n=5).winner() == {"a": 0}
    assert ballot(None, None).winner() == {}


def test_a_rule_that_reads_in_order_waits_for_the_missing_sample():
    new = FieldBallot(Beta(0.95), 40)
    for index in range(1, 6):
        new.see(index, {"a": 0})
    assert not new.decided
    new.see(0, {"a": 0})
    assert new.decided


def result(new):
    """What a vote gives: a refusal, or the value of each field."""
    return REFUSED if winner(new.whole()) == REFUSED else new.winner()


def test_a_refusal_is_a_vote_on_every_field():
    new = ballot({"a": 0, "b": 0}, REFUSED, {"a": 0}, n=8)
    assert new.votes() == {"a": {0: 0, 1: REFUSED, 2: 0}, "b": {0: 0, 1: REFUSED, 2: -1}}
    assert result(new) == {"a": 0, "b": 0}


def test_refusals_win_where_at_least_half_of_the_samples_that_vote_decline():
    assert result(ballot(REFUSED, {"a": 0})) == REFUSED
    assert result(ballot({"a": 0}, None, {"a": 1}, REFUSED)) == {"a": 0}
    assert result(ballot({"a": 0}, None, {"a": 1}, REFUSED, REFUSED)) == REFUSED


def test_a_field_without_a_value_of_half_the_samples_has_still_the_most_frequent_one():
    assert result(ballot({"a": 0}, {"a": 1}, {"a": 2}, {"a": 2}, REFUSED, REFUSED, REFUSED)) == {"a": 2}


samples = st.lists(
    st.one_of(
        st.sampled_from([None, REFUSED]),
        st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=300)
@given(samples, st.randoms(use_true_random=False))
def test_the_lossless_rule_gives_the_result_of_the_full_vote_whatever_arrives_first(choices, random):
    arrived = list(enumerate(choices))
    random.shuffle(arrived)
    early, full = FieldBallot(Lossless(), len(choices)), FieldBallot(Full(), len(choices))
    for index, choice in arrived:
        if not early.decided:
            see(early, index, choice)
        see(full, index, choice)
    assert result(early) == result(full)


def test_what_counts_is_what_counts_for_any_field():
    new = FieldBallot(Beta(0.95), 40, run_ahead=2)
    for index, value in enumerate([0, 0, 0, 1, 0, 0]):
        new.see(index, {"settled": 0, "open": value})
    assert set(new.votes()["settled"]) == {0, 1, 2, 3}
    assert new.counted() == {0, 1, 2, 3, 4, 5}
    new.see(7, {"settled": 0, "open": 0})
    assert 7 not in new.counted()


def test_when_time_is_up_all_that_is_there_votes_on_every_field_and_on_the_whole():
    ballot = FieldBallot(Beta(), 40)
    ballot.see(2, {"a": 5})  # before samples 0 and 1, which would count first
    ballot.see(3, {"a": 5})
    assert (ballot.winner(), ballot.counted()) == ({}, set())
    ballot.count_all()
    assert ballot.votes() == {"a": {2: 5, 3: 5}}
    assert ballot.winner() == {"a": 5}
    assert ballot.whole().keys() == ballot.counted() == {2, 3}
