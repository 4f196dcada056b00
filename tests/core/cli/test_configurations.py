"""Configurations on the command line: asked by, told of, made of others."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from scaffolding_core.cli import app
from scaffolding_core.config import schema
from scaffolding_core.methods import METHODS
from tests.servers.scripted import Reply, scripted_server


def run(*arguments, **options):
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "200"}, **options)


@pytest.fixture
def server():
    with scripted_server(Reply(pieces=("7",))) as server:
        yield server


@pytest.fixture
def vote(tmp_path, server):
    """A file, and its content."""
    path = tmp_path / "vote.yaml"
    tree = {
        "model": {"url": server.url, "model": "m", "siblings": 1},
        "method": "majority_vote",
        "sample_num": 3,
        "stop_rule": "full",
        "sampling": {"temperature": 0.5},
        "budget": {"samples": 9},
    }
    path.write_text(yaml.safe_dump(tree))
    return path


class TestAsking:
    def test_the_file_says_all(self, vote, server):
        done = run("ask", "q", "--config", vote, "--json")
        assert done.exit_code == 0, done.output
        result = json.loads(done.stdout)
        assert (result["text"], result["samples"], result["votes"]) == ("7", 3, {"7": 3})
        assert [(body["model"], body["temperature"]) for body in server.requests] == [("m", 0.5)] * 3

    def test_options_count_before_the_file(self, vote, server):
        options = ("-n", 2, "--temperature", 0.9, "--model", "other", "--system", "Be brief.", "--seconds", 60)
        done = run("ask", "q", "--config", vote, *options, "--json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["samples"] == 2
        body = server.requests[0]
        assert (body["model"], body["temperature"], body["messages"][0]["content"]) == ("other", 0.9, "Be brief.")

    def test_another_address_takes_the_place_of_the_one_in_the_file(self, vote, server):
        with scripted_server(Reply(pieces=("8",))) as other:
            done = run("ask", "q", "--config", vote, "--url", other.url)
        assert (done.exit_code, done.stdout, len(server.requests)) == (0, "8\n", 0)

    def test_a_budget_of_seconds_joins_that_of_the_file(self, vote):
        vote.write_text(vote.read_text().replace("samples: 9", "samples: 1"))
        done = run("ask", "q", "--config", vote, "--seconds", 60, "--json")
        assert json.loads(done.stdout)["samples"] == 1

    def test_what_is_wrong_in_the_file_is_one_line_that_says_where(self, vote):
        vote.write_text(vote.read_text().replace("stop_rule: full", "stop_rule: ful"))
        done = run("ask", "q", "--config", vote)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert "vote.yaml:11:1: no stop rule is named 'ful', did you mean 'full'?" in done.stderr

    def test_an_option_that_the_file_s_method_does_not_take_is_refused(self, vote):
        done = run("ask", "q", "--config", vote, "-m", "direct")
        assert (done.exit_code, "the method 'direct' has no 'sample_num'" in done.stderr) == (2, True)

    def test_a_file_that_is_not_there(self, tmp_path):
        done = run("ask", "q", "--config", tmp_path / "none.yaml")
        assert (done.exit_code, "none.yaml cannot be read: No such file" in done.stderr) == (2, True)

    def test_a_controller_for_tensorrt_llm(self, tmp_path, server):
        (tmp_path / "a.json").write_text(json.dumps({"controller": {"type": "NativeChatController"}}))
        done = run("ask", "q", "--config", tmp_path / "a.json", "--url", server.url)
        assert (done.exit_code, done.stdout) == (0, "7\n")


class TestTelling:
    def test_methods_are_listed_with_what_they_cost_and_need(self):
        told = run("methods").stdout
        for row in METHODS.values():
            assert row.name.replace("_", "-") in told
            assert row.cost[:30] in told
        rows = json.loads(run("methods", "--json").stdout)
        assert [row["name"] for row in rows] == [*METHODS]
        best = next(row for row in rows if row["name"] == "best_of_n")
        assert (best["roles"], "sample_num" in best["options"]) == (["reward"], True)

    def test_the_schema_is_printed(self):
        assert json.loads(run("schema").stdout) == schema()


class TestImporting:
    FILE = """
        llms: {a: {_type: openai, base_url: http://localhost:9/v1, model_name: m, temperature: 0.5}}
        workflow:
          {_type: execute_score_select_function, augmented_fn: x, num_executions: 4, scorer: s, selector: b}
        functions: {x: {_type: react_agent, llm_name: a}}
        ttc_strategies: {s: {_type: llm_based_agent_scoring, scoring_llm: a}, b: {_type: best_of_n_selection}}
    """

    def test_the_configuration_is_printed_and_beside_it_what_is_not_taken_over(self, tmp_path):
        (tmp_path / "nat.yml").write_text(self.FILE)
        for as_json, read in (((), yaml.safe_load), (("--json",), json.loads)):
            done = run("import-nat", tmp_path / "nat.yml", *as_json)
            assert done.exit_code == 0
            assert read(done.stdout)["sample_num"] == 4
            assert "scaffolding: the function 'x' is not taken over" in done.stderr

    def test_what_cannot_be_read_is_one_line(self, tmp_path):
        (tmp_path / "nat.yml").write_text("llms: {}")
        done = run("import-nat", tmp_path / "nat.yml")
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "name one function of test-time compute" in done.stderr
