"""Mcts and Lats: upper confidence bounds, virtual loss, counts."""

import itertools
import math
import pickle
import random

import pytest

from scaffolding_core import InvalidRequestError
from scaffolding_core.search import ROOT, Lats, Mcts, Thought

ARMS = (0.2, 0.5, 0.8)


def bandit(pulls, *, width=1, seed=0, arms=ARMS):
    """Arms that pay 1 with their probability: each step below one of the root's children leads to three more."""
    draw = random.Random(seed)
    search = Mcts(max_depth=10 * pulls)
    search.tell(*search.ask(), [Thought(str(mean), float(draw.random() < mean)) for mean in arms])
    while search.visits[ROOT] < pulls:
        trials = search.ask(width)
        draw.shuffle(trials)
        for trial in trials:
            mean = float(search.path(trial.node)[0])
            search.tell(trial, [Thought(letter, float(draw.random() < mean)) for letter in "abc"])
    return search


def visited(search):
    return {node.step: search.visits[node.id] for node in search.nodes.values() if node.depth == 1}


def regret(search):
    """By visit."""
    counts = visited(search)
    return sum((max(ARMS) - float(arm)) * count for arm, count in counts.items()) / sum(counts.values())


def leaves(search, count):
    """A search whose root has so many children of the same value."""
    search.tell(*search.ask(), [Thought(str(number), 0.5) for number in range(count)])
    return search


@pytest.mark.parametrize("width", [1, 3, 16])
def test_the_best_arm_is_visited_most(width):
    for seed in range(10):
        counts = visited(bandit(600, width=width, seed=seed))
        assert max(counts, key=counts.get) == "0.8"
        assert counts["0.8"] > 0.5 * sum(counts.values())


def test_the_regret_of_a_visit_shrinks():
    regrets = [sum(regret(bandit(pulls, seed=seed)) for seed in range(20)) / 20 for pulls in (75, 300, 1200)]
    assert regrets[0] > 1.5 * regrets[1] > 1.5**2 * regrets[2]


def test_every_arm_is_tried_as_often_as_the_logarithm_of_all_visits_wants():
    search = bandit(600)
    (worst,) = [node for node in search.nodes.values() if node.step == "0.2"]
    assert search.visits[worst.id] >= 0.5 * math.log(600)


def test_sixteen_trials_at_the_same_time_reach_distinct_nodes():
    search = leaves(Mcts(), 16)
    trials = search.ask(16)
    assert len({trial.node for trial in trials}) == 16


