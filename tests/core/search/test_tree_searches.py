"""What holds for every tree search: a value that is asked and told."""

import pickle

import pytest

from scaffolding_core import InvalidRequestError
from scaffolding_core.search import ROOT, BestFirst, BreadthFirst, DepthFirst, Lats, Mcts, Thought

SEARCHES = {
    "breadth first": lambda **options: BreadthFirst(keep=3, **options),
    "depth first": DepthFirst,
    "best first": BestFirst,
    "mcts": Mcts,
    "lats": Lats,
}
every = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)


def thoughts(path, width=3):
    """Steps whose values depend on their path alone."""
    names = [f"{'/'.join(path)}{letter}" for letter in "abcdef"[:width]]
    return [Thought(name, (hash_of(name) % 97) / 97) for name in names]


def hash_of(text):
    return sum(ord(letter) * 31**place for place, letter in enumerate(text))


def expanded(search, trial):
    return search.tell(trial, thoughts(search.path(trial.node)))


def run(search, *, width=1, order=lambda trials: trials, most=10_000):
    """Ask and tell until it is done; the steps of the nodes in the order in which they were expanded."""
    asked = []
    while (trials := search.ask(width)) and len(asked) < most:
        asked += ["/".join(search.path(trial.node)) for trial in trials]
        for trial in order(trials):
            expanded(search, trial)
    return asked


def tree(search):
    return {node.place: (node.step, node.value) for node in search.nodes.values()}


@every
def test_the_whole_tree_is_searched_once(search):
    search = search(max_depth=2)
    asked = run(search)
    assert search.done
    assert not search.ask(9)
    assert len(asked) == len(set(asked)) == 1 + 3
    assert len(search.nodes) == 1 + 3 + 9


@every
@pytest.mark.parametrize("width", [1, 4, 16])
def test_trials_told_in_any_order_make_the_same_tree(search, width):
    straight, backwards = search(max_depth=3), search(max_depth=3)
    run(straight, width=width)
    run(backwards, width=width, order=reversed)
    assert tree(straight) == tree(backwards)
    assert straight.best().place == backwards.best().place


@every
def test_a_trial_told_twice_counts_once(search):
    search = search()
    (trial,) = search.ask()
    assert len(search.tell(trial, [Thought("a", 0.5)])) == 1
    before = pickle.dumps(search)
    assert search.tell(trial, [Thought("b", 0.9)]) == []
    assert pickle.dumps(search) == before


@every
def test_pickled_midway_it_goes_on_as_if_nothing_had_been(search):
    straight = search(max_depth=4)
    run(straight, width=2, most=9)
    running = straight.ask(2)
    other = pickle.loads(pickle.dumps(straight))
    for each in (straight, other):
        for trial in running:
            expanded(each, trial)
    assert run(straight, most=20) == run(other, most=20)
    assert tree(straight) == tree(other)


@every
def test_copies_are_independent(search):
    search = search()
    (trial,) = search.ask()
    copy = search.copy()
    expanded(copy, trial)
    run(copy, most=5)
    assert (len(search.nodes), list(search.running)) == (1, [trial.id])


@every
def test_resumed_it_asks_again_for_what_was_running(search):
    search = search()
    expanded(search, *search.ask())
    running = search.ask(2)
    resumed = search.resumed()
    assert not resumed.running
    assert [trial.node for trial in resumed.ask(2)] == [trial.node for trial in running]
    assert resumed.tell(running[0]) == []
    assert len(search.running) == 2


@every
def test_a_trial_that_was_given_back_is_asked_for_again(search):
    search = search()
    (trial,) = search.ask()
    search.give_back(trial)
    search.give_back(trial)
    again = search.ask(9)
    assert [each.node for each in again] == [trial.node]
    assert search.tell(trial) == []


@every
def test_a_tree_that_cannot_expand_is_done_without_a_best(search):
    search = search()
    search.tell(*search.ask())
    assert (search.done, search.best(), search.ask()) == (True, None, [])


@every
def test_a_dead_end_is_not_asked_for_again(search):
    search = search(max_depth=2)
    first, second = search.tell(*search.ask(), [Thought("a", 0.9), Thought("b", 0.1)])
    dead, other = search.ask(2)
    assert [dead.node, other.node] == [first.id, second.id]
    search.tell(dead)
    search.tell(other, [Thought("c", 0.0)])
    assert search.done
    assert search.path(search.best().id) == ["b", "c"]


