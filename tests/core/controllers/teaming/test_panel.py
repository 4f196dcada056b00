"""PanelController: several models take turns at the samples of a method."""

import json

import pytest

from scaffolding_core import (
    METHODS,
    ChainOfThoughtController,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    PanelController,
    ReReadingController,
    ScaffoldingLlm,
    SimulatedWorker,
    StepBackController,
    ToolLoopController,
)
from scaffolding_core.adapting import Backend
from scaffolding_core.trace.task_content import content_of
from tests.servers.scripted import Reply, scripted_server

MODELS = ("a", "b", "c")


def panel(kind=NativeGenerationController):
    return PanelController([kind(role=name) for name in MODELS])


async def said(method, **options):
    """What the samples say: each the name of its model."""
    workers = {name: FunctionWorker(lambda task, name=name: name) for name in MODELS}
    async with ScaffoldingLlm(method, workers) as llm:
        output = (await llm.generate_async("q", **options)).output
        return [candidate.text for candidate in output.candidates] or output.text


@pytest.mark.parametrize("kind", [NativeGenerationController, NativeChatController])
async def test_samples_go_round_the_members(kind):
    vote = MajorityVoteController(panel(kind), 5, stop_rule="full")
    assert await said(vote) == ["a", "b", "c", "a", "b"]


@pytest.mark.looptime
@pytest.mark.parametrize(
    "row", [row for row in METHODS.values() if row.samples and row.roles in ((), ("reward",))]
)
async def test_every_method_that_samples_has_them_take_turns(row):
    def model(name):
        return SimulatedWorker({f'{{"said by": "{name}"}}': 1}, reward=0.5)

    method = row(panel(), **{row.samples: 3})
    workers = {name: model(name) for name in (*MODELS, "reward")}
    async with ScaffoldingLlm(method, workers) as llm:
        output = (await llm.generate_async("q")).output
    assert [json.loads(each.text)["said by"] for each in output.candidates[:2]] == [*MODELS[:2]]


@pytest.mark.parametrize(
    "around",
    [
        ChainOfThoughtController,
        ReReadingController,
        StepBackController,
        lambda inner: ToolLoopController(inner, tools=[]),
        lambda inner: PanelController([inner]),
    ],
)
async def test_a_method_around_the_panel_keeps_the_turn_of_its_sample(around):
    vote = MajorityVoteController(around(panel(NativeChatController)), 3, stop_rule="full")
    assert await said(vote) == ["a", "b", "c"]


async def test_the_turns_are_those_of_the_innermost_method_that_samples():
    inner = MajorityVoteController(panel(), 2, stop_rule="full")
    assert await said(MajorityVoteController(inner, 3, stop_rule="full")) == ["a", "a", "a"]


async def test_what_is_no_one_of_several_samples_goes_to_the_first():
    assert await said(panel()) == "a"
    assert await said(MajorityVoteController(panel(), 1)) == ["a"]


async def test_samples_of_a_member_are_siblings_and_those_of_others_are_none():
    members = [NativeChatController(system_prompt=text) for text in ("Be brief.", "Be exact.")]
    vote = MajorityVoteController(PanelController(members), 6, stop_rule="full")
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker, ScaffoldingLlm(vote, worker) as llm:
            await llm.generate_async("q", temperature=1.0)
    assert [request["n"] for request in server.requests] == [3, 3]


async def test_members_that_ask_alike_are_kept_apart_too():
    groups = []

    def answer(task):
        groups.append(task.group)
        return "7"

    vote = MajorityVoteController(panel(), 4, stop_rule="full")
    async with ScaffoldingLlm(vote, FunctionWorker(answer)) as llm:
        await llm.generate_async("q")
    assert groups[0] == groups[3]
    assert len(set(groups)) == 3


def test_which_sample_a_task_is_for_is_no_part_of_what_it_asks():
    one, other = (content_of(GenerationTask(input_str="q", sample_index=index), None) for index in (0, None))
    assert one.digest() == other.digest()


def test_a_panel_of_nobody_and_what_is_no_controller_are_refused():
    with pytest.raises(InvalidRequestError, match="at least one"):
        PanelController([])
    with pytest.raises(InvalidRequestError, match="'big' must be an instance"):
        PanelController({"big": NativeChatController})


def names(text):
    return FunctionWorker(lambda task: text)


def voted(roles, method="majority_vote", **options):
    backend = Backend(names("7"), roles=roles)
    try:
        output = backend.llm(method, options).generate("q").output
    finally:
        backend.close()
    return [candidate.text for candidate in output.candidates]


def test_models_given_by_numbered_roles_take_turns_with_the_model_itself():
    roles = {"generation.10": names("10"), "generation.2": names("2")}
    assert voted(roles, sample_num=4, stop_rule="full") == ["7", "2", "10", "7"]
    method = MajorityVoteController(ChainOfThoughtController(NativeChatController()), 3, stop_rule="full")
    assert voted(roles, method) == ["7", "2", "10"]


def test_a_numbered_role_takes_no_turn_at_what_another_role_does():
    method = MajorityVoteController(NativeChatController(role="judge"), 2, stop_rule="full")
    assert voted({"generation.1": names("1"), "judge": names("yes")}, method) == ["yes", "yes"]
