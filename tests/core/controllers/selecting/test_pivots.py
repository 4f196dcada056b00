"""Who meets whom in a pivot tournament, as arithmetic."""

from collections import Counter

import pytest

from scaffolding_core.controllers.selecting.pivots import Pivots, comparisons


def played(strengths, pivots=2, bias=0.0, ring=None):
    """A tournament among players of these strengths, and the pairs that met, in order."""
    tournament = Pivots(ring or range(len(strengths)), pivots)
    met = []
    for pairs in (tournament.ring, tournament.rest):
        for first, second in pairs():
            met.append((first, second))
            tournament.tell(first, second, 0.5 + (strengths[first] - strengths[second]) / 2 + bias)
    return tournament, met


def test_in_the_ring_each_meets_two_once_in_each_place():
    for n in (2, 3, 5, 8):
        ring = Pivots(range(n), 2).ring()
        assert Counter(first for first, _ in ring) == Counter(second for _, second in ring) == Counter(range(n))


@pytest.mark.parametrize(("n", "k", "count"), [(1, 2, 0), (2, 2, 2), (3, 2, 6), (3, 9, 6), (8, 2, 21), (8, 1, 15)])
def test_it_takes_as_many_comparisons_as_it_says(n, k, count):
    _, met = played([0.0] * n, k)
    assert len(met) == comparisons(n, k) == count


def test_no_two_meet_twice_the_same_way_round():
    for n in range(2, 9):
        for k in range(1, n + 1):
            for best in range(n):
                _, met = played([float(player == best) for player in range(n)], k)
                assert len(met) == len(set(met))


def test_the_pivots_are_the_best_of_the_ring_and_meet_all():
    _, met = played([0.1, 0.2, 0.9, 0.3, 0.8, 0.0], 2)
    rest = {frozenset(pair) for pair in met[6:]}
    assert rest == {frozenset((pivot, other)) for pivot in (2, 4) for other in range(6) if other != pivot}


def test_a_bias_for_a_place_cancels_in_the_ring():
    for bias in (-0.3, 0.3):
        tournament = Pivots(range(5), 2)
        for first, second in tournament.ring():
            tournament.tell(first, second, 0.5 + bias)
        assert [*tournament.means().values()] == pytest.approx([0.5] * 5)


def test_after_the_ring_each_other_player_stands_first_and_second_by_turns():
    _, met = played([0.9, 0, 0, 0, 0.8, 0, 0, 0], 2)
    new = [pair for pair in met[8:] if not {pair, pair[::-1]} & set(met[:8])]
    first = Counter(first for first, _ in new)
    second = Counter(second for _, second in new)
    assert all(abs(first[player] - second[player]) <= 1 for player in (2, 6))


def test_a_preference_counts_for_one_and_against_the_other():
    tournament = Pivots(range(3), 1)
    tournament.tell(0, 1, 0.8)
    tournament.tell(2, 0, 0.4)
    assert tournament.means() == {0: pytest.approx(0.7), 1: pytest.approx(0.2), 2: 0.4}


def test_who_was_never_compared_has_no_mean_and_is_no_pivot_before_others():
    tournament = Pivots(range(4), 1)
    tournament.tell(2, 3, 0.1)
    assert tournament.means() == {2: 0.1, 3: 0.9}
    assert all(3 in pair for pair in tournament.rest())