@every
def test_what_ends_a_path_goes_before_what_does_not(search):
    search = search()
    search.tell(*search.ask(), [Thought("open", 0.9), Thought("ended", 0.2, terminal=True)])
    assert search.best().step == "ended"
    assert "ended" not in run(search)


@every
def test_at_the_last_depth_too(search):
    search = search(max_depth=1)
    search.tell(*search.ask(), [Thought("open", 0.9), Thought("ended", 0.2, terminal=True)])
    assert search.best().step == "ended"


@every
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_is_refused(search, value):
    with pytest.raises(InvalidRequestError, match="finite"):
        Thought("a", value)


@every
def test_a_depth_below_one_is_refused(search):
    with pytest.raises(InvalidRequestError, match="max_depth"):
        search(max_depth=0)


@every
def test_it_says_in_a_line_what_it_is(search):
    search = search()
    search.tell(*search.ask(), [Thought("a", 0.5, terminal=True)])
    assert repr(search) == f"{type(search).__name__}(2 nodes, best 0.5)"


class TestBreadthFirst:
    def test_the_best_of_a_level_are_kept_ties_as_told(self):
        search = BreadthFirst(keep=2, max_depth=2)
        search.tell(*search.ask(), [Thought(*each) for each in [("a", 0.5), ("b", 0.9), ("c", 0.5)]])
        assert [search.nodes[node].step for node in search.kept] == ["b", "a"]

    def test_a_level_runs_at_the_same_time_and_ends_before_the_next(self):
        search = BreadthFirst(keep=3)
        expanded(search, *search.ask(9))
        level = search.ask(9)
        assert len(level) == 3
        for trial in level[1:]:
            expanded(search, trial)
            assert search.ask() == []
        expanded(search, level[0])
        assert len(search.ask(9)) == 3

    @pytest.mark.parametrize(("second", "kept"), [(0.6, ["best", "second"]), (0.4, ["best", "end"])])
    def test_a_path_that_has_ended_competes_with_the_next_level(self, second, kept):
        search = BreadthFirst(keep=2, max_depth=3)
        search.tell(*search.ask(), [Thought("end", 0.5, terminal=True), Thought("open", 0.4)])
        search.tell(*search.ask(9), [Thought("second", second), Thought("best", 0.7)])
        assert [search.nodes[node].step for node in search.kept] == kept

    def test_a_level_from_which_nothing_leads_on_is_the_last(self):
        search = BreadthFirst()
        search.tell(*search.ask(), [Thought("a", 0.5)])
        search.tell(*search.ask())
        assert search.done
        assert [search.nodes[node].step for node in search.kept] == ["a"]


class TestDepthFirst:
    def test_the_best_step_is_followed_to_its_end_first(self):
        search = DepthFirst(max_depth=2)
        search.tell(*search.ask(), [Thought("a", 0.4), Thought("b", 0.6)])
        (trial,) = search.ask()
        assert search.path(trial.node) == ["b"]
        search.tell(trial, [Thought("end", 0.1)])
        assert search.path(search.ask()[0].node) == ["a"]

    def test_what_is_not_above_the_threshold_is_pruned(self):
        search = DepthFirst(threshold=0.5)
        search.tell(*search.ask(), [Thought("a", 0.5), Thought("b", 0.6)])
        assert [search.path(trial.node) for trial in search.ask(9)] == [["b"]]

    @pytest.mark.parametrize("threshold", ["0.5", True, float("nan")])
    def test_a_threshold_that_is_no_number_is_refused(self, threshold):
        with pytest.raises(InvalidRequestError, match="threshold"):
            DepthFirst(threshold=threshold)


class TestBestFirst:
    def test_the_highest_value_comes_next_wherever_it_stands(self):
        search = BestFirst()
        search.tell(*search.ask(), [Thought("a", 0.4), Thought("b", 0.6)])
        search.tell(*search.ask(), [Thought("c", 0.3), Thought("d", 0.5)])
        assert [search.path(trial.node) for trial in search.ask(9)] == [["b", "d"], ["a"], ["b", "c"]]

    def test_of_equals_the_deepest(self):
        search = BestFirst()
        search.tell(*search.ask(), [Thought("a", 0.5), Thought("b", 0.5)])
        search.tell(*search.ask(), [Thought("c", 0.5)])
        assert search.path(search.ask()[0].node) == ["a", "c"]


def test_the_root_has_no_steps():
    assert BestFirst().path(ROOT) == []
