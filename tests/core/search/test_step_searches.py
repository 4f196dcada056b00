"""Beams, subtrees and particles, as arithmetic."""

import math
import pickle
import random
from collections import Counter
from statistics import fmean, stdev

import pytest

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.search import ROOT, Beam, Dvts, ParticleGibbs, Particles, Thought

KINDS = [
    Beam(4, 2, max_depth=5),
    Dvts(4, 2, max_depth=5),
    Particles(4, max_depth=5),
    ParticleGibbs(3, max_depth=5),
]
kinds = pytest.mark.parametrize("search", KINDS, ids=lambda search: type(search).__name__)


def thoughts_of(search, trial, ends=0.3):
    """Steps that depend on their path alone, and on how often it was gone on with from there."""
    path = "/".join(search.path(trial.node))
    for sample in range(search.samples(trial)):
        source = random.Random(f"{path}/{trial.id}/{sample}")
        yield Thought(str(source.randrange(5)), source.random(), source.random() < ends)


def run(search, told=thoughts_of, order=None):
    """Steps drawn, by round."""
    drawn = []
    while not search.done:
        trials = search.ask(99)
        found = {trial.id: list(told(search, trial)) for trial in trials}
        drawn.append(sum(map(len, found.values())))
        if order is not None:
            order.shuffle(trials)
        for trial in trials:
            search.tell(trial, found[trial.id])
    return drawn


def kept(search):
    return sorted((search.path(node.id), node.value) for node in search.nodes.values())


class TestAll:
    @kinds
    def test_pickled_or_copied_in_the_midst_it_goes_on_alike(self, search):
        search, whole = search.copy(), search.copy()
        run(whole)
        trials = search.ask(99)
        for trial in trials:
            search.tell(trial, list(thoughts_of(search, trial)))
        copies = [search.copy(), pickle.loads(pickle.dumps(search))]
        for each in copies:
            run(each)
            assert kept(each) == kept(whole)
        assert len(search.nodes) < len(whole.nodes)

    @kinds
    def test_what_was_running_is_asked_for_again(self, search):
        search = search.copy()
        asked = [(trial.node, search.samples(trial)) for trial in search.ask(99)]
        again = search.resumed()
        assert [(trial.node, again.samples(trial)) for trial in again.ask(99)] == asked

    @kinds
    @pytest.mark.parametrize("seed", range(5))
    def test_the_order_of_arrival_changes_nothing_of_the_result(self, search, seed):
        def told(search, trial):
            for sample in range(search.samples(trial)):
                source = random.Random(f"{search.path(trial.node)}/{sample}")
                yield Thought(str(sample), source.random(), source.random() < 0.3)

        one, other = search.copy(), search.copy()
        run(one, told)
        run(other, told, random.Random(seed))
        assert one.path(one.best().id) == other.path(other.best().id)
        assert kept(one) == kept(other)

    @kinds
    def test_a_trial_that_finds_nothing_ends_what_it_was_for_and_no_more(self, search):
        search = search.copy()
        first, *rest = search.ask(99)
        search.tell(first)
        assert search.tell(first, [Thought("late", 1.0)]) == []
        for trial in rest:
            search.tell(trial, list(thoughts_of(search, trial)))
        run(search)
        assert search.done
        assert (search.best() is None) == (not rest)

    @kinds
    def test_no_answer_has_more_steps_than_it_may(self, search):
        search = search.copy()
        run(search, lambda search, trial: [Thought("s", 0.5)] * search.samples(trial))
        assert max(node.depth for node in search.nodes.values()) == 5
        assert search.done

    @pytest.mark.parametrize(
        ("kind", "options"),
        [
            (Beam, {"n": 0}),
            (Beam, {"width": 0}),
            (Dvts, {"n": True}),
            (Dvts, {"max_depth": 0}),
            (Particles, {"weights": "logit"}),
            (Particles, {"resampling": "none"}),
            (Particles, {"temperature": 0}),
            (ParticleGibbs, {"n": 1}),
            (ParticleGibbs, {"sweeps": 0}),
        ],
    )
    def test_numbers_out_of_range_are_refused(self, kind, options):
        with pytest.raises(InvalidRequestError):
            kind(**options)


