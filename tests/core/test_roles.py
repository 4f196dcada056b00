"""Roles: a worker for each, put together and checked when a method is assembled."""

import pytest

from scaffolding_core import (
    BestOfNController,
    Controller,
    FunctionWorker,
    InvalidRequestError,
    MissingWorkerError,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    ScaffoldingLlm,
)
from scaffolding_core.adapting import Backend


def says(text):
    return FunctionWorker(lambda task: text)


class Reviewed(Controller):
    """An answer, and behind it what a critic says of it."""

    def __init__(self, generation, critics):
        self.generation = generation
        self.critics = critics

    def process(self, tasks):
        yield from self.generation.process(tasks)
        for critic in self.critics:
            words = tasks[0].copy()
            yield from critic.process([words])
            tasks[0].output_str += f" {words.output_str}"


def reviewed(*roles):
    return Reviewed(NativeChatController(), [NativeChatController(role=role) for role in roles])


def told(backend, method, **options):
    try:
        return backend.llm(method, options).generate("q").text
    finally:
        backend.close()


def test_each_role_has_its_worker_and_one_worker_may_have_several():
    both = says("no")
    backend = Backend(says("7"), roles={"critic": both, "editor": both, "judge": says("yes")})
    assert told(backend, reviewed("critic", "judge", "editor")) == "7 no yes no"


def test_a_role_that_nobody_plays_is_said_when_the_method_is_assembled():
    backend = Backend(says("7"), roles={"judge": says("yes")})
    with pytest.raises(MissingWorkerError, match=r"Reviewed needs .* 'critic': pass roles=\{'critic': \.\.\.\}"):
        backend.llm(reviewed("judge", "critic"), {})


@pytest.mark.parametrize("method", ["best_of_n", "retry-with-feedback"])
def test_the_error_names_the_role_the_method_and_what_to_pass(method):
    with pytest.raises(MissingWorkerError, match=f"{method} needs .* 'reward': pass reward=, or roles="):
        Backend(says("7")).llm(method, {})
    with pytest.raises(MissingWorkerError, match="'reward': pass reward="):
        Backend(says("7")).controller(BestOfNController(NativeChatController(), NativeRewardController()), {})


def test_a_reward_may_be_given_as_a_role_and_a_role_that_scores_may_be_a_function():
    def length(prompt, answer):
        return len(answer)

    assert told(Backend(says("7"), roles={"reward": length}), "best_of_n", sample_num=2) == "7"
    by_steps = BestOfNController(NativeChatController(), NativeRewardController(role="process_reward"), 2)
    assert told(Backend(says("7"), roles={"process_reward": length}), by_steps) == "7"


def test_a_reward_of_ones_own_that_asks_no_worker_needs_none():
    class Always(NativeRewardController):
        def process(self, tasks):
            self.scores = [1.0 for _ in tasks]
            yield []

    assert told(Backend(says("7")), BestOfNController(NativeChatController(), Always(), 2)) == "7"


def test_a_role_goes_before_the_tag_of_a_task_and_without_one_the_tag_stays():
    workers = {"generation": says("7"), "critic": says("no"), "mine": says("mine")}
    with ScaffoldingLlm(reviewed("critic"), workers) as llm:
        assert llm.generate("q").text == "7 no"

    class Tagged(Controller):
        def process(self, tasks):
            tasks[0].worker_tag = "mine"
            yield from NativeGenerationController().process(tasks)

    with ScaffoldingLlm(Tagged(), workers) as llm:
        assert llm.generate("q").text == "mine"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"roles": {"generation": says("7")}}, "leave it out of roles"),
        ({"reward": max, "roles": {"reward": max}}, "given twice"),
        ({"roles": {"critic": len}}, "'critic' needs a worker, got builtin_function"),
        ({"roles": {"critic": FunctionWorker}}, "'critic' needs a worker"),
        ({"roles": {"reward": 7}}, "a reward must be one of judge, .* got int"),
    ],
)
def test_a_role_that_is_given_wrongly_is_refused(given, told):
    with pytest.raises(InvalidRequestError, match=told):
        Backend(says("7"), **given)


@pytest.mark.parametrize(
    ("reward", "misspelt", "meant"),
    [
        ("judge", "jugde", "judge"),
        ("judge", "Judge", "judge"),
        ({"kind": "unit_tests", "tests": ["assert True"]}, "codes", "code"),
    ],
)
def test_a_misspelt_role_is_not_left_to_whoever_plays_it_unasked(reward, misspelt, meant):
    backend = Backend(says("7"), reward, roles={misspelt: says("9")})
    with pytest.raises(InvalidRequestError, match=f"has no role '{misspelt}': did you mean '{meant}'"):
        backend.controller("best_of_n", {})
    backend.controller("majority_vote", {})  # asks for none
    backend.close()
