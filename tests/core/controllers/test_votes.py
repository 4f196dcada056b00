"""How the samples of a vote are put in order: by class, and in each the one that represents it first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolding_core import AssistantMessage, Candidate, ScaffoldingOutput, ToolCall
from scaffolding_core.controllers.votes import by_class, mark_late, tell_votes
from scaffolding_core.voting import REFUSED, winner


def candidates(*said):
    """Of texts, or of texts with an answer read from them."""
    pairs = [(each, each) if isinstance(each, str) else each for each in said]
    return {index: Candidate(index, text, answer=answer) for index, (text, answer) in enumerate(pairs)}


def ordered(samples, choices):
    return [[voter.index for voter in voters] for voters in by_class(samples, dict(enumerate(choices)))]


def told(votes, chosen=None):
    """The votes, in the order in which an output tells them, and its agreement."""
    output = ScaffoldingOutput("")
    tell_votes(output, votes[0][0] if chosen is None else chosen, votes)
    return [*output.votes.items()], output.agreement


def test_the_class_with_most_votes_comes_first_and_of_equals_the_first_seen():
    assert ordered(candidates(*"abcabd"), [0, 1, 2, 0, 1, 3]) == [[0, 3], [1, 4], [2], [5]]


def test_each_voter_is_told_how_many_gave_its_answer_and_who_has_none_is_left_out():
    samples = candidates(*"aba?")
    by_class(samples, {0: 0, 1: 1, 2: 0, 3: None})
    assert [sample.votes for sample in samples.values()] == [2, 1, 2, 0]


def test_the_most_frequent_wording_represents_a_class():
    samples = candidates("7.0", "seven", "7", "seven")
    assert ordered(samples, [0, 0, 0, 0])[0] == [1, 3, 0, 2]


def test_of_equally_frequent_wordings_the_earliest_represents_it():
    assert ordered(candidates("7.0", "seven", "7", "seven", "7.0"), [0] * 5)[0][0] == 0
    assert ordered(candidates("7.0", "seven"), [0, 0])[0][0] == 0
    assert ordered(candidates("7.0", "7", "seven"), [0, 0, 0])[0][0] == 0


def test_an_answer_is_worded_as_most_word_it_and_of_those_the_most_frequent_text_represents_it():
    samples = candidates(("It is 7.0", "7.0"), ("so 7", "7"), ("7", "7"), ("It is 7.0", "7.0"), ("7", "7"))
    assert ordered(samples, [0] * 5)[0][0] == 2


def test_answers_that_stand_in_no_text_are_worded_too():
    called = AssistantMessage(tool_calls=[ToolCall("1", "go", "{}")])
    samples = {i: Candidate(i, called, answer=to) for i, to in enumerate(["Rome", "rome", "rome"])}
    assert ordered(samples, [0, 0, 0])[0] == [1, 2, 0]


def test_answers_need_not_be_text_nor_comparable():
    class Odd:
        def __eq__(self, other):
            raise TypeError

        __hash__ = object.__hash__

    samples = candidates(*[("a", Odd()) for _ in range(3)])
    assert sorted(ordered(samples, [0, 0, 0])[0]) == [0, 1, 2]


def test_the_earliest_refusal_represents_them_however_they_are_worded():
    samples = candidates(("Sorry.", None), ("I can't.", None), ("I can't.", None), ("7", "7"))
    assert ordered(samples, [REFUSED, REFUSED, REFUSED, 0]) == [[0, 1, 2], [3]]


def test_refusals_that_do_not_win_stand_where_their_votes_put_them():
    samples = candidates("a", "b", "c", ("no", None), ("no", None), "b", "c", ("no", None))
    choices = [0, 1, 2, REFUSED, REFUSED, 1, 2, REFUSED]
    assert ordered(samples, choices) == [[1, 5], [3, 4, 7], [2, 6], [0]]


@given(
    st.lists(st.sampled_from([None, 0, 0, 1, 2, REFUSED, REFUSED]), max_size=12), st.randoms(use_true_random=False)
)
def test_the_first_class_is_the_one_that_wins(choices, random):
    samples = candidates(*[("no", None) if choice == REFUSED else str(choice) for choice in choices])
    arrived = list(enumerate(choices))
    random.shuffle(arrived)
    votes = by_class(samples, dict(arrived))
    best = winner(dict(enumerate(choices)))
    assert (choices[votes[0][0].index] if votes else None) == best
    assert sum(map(len, votes)) == len(choices) - choices.count(None)


def test_votes_are_told_by_the_answer_that_represents_them_and_refusals_by_their_text():
    samples = candidates("7.0", "7", "7", ("I can't.", None))
    assert told(by_class(samples, {0: 0, 1: 0, 2: 0, 3: REFUSED})) == ([("7", 3), ("I can't.", 1)], 0.75)


def test_classes_whose_answers_are_worded_alike_are_told_together():
    samples = candidates(("a", 1), ("b", "1"), ("c", 2))
    assert told(by_class(samples, {0: 0, 1: 1, 2: 2})) == ([("1", 2), ("2", 1)], pytest.approx(1 / 3))


def test_the_votes_of_the_chosen_one_are_told_first():
    samples = candidates("7", "7", "8")
    assert told(by_class(samples, {0: 0, 1: 0, 2: 1}), samples[2]) == ([("8", 1), ("7", 2)], pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("part", "late"), [({}, True), ({"cut": True}, False), ({"error": ValueError()}, False)], ids=str
)
def test_what_ended_without_having_counted_came_late(part, late):
    samples = [Candidate(0, "7"), Candidate(1, "8", **part)]
    mark_late(samples, {0})
    assert [sample.late for sample in samples] == [False, late]
    assert [sample.counted for sample in samples] == [True, False]
