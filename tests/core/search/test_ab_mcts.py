"""AbMcts: wider or deeper, by draws that a seed fixes."""

import pickle
import sys

import numpy as np
import pytest

from scaffolding_core import InvalidRequestError, MissingExtraError
from scaffolding_core.search import ROOT, AbMcts, Thought, ab_mcts


def run(search, trials, value=lambda depth: 0.5, width=1, order=lambda trials: trials):
    """The nodes that were asked for."""
    asked = []
    while len(asked) < trials:
        batch = search.ask(width)
        asked += [trial.node for trial in batch]
        for trial in order(batch):
            search.tell(trial, [Thought("x", value(search.nodes[trial.node].depth))])
    return asked


def test_the_same_seed_makes_the_same_tree_and_another_another():
    first, again, other = (run(AbMcts(seed=seed), 30) for seed in (1, 1, 2))
    assert first == again != other


def test_the_draws_of_others_are_not_disturbed():
    np.random.seed(7)
    before = np.random.random()
    np.random.seed(7)
    AbMcts(seed=1).ask(3)
    assert np.random.random() == before


def test_it_goes_deeper_where_refining_pays_and_wider_where_new_answers_do():
    deep = run(AbMcts(), 60, lambda depth: min(1.0, 0.1 + 0.2 * depth))
    wide = run(AbMcts(), 60, lambda depth: 0.9 if depth == 0 else 0.0)
    assert deep.count(ROOT) < 15
    assert wide.count(ROOT) > 30


def test_trials_at_the_same_time_all_count_in_any_order():
    search = AbMcts(seed=3)
    run(search, 32, width=8, order=reversed)
    assert len(search.nodes) == 1 + 32
    assert not search.running
    assert not search.done


def test_a_trial_told_twice_counts_once():
    search = AbMcts()
    (trial,) = search.ask()
    assert len(search.tell(trial, [Thought("x", 0.5)])) == 1
    assert search.tell(trial, [Thought("x", 0.5)]) == []
    assert len(search.nodes) == 2


def test_pickled_midway_it_goes_on_as_if_nothing_had_been():
    search = AbMcts(seed=5)
    run(search, 9)
    other = pickle.loads(pickle.dumps(search))
    copy = search.copy()
    assert run(search, 9) == run(other, 9) == run(copy, 9)


def test_a_trial_that_failed_leaves_nothing_behind():
    search = AbMcts()
    search.tell(*search.ask())
    assert (search.best(), [trial.node for trial in search.ask()]) == (None, [ROOT])


def test_resumed_it_forgets_what_was_running():
    search = AbMcts()
    search.ask(3)
    assert not search.resumed().running


def test_the_best_is_the_highest_value_of_all():
    search = AbMcts()
    for value in (0.2, 0.9, 0.4):
        search.tell(*search.ask(), [Thought(str(value), value)])
    assert search.best().step == "0.9"


@pytest.mark.parametrize("thoughts", [[Thought("x", 1.5)], [Thought("x", -0.1)], [Thought("x", 0.5)] * 2])
def test_what_it_cannot_take_is_refused(thoughts):
    search = AbMcts()
    (trial,) = search.ask()
    with pytest.raises(InvalidRequestError):
        search.tell(trial, thoughts)


def test_without_its_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "treequest", None)
    ab_mcts._algorithm.cache_clear()
    with pytest.raises(MissingExtraError, match="treequest"):
        AbMcts()
    ab_mcts._algorithm.cache_clear()
