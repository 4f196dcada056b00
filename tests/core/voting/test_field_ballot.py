"""A vote on each field by itself, as arithmetic."""

from scaffolding_core.voting import Beta, FieldBallot, Lossless


def ballot(*choices, n=8, rule=None):
    new = FieldBallot(rule or Lossless(), n)
    for index, choice in enumerate(choices):
        new.see(index, choice)
    return new


def test_each_field_has_a_winner_of_its_own():
    assert ballot({"a": 0, "b": 0}, {"a": 0, "b": 1}, {"a": 1, "b": 1}, n=3).winner() == {"a": 0, "b": 1}


def test_it_is_decided_only_when_every_field_is():
    agreed = {"a": 0, "b": 0}
    assert not ballot(*[agreed] * 4).decided
    assert ballot(*[agreed] * 5).decided
    assert not ballot(*[agreed] * 4, {"a": 0, "b": 1}).decided
    assert ballot(*[agreed] * 4, {"a": 0, "b": 1}, agreed).decided


def test_as_many_run_ahead_as_the_least_settled_field_needs():
    assert ballot({"a": 0, "b": 0}, {"a": 0, "b": 1}).ahead > ballot({"a": 0, "b": 0}, {"a": 0, "b": 0}).ahead


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
