"""The table of methods, and what is derived of it."""

import inspect
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scaffolding_core import (
    METHODS,
    BestOfNController,
    InvalidRequestError,
    MajorityVoteController,
    Method,
    NativeChatController,
    NativeRewardController,
    UnknownMethodError,
    build_method,
)
from scaffolding_core.cli import app
from scaffolding_core.controller import Controller, roles_of

README = Path(__file__).parents[2] / "README.md"
HEAD = ("| method | controller | what it does | cost | needs |", "| --- | --- | --- | --- | --- |")

rows = pytest.mark.parametrize("row", METHODS.values(), ids=METHODS)


def documented(row):
    controller = f"`{row.constructor.__name__}`" if inspect.isclass(row.constructor) else ""
    roles = ", ".join(f"`{role}`" for role in row.roles)
    return f"| `{row.name}` | {controller} | {row.summary} | {row.cost} | {roles} |"


def test_the_readmes_table_is_that_of_the_rows():
    table = "\n".join([*HEAD, *map(documented, METHODS.values())])
    assert f"\n{table}\n" in README.read_text()


def test_the_command_tells_of_each():
    help_text = CliRunner().invoke(app, ["ask", "--help"], env={"COLUMNS": "400"}).output
    told = " ".join(help_text.replace("│", " ").split())
    for row in METHODS.values():
        assert f"{row.name.replace('_', '-')}: {row.summary}" in told


@rows
def test_each_is_found_by_its_name_and_makes_its_controller(row):
    assert METHODS[row.name] is row
    method = build_method(row.name)
    assert not inspect.isclass(row.constructor) or type(method) is row.constructor
    assert type(METHODS[row.name](NativeChatController())) is type(method)


@rows
def test_each_names_the_roles_that_its_parts_need(row):
    assert roles_of(build_method(row.name)) == {"generation", *row.roles}


@rows
def test_each_that_takes_several_samples_takes_their_number(row):
    if row.samples is None:
        with pytest.raises(InvalidRequestError, match="takes one sample"):
            build_method(row.name, sample_num=3)
    else:
        assert getattr(build_method(row.name, sample_num=3), row.samples) == 3


def test_dashes_do_for_underscores():
    assert isinstance(build_method("majority-vote", sample_num=3), MajorityVoteController)
    assert isinstance(build_method("direct"), NativeChatController)


def test_an_unknown_name_and_unknown_options_are_typed_errors():
    for name in ("vote", None):
        with pytest.raises(UnknownMethodError, match="there are: direct, chain_of_thought"):
            build_method(name)
    with pytest.raises(InvalidRequestError, match="options"):
        build_method("majority_vote", size=3)
    with pytest.raises(InvalidRequestError, match="options"):
        build_method("direct", size=3)


def test_the_controller_of_a_role_may_be_given_among_the_options():
    mine = NativeRewardController()
    method = build_method("best_of_n", reward_controller=mine)
    assert isinstance(method, BestOfNController)
    assert method.reward_controller is mine


def test_a_row_of_ones_own_gets_a_part_for_each_role_that_it_takes_one_for():
    class Debate(Controller):
        def __init__(self, generation_controller, critic_controller, process_reward_controller):
            self.critic, self.reward = critic_controller, process_reward_controller

    row = Method(
        name="debate",
        constructor=Debate,
        summary="two argue",
        cost="2 samples",
        roles=("critic", "process_reward", "tools"),
    )
    method = row(NativeChatController())
    assert (roles_of(method.critic), roles_of(method.reward)) == ({"critic"}, {"process_reward"})
    assert isinstance(method.reward, NativeRewardController)