class TestBeam:
    def test_n_steps_are_drawn_at_a_time(self):
        assert run(Beam(8, 4, max_depth=3), lambda s, t: thoughts_of(s, t, ends=0)) == [8, 8, 8]
        assert run(Beam(7, 3, max_depth=3), lambda s, t: thoughts_of(s, t, ends=0)) == [7, 7, 7]
        assert run(Beam(2, 4, max_depth=2), lambda s, t: thoughts_of(s, t, ends=0)) == [2, 2]

    def test_the_best_of_all_go_on(self):
        beam = Beam(4, 2)
        (trial,) = beam.ask(9)
        beam.tell(trial, [Thought("a", 0.1), Thought("b", 0.9), Thought("c", 0.8), Thought("d", 0.2)])
        assert [beam.path(trial.node) for trial in beam.ask(9)] == [["b"], ["c"]]

    def test_an_ended_answer_stays_by_its_score_and_saves_its_samples(self):
        beam = Beam(4, 2)
        (trial,) = beam.ask(9)
        beam.tell(trial, [Thought("a", 0.8, terminal=True), Thought("b", 0.9)])
        (trial,) = beam.ask(9)
        beam.tell(trial, [Thought("c", 0.7), Thought("d", 0.6)])
        (trial,) = beam.ask(9)
        assert beam.path(trial.node) == ["b", "c"]
        assert beam.samples(trial) == 2
        beam.tell(trial, [Thought("e", 0.95), Thought("f", 0.9)])
        assert [beam.path(trial.node) for trial in beam.ask(9)] == [["b", "c", "e"], ["b", "c", "f"]]
        assert beam.path(beam.best().id) == ["a"]  # of those that are whole


class TestDvts:
    def test_subtrees_stay_apart_though_one_is_the_best(self):
        search = Dvts(4, 2, max_depth=3)
        first, second = search.ask(9)
        search.tell(first, [Thought("a", 0.9), Thought("b", 0.8)])
        search.tell(second, [Thought("c", 0.1), Thought("d", 0.2)])
        assert [search.path(trial.node) for trial in search.ask(9)] == [["a"], ["d"]]
        assert [node.place for node in search.nodes.values()] == [(), (0, 0), (0, 1), (1, 1), (1, 0)]

    def test_none_waits_for_another(self):
        search = Dvts(4, 2, max_depth=3)
        first, second = search.ask(9)
        search.tell(second, [Thought("c", 0.1)])
        (trial,) = search.ask(9)
        search.tell(trial, [Thought("d", 0.1)])
        assert search.path(search.ask(9)[0].node) == ["c", "d"]
        assert first.id in search.running

    def test_n_steps_are_drawn_at_a_time_in_all(self):
        assert run(Dvts(8, 4, max_depth=3), lambda s, t: thoughts_of(s, t, ends=0)) == [8, 8, 8]
        assert run(Dvts(7, 3, max_depth=2), lambda s, t: thoughts_of(s, t, ends=0)) == [7, 7]


VALUES = {"a": 0.2, "b": 0.5, "c": 0.8}
"""A step is one of these, each as likely as another, and its value says which it was."""


def drawn(seed):
    def told(search, trial):
        step = random.Random(f"{seed}/{trial.id}").choice([*VALUES])
        return [Thought(step, VALUES[step])]

    return told


