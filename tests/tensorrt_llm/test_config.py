"""Controllers built of a tree of names, in memory and in files."""

import json
import sys

import pytest

from scaffolding_core.errors import InvalidRequestError, MissingExtraError
from scaffolding_core.tensorrt_llm import config
from scaffolding_core.tensorrt_llm.config import build_controller, load_controller_config, register_controller
from scaffolding_core.tensorrt_llm.controller import (
    BestOfNController,
    ChatWithMCPController,
    Controller,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    PRMController,
)

VOTE = {
    "type": "MajorityVoteController",
    "args": {
        "default_sample_num": 3,
        "generation_controller": {
            "type": "NativeGenerationController",
            "args": {"sampling_params": {"max_tokens": 8, "temperature": 0.9}},
        },
    },
}


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """What a test registers goes with it."""
    monkeypatch.setattr(config, "_registered", dict(config._registered))


class Yours(Controller):
    def __init__(self, parts=()):
        self.parts = parts


def test_a_tree_is_built_from_its_leaves_and_other_mappings_stay():
    built = build_controller(VOTE)
    assert type(built) is MajorityVoteController
    assert built.default_sample_num == 3
    assert type(built.generation_controller) is NativeGenerationController
    assert built.generation_controller.sampling_params == {"max_tokens": 8, "temperature": 0.9}
    assert type(build_controller({"type": "NativeRewardController"})) is NativeRewardController


def test_trees_may_be_deep_and_stand_in_lists():
    register_controller("Yours", Yours)
    best = {
        "type": "BestOfNController",
        "args": {
            "generation_controller": {"type": "NativeChatController"},
            "reward_controller": {"type": "NativeRewardController"},
        },
    }
    built = build_controller({"type": "Yours", "args": {"parts": [best, 1, {"$ref": "it"}]}}, {"it": "that"})
    assert type(built.parts[0]) is BestOfNController
    assert type(built.parts[0].generation_controller) is NativeChatController
    assert built.parts[1:] == [1, "that"]


def test_what_no_file_can_hold_is_referred_to():
    tokenizer, tools = object(), [{"name": "search"}]
    scored = {"type": "PRMController", "args": {"tokenizer": {"$ref": "tokenizer"}, "split_steps": False}}
    built = build_controller(scored, objects={"tokenizer": tokenizer})
    assert type(built) is PRMController
    assert built.tokenizer is tokenizer
    assert not built.split_steps
    chat = {
        "type": "ChatWithMCPController",
        "args": {"generation_controller": {"type": "NativeChatController"}, "tools": {"$ref": "tools"}},
    }
    built = build_controller(chat, objects={"tools": tools})
    assert type(built) is ChatWithMCPController
    assert built.tools is tools


@pytest.mark.parametrize(
    ("spec", "kind", "match"),
    [
        ({"type": "Nothing"}, ValueError, "unknown controller type 'Nothing'; known are BestOfN"),
        ({"type": ["Nothing"]}, ValueError, "unknown controller type"),
        ({"args": {}}, ValueError, "missing required key 'type'"),
        ("NativeRewardController", TypeError, "must be a mapping"),
        ({"type": "NativeRewardController", "args": 3}, TypeError, "controller.args must be a mapping"),
        ({"type": "NativeRewardController", "more": {}}, ValueError, "unexpected key"),
        ({"type": "NativeRewardController", "args": {"more": 1}}, TypeError, "cannot construct NativeReward"),
        (
            {"type": "PRMController", "args": {"tokenizer": {"$ref": "it"}}},
            KeyError,
            "^controller.args.tokenizer: un",
        ),
        ({"type": "PRMController", "args": {"tokenizer": [{"type": "No"}]}}, ValueError, r"args\.tokenizer\[0\]"),
        (
            {"type": "NativeGenerationController", "args": {"sampling_params": {"type": "json"}}},
            ValueError,
            "unknown controller type",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(spec, kind, match):
    with pytest.raises(kind, match=match) as raised:
        build_controller(spec)
    assert isinstance(raised.value, InvalidRequestError)


def test_a_name_is_one_controllers():
    register_controller("Yours", Yours)
    register_controller("Yours", Yours)
    with pytest.raises(ValueError, match="already registered"):
        register_controller("Yours", PRMController)
    with pytest.raises(TypeError, match="subclass of Controller"):
        register_controller("Theirs", dict)


def test_a_tree_in_a_file(tmp_path):
    in_json = tmp_path / "vote.json"
    in_json.write_text(json.dumps({"controller": VOTE}))
    assert load_controller_config(str(in_json)).default_sample_num == 3
    in_yaml = tmp_path / "chat.yaml"
    in_yaml.write_text("controller:\n  type: NativeChatController\n  args: {sampling_params: {max_tokens: 5}}\n")
    assert load_controller_config(in_yaml).sampling_params == {"max_tokens": 5}


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("a.json", "{}", "missing required top-level key 'controller'"),
        ("a.yaml", "", "must hold a mapping"),
        ("a.json", "{", "cannot be read"),
        ("a.yaml", "a: [", "cannot be read"),
    ],
)
def test_a_file_that_holds_no_tree_is_refused(tmp_path, name, text, match):
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidRequestError, match=match):
        load_controller_config(tmp_path / name)


def test_without_the_library_for_yaml_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.yaml").write_text("controller: {}")
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "scaffolding_core.config_text.yaml_text", raising=False)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[yaml\]"):
        load_controller_config(tmp_path / "a.yaml")