@pytest.mark.parametrize("count", [4, 8, 16])
def test_virtual_loss_spreads_trials_over_equal_subtrees(count):
    search = leaves(Mcts(), 4)
    for trial in search.ask(4):
        search.tell(trial, [Thought(letter, 0.5) for letter in "abcd"])
    below = [search.path(trial.node)[0] for trial in search.ask(count)]
    assert {below.count(each) for each in "0123"} == {count // 4}


def test_without_trials_that_run_it_is_the_formula():
    search = Mcts(exploration=1.41)
    first, second = search.tell(*search.ask(), [Thought("a", 0.5), Thought("b", 0.25)])
    assert search.score(first.id) == pytest.approx(0.5 + 1.41 * math.sqrt(math.log(2)))
    (trial,) = search.ask()
    assert trial.node == first.id
    assert search.score(first.id) == pytest.approx(0.5 / 2 + 1.41 * math.sqrt(math.log(3) / 2))
    search.tell(trial, [Thought("c", 0.1)])
    assert search.score(first.id) == pytest.approx(0.3 + 1.41 * math.sqrt(math.log(3) / 2))
    assert search.score(second.id) == pytest.approx(0.25 + 1.41 * math.sqrt(math.log(3)))


def test_values_out_of_range_are_scaled_to_their_span():
    search = Mcts(exploration=0)
    best, worst = search.tell(*search.ask(), [Thought("a", 30.0), Thought("b", -10.0)])
    assert (search.score(best.id), search.score(worst.id)) == (1, 0)
    assert search.mean(ROOT) == 10


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_told_in_any_order_every_result_counts(order):
    search = leaves(Mcts(), 4)
    trials = search.ask(4)
    for index in order:
        search.tell(trials[index], [Thought("x", 0.25), Thought("y", 0.75)])
    assert (search.visits[ROOT], search.totals[ROOT]) == (12, pytest.approx(6))
    assert set(search.pending.values()) == {0}


def test_a_trial_that_failed_leaves_no_loss_behind():
    search = leaves(Mcts(), 2)
    first, second = search.ask(2)
    search.tell(first)
    assert (search.pending[ROOT], search.visits[ROOT]) == (1, 2)
    search.tell(second)
    assert (search.pending[ROOT], search.done) == (0, True)


def test_what_ends_a_path_backs_up_its_reward_and_is_not_asked_for():
    search = Mcts(max_depth=9)
    (first,) = search.tell(*search.ask(), [Thought("a", 0.0)])
    (end,) = search.tell(*search.ask(), [Thought("end", 1.0, terminal=True)])
    assert search.mean(first.id) == 0.5
    assert (search.mean(ROOT), search.mean(end.id)) == (0.5, 1)
    assert (search.done, search.best()) == (True, end)


class TestRerooted:
    def grown(self):
        search = leaves(Mcts(max_depth=3), 3)
        for _ in range(8):
            search.tell(*search.ask(), [Thought("x", 0.4), Thought("y", 0.6)])
        return search

    def test_it_keeps_the_counts_below_and_forgets_the_rest(self):
        search = self.grown()
        turned = search.rerooted(1)
        below = [node for node in search.nodes if 1 in search.line(node)]
        assert sorted(turned.nodes) == below
        for counts in ("visits", "totals"):
            assert getattr(turned, counts) == {node: getattr(search, counts)[node] for node in below}
        assert search.root == ROOT

    def test_the_steps_down_to_it_stay_in_front_of_every_path(self):
        turned = self.grown().rerooted(2)
        assert turned.path(turned.root) == ["1"]
        assert all(turned.path(node)[0] == "1" for node in turned.nodes)
        assert turned.rerooted(max(turned.nodes)).path(max(turned.nodes)) == turned.path(max(turned.nodes))

    def test_it_may_go_deeper_than_before(self):
        search = Mcts(max_depth=1)
        first, _ = search.tell(*search.ask(), [Thought("a", 0.5), Thought("end", 0.5, terminal=True)])
        assert search.done
        turned = search.rerooted(first.id)
        (trial,) = turned.ask(9)
        (deeper,) = turned.tell(trial, [Thought("b", 0.7)])
        assert turned.path(deeper.id) == ["a", "b"]
        assert deeper.id not in search.nodes

    def test_a_dead_end_stays_one(self):
        search = leaves(Mcts(), 1)
        search.tell(*search.ask())
        assert search.rerooted(1).done

    def test_trials_below_it_can_still_be_told(self):
        search = leaves(Mcts(), 3)
        trials = search.ask(3)
        turned = search.rerooted(trials[1].node)
        assert turned.tell(trials[0], [Thought("lost", 1.0)]) == []
        assert len(turned.tell(trials[1], [Thought("kept", 1.0)])) == 1
        assert turned.pending[turned.root] == 0

    def test_a_node_that_is_not_there_is_refused(self):
        with pytest.raises(InvalidRequestError, match="no node 7"):
            Mcts().rerooted(7)


def test_resumed_it_has_no_loss_of_trials_that_are_gone():
    search = leaves(Mcts(), 4)
    search.ask(3)
    resumed = pickle.loads(pickle.dumps(search)).resumed()
    assert set(resumed.pending.values()) == {0}
    assert len(resumed.ask(9)) == 4


@pytest.mark.parametrize("exploration", [-1, float("inf"), float("nan"), "1", True])
def test_an_exploration_out_of_range_is_refused(exploration):
    with pytest.raises(InvalidRequestError, match="exploration"):
        Mcts(exploration=exploration)


class TestLats:
    def test_the_value_is_that_of_the_evaluation_and_of_the_agreement(self):
        search = Lats(self_evaluation=0.5)
        often, once = search.tell(*search.ask(), [Thought("a", 0.2, count=3), Thought("b", 0.6)])
        assert (often.value, once.value) == (pytest.approx(0.475), pytest.approx(0.425))

    def test_how_a_path_ended_is_taken_as_it_is(self):
        search = Lats()
        (end,) = search.tell(*search.ask(), [Thought("end", 1.0, terminal=True)])
        assert end.value == 1

    def test_a_lesson_is_kept_once(self):
        search = Lats()
        for lesson in ("be careful", "", "be careful", "count"):
            search.learn(lesson)
        assert search.copy().lessons == ["be careful", "count"]

    @pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "1", True])
    def test_a_share_out_of_range_is_refused(self, share):
        with pytest.raises(InvalidRequestError, match="self_evaluation"):
            Lats(self_evaluation=share)