class TestParticles:
    @pytest.mark.parametrize("resampling", ["systematic", "multinomial"])
    @pytest.mark.parametrize(
        ("weights", "weight"), [("odds", lambda v: v / (1 - v)), ("softmax", math.exp)], ids=["odds", "softmax"]
    )
    def test_the_estimate_of_the_normaliser_is_unbiased(self, weights, weight, resampling):
        runs = 3_000
        estimates = []
        for seed in range(runs):
            search = Particles(4, weights=weights, resampling=resampling, seed=seed, max_depth=3)
            run(search, drawn(seed))
            estimates.append(math.exp(search.log_normaliser))
        expected = fmean(weight(value) for value in VALUES.values()) ** 3
        assert abs(fmean(estimates) - expected) <= 4 * stdev(estimates) / math.sqrt(runs)

    @pytest.mark.parametrize("resampling", ["systematic", "multinomial"])
    def test_each_lives_on_in_proportion_to_its_weight(self, resampling):
        runs, lives = 2_000, Counter()
        for seed in range(runs):
            search = Particles(3, resampling=resampling, seed=seed, max_depth=2)
            for trial, step in zip(search.ask(9), VALUES, strict=True):
                search.tell(trial, [Thought(step, VALUES[step])])
            lives.update(search.nodes[node].step for node in search.particles)
        odds = {step: value / (1 - value) for step, value in VALUES.items()}
        for step in VALUES:
            share = odds[step] / sum(odds.values())
            assert abs(lives[step] / runs - 3 * share) <= 4 * math.sqrt(3 * share * (1 - share) / runs)

    def test_evenly_drawn_none_lives_on_less_often_than_its_whole_share(self):
        search = Particles(4, weights="softmax", max_depth=2)
        for trial, value in zip(search.ask(9), [1.0, 1.0, 1.0, 1.0], strict=True):
            search.tell(trial, [Thought("s", value)])
        assert len(set(search.particles)) == 4

    def test_an_ended_one_is_drawn_among_the_others_and_takes_no_more_steps(self):
        search = Particles(2, max_depth=9)
        one, other = search.ask(9)
        search.tell(one, [Thought("a", 0.999999, terminal=True)])
        search.tell(other, [Thought("b", 0.000001)])
        assert search.done
        assert [search.path(node) for node in search.particles] == [["a"], ["b"]] or search.particles[0] == 1

    def test_one_that_failed_has_no_weight(self):
        search = Particles(4, weights="softmax", max_depth=2)
        trials = search.ask(9)
        for trial in trials[:3]:
            search.tell(trial)
        search.tell(trials[3], [Thought("a", 0.001)])
        assert [search.path(trial.node) for trial in search.ask(9)] == [["a"]] * 4

    def test_where_all_failed_it_is_done(self):
        search = Particles(2)
        for trial in search.ask(9):
            search.tell(trial)
        assert search.done
        assert search.best() is None

    def test_a_value_without_odds_is_an_error_and_has_a_softmax(self):
        search = Particles(1)
        with pytest.raises(InvalidRequestError, match="softmax"):
            search.tell(search.ask(1)[0], [Thought("a", 3.0)])
        search = Particles(1, weights="softmax", max_depth=1)
        search.tell(search.ask(1)[0], [Thought("a", 3.0)])
        assert search.log_normaliser == 3.0

    def test_a_higher_temperature_keeps_more_of_the_unlikely(self):
        def lives(temperature):
            return sum(
                search.nodes[node].step == "c"
                for seed in range(200)
                for search in [self.after_one_round(seed, temperature)]
                for node in search.particles
            )

        assert lives(0.5) > lives(1.0) > lives(5.0)

    def after_one_round(self, seed, temperature):
        search = Particles(3, seed=seed, temperature=temperature, max_depth=2)
        for trial, step in zip(search.ask(9), VALUES, strict=True):
            search.tell(trial, [Thought(step, VALUES[step])])
        return search


class TestParticleGibbs:
    def test_the_kept_answer_costs_no_samples_and_stays(self):
        search = ParticleGibbs(3, sweeps=3, max_depth=2)
        rounds = run(search, drawn(0))
        assert rounds == [3, 3, 2, 2, 2, 2]
        assert search.particles[0] == search.reference[-1]
        assert len(search.finished) == 3 * 3
        assert len(set(search.finished)) == 3 + 2 + 2

    def test_a_reference_that_ended_sooner_waits_at_its_end(self):
        search = ParticleGibbs(2, sweeps=2, max_depth=4)
        for trial in search.ask(9):
            search.tell(trial, [Thought("a", 0.5, terminal=True)])
        assert len(search.reference) == 1
        run(search, lambda search, trial: [Thought("b", 0.5)])
        assert search.done
        assert ROOT not in search.particles

    def test_more_sweeps_find_better_answers(self):
        """An answer of two steps weighs most where both are `c`; it is drawn in the end as often as it weighs."""
        weights = {step: value / (1 - value) for step, value in VALUES.items()}
        share = (weights["c"] / sum(weights.values())) ** 2
        runs = 1_500

        def hits(sweeps):
            found = 0
            for seed in range(runs):
                search = ParticleGibbs(2, sweeps=sweeps, seed=seed, max_depth=2)
                run(search, drawn(seed))
                found += search.path(search.particles[1]) == ["c", "c"]
            return found / runs

        few, many = hits(1), hits(8)
        assert many > few
        assert abs(many - share) < abs(few - share)
