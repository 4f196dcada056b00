"""Bandit: arithmetic of what it chooses and learns."""

import copy
import json
import pickle
import random
import threading
from collections import Counter

import pytest

from scaffolding_core import Arm, Bandit, InvalidRequestError


def played(means, turns, *, tokens=None, prices=None, seed=0):
    """The bandit, and what it chose, of arms that earn 1 with these probabilities."""
    source, bandit, chosen = random.Random(seed), Bandit(), []
    for _ in range(turns):
        name = bandit.choose(means, prices=prices, seed=seed)
        chosen.append(name)
        bandit.tell(name, float(source.random() < means[name]), (tokens or {}).get(name, 0))
    return bandit, chosen


MEANS = {"a": 0.4, "best": 0.8, "b": 0.6}


def regret(chosen):
    return sum(MEANS["best"] - MEANS[name] for name in chosen)


def test_the_best_arm_is_chosen_most_and_regret_grows_ever_more_slowly():
    played_by_seed = [played(MEANS, 2_000, seed=seed)[1] for seed in range(20)]
    for chosen in played_by_seed:
        assert Counter(chosen[500:])["best"] > 0.8 * 1_500
    early, late = (
        sum(regret(chosen[part]) for chosen in played_by_seed) for part in (slice(500), slice(500, None))
    )
    assert late < early  # in three times as many turns; choosing blindly it would be three times as much


def test_an_arm_that_earns_a_little_more_for_much_more_is_not_worth_its_price():
    means, tokens = {"small": 0.7, "large": 0.75}, {"small": 100, "large": 1_000}
    _, chosen = played(means, 2_000, tokens=tokens, prices={"small": 2e-4, "large": 2e-4})
    assert Counter(chosen[1_000:])["small"] > 900
    _, chosen = played(means, 4_000, tokens=tokens)
    assert Counter(chosen[2_000:])["large"] > 1_000


def test_an_arm_that_comes_later_is_tried():
    bandit, _ = played({"a": 0.5}, 50)
    assert "new" in {bandit.choose(["a", "new"], seed=1) for _ in range(20)}


def test_what_is_learnt_is_saved_and_loaded_and_the_same_is_chosen_then():
    bandit, _ = played(MEANS, 30)
    loaded = Bandit.from_dict(json.loads(json.dumps(bandit.to_dict())))
    assert loaded.to_dict() == bandit.to_dict()
    for other in (loaded, pickle.loads(pickle.dumps(loaded)), copy.deepcopy(loaded)):
        same = copy.copy(bandit)
        assert [same.choose(MEANS, seed=5) for _ in range(20)] == [other.choose(MEANS, seed=5) for _ in range(20)]
    assert bandit.to_dict()["choices"] == 30  # copies choose apart


def test_the_seed_and_the_number_of_choices_tell_what_is_drawn():
    first = [Bandit().choose("abc", seed=seed) for seed in range(30)]
    assert first == [Bandit().choose("abc", seed=seed) for seed in range(30)]
    assert len(set(first)) == 3
    bandit = Bandit()
    assert len({bandit.choose("abc") for _ in range(30)}) == 3  # also without a seed


def test_threads_lose_nothing():
    bandit = Bandit()

    def play():
        for _ in range(500):
            bandit.tell(bandit.choose("ab"), 0.5, 2)

    threads = [threading.Thread(target=play) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    arms = bandit.arms.values()
    assert (sum(arm.told for arm in arms), sum(arm.tokens for arm in arms)) == (2_000, 4_000)
    assert bandit.to_dict()["choices"] == 2_000


def test_arms_that_are_shown_are_copies():
    bandit = Bandit({"a": Arm(told=2, reward=1.0, tokens=10)})
    bandit.arms["a"].told = 9
    assert bandit.arms == {"a": Arm(2, 1.0, 10)}


@pytest.mark.parametrize(("reward", "tokens"), [(1.1, 0), (-0.1, 0), (float("nan"), 0), (0.5, -1)])
def test_what_no_arm_can_earn_or_spend_is_refused(reward, tokens):
    with pytest.raises(InvalidRequestError):
        Bandit().tell("a", reward, tokens)


@pytest.mark.parametrize("saved", [{}, {"arms": [], "choices": 0}, {"arms": {"a": {"won": 1}}, "choices": 0}])
def test_what_no_bandit_has_saved_is_refused(saved):
    with pytest.raises(InvalidRequestError, match="to_dict"):
        Bandit.from_dict(saved)
