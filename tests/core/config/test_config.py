"""Configurations: what they say, what becomes of it, and that it is written as it was read."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolding_core import (
    METHODS,
    BestOfNController,
    Beta,
    Boxed,
    Budget,
    ChainOfThoughtController,
    Exact,
    FirstOf,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    MissingWorkerError,
    NativeChatController,
    Numeric,
    Regex,
    UnknownMethodError,
)
from scaffolding_core.config import Config, dump, load
from scaffolding_core.config.method import method_options
from scaffolding_core.config.options import options_of as parts_of
from scaffolding_core.config.parts import NAMES
from scaffolding_core.config_text import Tree, tree_of
from tests.servers.scripted import Reply, scripted_server


def says(*texts):
    """A worker that says the texts one after another, and keeps what it was asked."""
    replies = iter(texts)
    asked = []

    def answer(task):
        asked.append(task)
        task.output_str = next(replies)

    worker = FunctionWorker(answer)
    worker.asked = asked
    return worker


def method(tree, **objects):
    return Config(tree_of(tree) if isinstance(tree, str) else tree, objects).parts().method


class TestMethods:
    def test_a_name_is_enough(self):
        assert isinstance(method({"method": "majority-vote"}), MajorityVoteController)
        assert isinstance(method({}), NativeChatController)

    def test_options_are_those_of_the_class_and_the_number_of_samples_has_one_name(self):
        vote = method("{method: majority_vote, sample_num: 16, run_ahead: .inf, min_samples: 2}")
        assert (vote.default_sample_num, vote.run_ahead, vote.min_samples) == (16, float("inf"), 2)

    def test_the_generation_is_one_chat_turn_of_which_more_may_be_said(self):
        turn = method("{sampling: {temperature: 0.8, stop: [x]}, system: Be brief., role: small}")
        assert turn.sampling_params == {"temperature": 0.8, "stop": ["x"]}
        assert (turn.system_prompt, [*turn.needs]) == ("Be brief.", ["small"])

    def test_methods_nest(self):
        tree = """
            method: majority_vote
            generation: {method: chain_of_thought, generation: {sampling: {temperature: 1}}}
        """
        outer = method(tree)
        assert isinstance(outer.generation_controller, ChainOfThoughtController)
        assert outer.generation_controller.generation_controller.sampling_params == {"temperature": 1}

    def test_parts_are_named_alone_or_with_their_options(self):
        tree = """
            method: majority_vote
            answers: {kind: choice, choices: [A, B]}
            stop_rule: {kind: beta, confidence: 0.9}
            extractor: [boxed, {kind: regex, pattern: "= (.*)"}, number]
            equivalence: numeric
        """
        vote = method(tree)
        assert isinstance(vote.stop_rule, Beta)
        assert isinstance(vote.answers.equivalence, Numeric)
        assert isinstance(vote.answers.extractor, FirstOf)
        first, second, _ = vote.answers.extractor.extractors
        assert (type(first), type(second), second.pattern.pattern) == (Boxed, Regex, "= (.*)")

    def test_an_option_that_is_named_as_what_every_method_has_keeps_its_whole_name(self):
        tree = "{method: calibrated, method_controller: majority_vote, otherwise: {system: Think.}}"
        assert isinstance(method(tree).method_controller, MajorityVoteController)

    def test_each_field_has_its_kind_of_answer(self):
        vote = method("{method: field_vote, answers: {price: number}, equivalences: {name: exact}}")
        prices = vote.equivalences["price"].classes()
        assert prices.assign("7.0") == prices.assign("7")
        assert isinstance(vote.equivalences["name"], Exact)

    def test_what_no_file_can_hold_is_an_object_of_the_program(self):
        rule, inner = Beta(), NativeChatController()
        tree = "{method: majority_vote, stop_rule: {$ref: rule}, generation: {$ref: inner}}"
        vote = method(tree, rule=rule, inner=inner)
        assert vote.stop_rule is rule
        assert vote.generation_controller is inner


class TestRewards:
    def test_a_reward_is_a_name_or_a_mapping(self):
        for reward in ("judge", {"kind": "judge", "scale": 5}):
            parts = Config({"method": "best_of_n", "reward": reward}).parts()
            assert isinstance(parts.method, BestOfNController)
            assert [*parts.roles] == ["reward"]

    def test_a_judge_may_be_a_method_of_its_own(self):
        tree = "{method: best_of_n, reward: {kind: judge, judge: {method: chain_of_thought}}}"
        judge = Config(tree_of(tree)).parts().roles["reward"]["judge"]
        assert [*judge.generation_controller.needs] == ["judge"]

    def test_rewards_combine(self):
        rewards = "[judge, {kind: math, reference: 4}]"
        tree = f"{{method: best_of_n, reward: {{kind: combined, by: minimum, rewards: {rewards}}}}}"
        reward = Config(tree_of(tree)).parts().roles["reward"]
        assert reward["rewards"] == [{"kind": "judge"}, {"kind": "math", "reference": 4}]

    def test_each_method_has_its_own_reward_and_the_outermost_is_the_role(self):
        tree = """
            method: best_of_n
            reward: {kind: exact, reference: 7}
            generation: {method: best_of_n, sample_num: 2, reward: {kind: regex, pattern: "7|8"}}
            sample_num: 2
            model: {$ref: model}
        """
        config = Config(tree_of(tree), {"model": says("9", "8", "x", "7")})
        with config.llm() as llm:
            result = llm.generate("q")
        assert (result.text, result.outputs[0].score) == ("7", 1.0)
        assert [each.text for each in result.outputs[0].candidates] == ["8", "7"]


class TestRequests:
    def test_options_hold_for_each_request_that_gives_none_of_its_own(self):
        worker = says(*"1" * 8)
        tree = "{model: {$ref: model}, method: majority_vote, sample_num: 3, seed: 5, budget: {samples: 2}}"
        with Config(tree_of(tree), {"model": worker}).llm() as llm:
            bounded = llm.generate("q")
            free = llm.generate("q", budget=Budget(samples=9))
        assert (bounded.outputs[0].stopped, free.outputs[0].stopped) == ("budget", "decided")
        assert all(task.seed is not None for task in worker.asked)

    def test_they_are_checked_when_it_is_made(self):
        with pytest.raises(InvalidRequestError, match=r"^f:1:2: seed must be of type int"):
            Config(tree_of("{seed: x}", "f")).llm()


class TestRunning:
    def test_a_file_is_a_running_method(self, tmp_path, monkeypatch):
        monkeypatch.setenv("THE_KEY", "secret")
        with scripted_server(Reply(pieces=("7",))) as server:
            text = f"""
                model: {{url: "{server.url}", model: m, api_key: "${{THE_KEY}}", siblings: 1}}
                method: majority_vote
                sample_num: 3
                stop_rule: full
                generation: {{sampling: {{temperature: 0.8}}}}
            """
            (tmp_path / "vote.yaml").write_text(text)
            with load(tmp_path / "vote.yaml") as llm:
                assert llm.generate("q").text == "7"
        assert [body["temperature"] for body in server.requests] == [0.8] * 3
        assert {headers["Authorization"] for headers in server.headers} == {"Bearer secret"}

    def test_several_addresses_are_a_pool_and_roles_have_workers_of_their_own(self, tmp_path):
        with scripted_server(Reply(pieces=("Score: 7",))) as judge, scripted_server(Reply(pieces=("a",))) as model:
            tree = {
                "model": {"url": [model.url, model.url], "model": "m"},
                "method": "best_of_n",
                "sample_num": 2,
                "reward": {"kind": "judge", "reasons": False},
                "roles": {"judge": {"url": judge.url, "model": "j"}},
            }
            (tmp_path / "a.json").write_text(json.dumps(tree))
            with load(tmp_path / "a.json") as llm:
                assert llm.generate("q").text == "a"
        assert {body["model"] for body in judge.requests} == {"j"}
        assert {body["model"] for body in model.requests} == {"m"}

    async def test_it_closes_what_it_opened_and_nothing_else(self):
        mine = says("7")
        with scripted_server(Reply(pieces=("7",))) as server:
            tree = f"{{model: '{server.url}', roles: {{critic: {{$ref: mine}}}}}}"
            async with Config(tree_of(tree), {"mine": mine}).llm() as llm:
                await llm.generate_async("q")
            (opened,) = llm._opened
        assert opened is llm.workers["generation"]
        with pytest.raises(Exception, match="closed"):
            await opened.run_task(GenerationTask.create_from_prompt("q"))
        assert not getattr(mine, "_closed", False)

    def test_what_cannot_be_put_together_leaves_nothing_open(self, monkeypatch):
        from scaffolding_core.workers.openai import OpenAIWorker

        closed = []
        monkeypatch.setattr(OpenAIWorker, "shutdown", lambda self: closed.append(self))
        with pytest.raises(MissingWorkerError, match=r"^f:1:1: best_of_n needs a worker for the role 'reward'"):
            Config(tree_of("{model: 'http://a/v1', method: best_of_n}", "f")).llm()
        assert len(closed) == 1

    def test_a_controller_of_a_file_for_tensorrt_llm_runs_with_all_that_stands_beside_it(self):
        tree = """
            model: {$ref: model}
            controller:
              type: MajorityVoteController
              args:
                default_sample_num: 3
                generation_controller: {type: NativeChatController, args: {sampling_params: {temperature: 0.5}}}
        """
        worker = says("\\boxed{7}", "\\boxed{8}", "\\boxed{7}")
        with Config(tree_of(tree), {"model": worker}).llm() as llm:
            assert "7" in llm.generate("q").text
        assert [task.temperature for task in worker.asked] == [0.5] * 3

    def test_a_method_that_runs_code_has_a_sandbox(self):
        tree = "{model: {$ref: model}, method: program_of_thought, roles: {code: {backend: monty, seconds: 2}}}"
        with Config(tree_of(tree), {"model": says("```python\nprint(6 * 7)\n```")}).llm() as llm:
            assert llm.generate("q").outputs[0].answer == "42"


def options_of(row):
    """Values for each option of a method that a file can say more of than its default."""
    parts = {"method": st.just("direct")}
    for part, names in NAMES.items():
        bare = [name for name, make in names.items() if not any(each.needed for each in parts_of(make).values())]
        parts[part] = st.sampled_from(bare)
    named = {}
    for name, option in method_options(row).items():
        if option.part in parts and not option.many and name != "reward":
            named[name] = parts[option.part]
    named["reward"] = st.sampled_from(["judge", {"kind": "exact", "reference": "7"}, "http://127.0.0.1:9"])
    named = {name: value for name, value in named.items() if name in method_options(row)}
    return st.fixed_dictionaries({"method": st.just(row.name)}, optional=named)


@pytest.mark.parametrize("row", METHODS.values(), ids=METHODS)
class TestEveryMethod:
    @settings(max_examples=20)
    @given(data=st.data())
    def test_what_is_dumped_is_read_again(self, row, data, tmp_path_factory):
        config = Config(
            {**data.draw(options_of(row)), "model": "http://127.0.0.1:9/v1", "budget": {"seconds": 2.5}}
        )
        folder = tmp_path_factory.mktemp("dumped")
        for name in ("a.yaml", "a.json"):
            dump(config, folder / name)
            assert Config.read(folder / name) == config

    @settings(max_examples=20)
    @given(data=st.data())
    def test_its_parts_are_named_in_a_file(self, row, data):
        needed = {"reward": "judge"} if "reward" in row.roles else {}
        given = {**needed, **data.draw(options_of(row))}
        try:
            built = method(given)
        except InvalidRequestError as error:
            assert "PairwiseJudge" in str(error) or "math" in str(error)  # parts that do not fit together
        else:
            assert type(built) in (row.constructor, NativeChatController)

    def test_none_of_its_options_is_named_as_what_stands_beside_a_method(self, row):
        assert not method_options(row).keys() & {
            "model",
            "roles",
            "controller",
            "method",
            "generation",
            "budget",
            "seed",
        }


class TestSayingNothing:
    def test_keys_are_shown_nowhere(self, monkeypatch):
        monkeypatch.setenv("THE_KEY", "sk-secret")
        config = Config({"model": {"url": "http://a/v1", "api_key": "${THE_KEY}"}, "roles": {"x": "http://b/v1"}})
        with config.llm() as llm:
            shown = [repr(config), dump(config), repr(config.parts()), repr(llm.workers), repr(config.fields())]
        assert all("sk-secret" not in each for each in shown)
        assert "api_key: ${THE_KEY}" in dump(config)
        assert "sk-literal" not in repr(Config({"model": {"url": "http://a", "api_key": "sk-literal"}}))

    def test_a_variable_may_have_a_default(self, monkeypatch):
        monkeypatch.delenv("NOWHERE", raising=False)
        with Config({"model": "${NOWHERE:-http://127.0.0.1:9/v1}"}).llm() as llm:
            assert "127.0.0.1:9" in repr(llm.workers["generation"])


class TestValues:
    def test_two_are_equal_that_say_the_same(self):
        assert Config({"seed": 1}) == Config(Tree({"seed": 1}, {}, "a.yaml")) != Config({"seed": 2})
        assert Config({}) != {}
        with pytest.raises(TypeError):
            hash(Config({}))

    def test_one_with_other_values_keeps_the_rest(self):
        config = Config(tree_of("seed: 1\nmethod: direct", "f"))
        assert config.updated(seed=2).tree == {"seed": 2, "method": "direct"}
        assert config.tree["seed"] == 1
        assert repr(config.updated(seed=2)) == "Config(f)"

    def test_a_tree_that_holds_itself_is_refused(self):
        tree = {"method": "direct"}
        tree["generation"] = tree
        with pytest.raises(InvalidRequestError, match="holds itself|nested too deeply"):
            Config(tree).parts()


def test_an_unknown_method_is_the_error_that_it_is_elsewhere():
    with pytest.raises(UnknownMethodError, match="did you mean 'majority_vote'"):
        Config({"method": "majority_vot"}).parts()
