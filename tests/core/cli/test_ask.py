"""`scaffolding ask`, run as people run it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scaffolding_core.answers import KINDS
from tests.eventually import until
from tests.servers import stdio_tools
from tests.servers.scripted import Reply, scripted_server

COMMAND = Path(sys.executable).with_name("scaffolding")


def scaffolding(*arguments, columns="200", **options):
    return subprocess.run(
        [COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": columns},
        **options,
    )


def _each(*texts):
    """Says the texts one after another."""
    replies = iter(texts)
    return lambda body: Reply(pieces=(next(replies),))


def test_several_addresses_are_a_pool_each_with_its_key():
    dead = ("--url", "http://127.0.0.1:9/v1", "--api-key", "none")
    with scripted_server(Reply(pieces=("42",))) as server:
        done = scaffolding("ask", "q", *dead, "--url", server.url, "--api-key", "two", "--model", "m")
        refused = scaffolding("ask", "q", *dead, "--api-key", "two")
    assert (done.returncode, done.stdout.strip()) == (0, "42")
    assert [headers["Authorization"] for headers in server.headers] == ["Bearer two"]
    assert refused.returncode == 2
    assert "several times for one --url" in refused.stderr


def test_the_embedded_model_answers_by_default():
    done = scaffolding("ask", "What is the capital of France?", "--max-tokens", "12", "--temperature", "0")
    assert done.returncode == 0
    assert done.stdout.strip()
    assert "1 sample" in done.stderr
    assert "tokens" in done.stderr


def test_a_vote_shows_its_bars_and_its_cost():
    with scripted_server(_each("7", "7", "8", "7")) as server:
        done = scaffolding(
            "ask", "q", "--url", server.url, "-m", "majority-vote", "-n", "4", "--stop-rule", "full", "--seed", "1"
        )
    assert (done.returncode, done.stdout) == (0, "7\n")
    bars, cost = done.stderr.splitlines()[:2], done.stderr.splitlines()[-1]
    assert bars[0].startswith("7 █")
    assert bars[0].rstrip().endswith("3")
    assert bars[1].startswith("8 █")
    assert cost.startswith("4 samples started, 4 counted, 75% agree, ")
    assert ", 28 tokens, " in cost


def test_a_vote_that_stops_early_tells_what_was_started_what_counted_and_what_was_cut():
    slow = Reply(pieces=("7 ",) * 500, between=0.05)
    replies = iter([Reply(pieces=("7",))] * 3 + [slow] * 2)
    with scripted_server(lambda body: next(replies)) as server:
        vote = ("-m", "majority-vote", "-n", "5", "--seed", "1", "--answers", "number")
        done = scaffolding("ask", "q", "--url", server.url, *vote)
    assert (done.returncode, done.stdout) == (0, "7\n")
    assert done.stderr.splitlines()[-1].startswith("5 samples started, 3 counted, 2 cut, 100% agree, read as ")


def test_further_models_are_said_by_their_roles():
    with scripted_server(_each("7", "8")) as cheap, scripted_server(Reply(pieces=("42",))) as strong:
        cascade = ("ask", "q", "--url", cheap.url, "--model", "m", "-m", "cascade", "-n", "2", "--siblings", "1")
        named = json.dumps({"url": strong.url, "model": "big", "api_key": "key"})
        done = scaffolding(*cascade, "--role", f"strong={named}", "--json")
        missing = scaffolding(*cascade)
        broken = scaffolding(*cascade, "--role", "strong")
    assert json.loads(done.stdout)["data"] == {"answered_by": "strong", "confidence": 0.5}
    assert [request["model"] for request in strong.requests] == ["big"]
    assert strong.headers[0]["Authorization"] == "Bearer key"
    assert "cascade needs a worker for the role 'strong': add --role strong=URL" in missing.stderr
    assert "--role must be ROLE=URL" in broken.stderr
    assert {missing.returncode, broken.returncode} == {2}


@pytest.mark.parametrize(
    ("role", "meant"), [("generation1", "did you mean 'generation.1'?"), ("strong", "there are: generation.1")]
)
def test_a_role_that_nobody_asks_is_refused_before_anything_is_paid(role, meant):
    with scripted_server(Reply(pieces=("7",))) as server:
        vote = ("ask", "q", "--url", server.url, "--model", "m", "-m", "majority-vote", "-n", "3")
        done = scaffolding(*vote, "--role", f"{role}={server.url}")
    assert done.returncode == 2
    assert f"the method asks nobody by the role {role!r}" in done.stderr
    assert meant in done.stderr
    assert not server.requests


def test_a_judge_that_a_reward_asks_may_have_a_role_of_its_own():
    with scripted_server(Reply(pieces=("7",))) as server, scripted_server(Reply(pieces=("Score: 9",))) as critic:
        best = ("ask", "q", "--url", server.url, "--model", "m", "-m", "best-of-n", "-n", "2")
        reward = json.dumps({"kind": "judge", "role": "critic"})
        done = scaffolding(*best, "--reward", reward, "--role", f"critic={critic.url}", "--json")
    assert done.returncode == 0, done.stderr
    assert len(critic.requests) == 1
    assert len(server.requests) == 1


def test_models_of_numbered_roles_take_turns_at_the_samples():
    with scripted_server(Reply(pieces=("7",))) as one, scripted_server(Reply(pieces=("8",))) as other:
        vote = (
            "ask",
            "q",
            "--url",
            one.url,
            "--model",
            "m",
            "-m",
            "majority-vote",
            "-n",
            "3",
            "--stop-rule",
            "full",
        )
        done = scaffolding(*vote, "--role", f"generation.1={other.url}", "--json")
    assert [each["text"] for each in json.loads(done.stdout)["candidates"]] == ["7", "8", "7"]


def test_samples_can_be_kept_apart():
    with scripted_server(Reply()) as server:
        scaffolding("ask", "q", "--url", server.url, "-m", "majority-vote", "-n", "3", "--siblings", "1")
    assert [body.get("n") for body in server.requests] == [None] * 3


def test_the_cost_is_one_line_however_narrow_the_terminal():
    with scripted_server(_each(*["7"] * 4)) as server:
        vote = (
            "ask",
            "q",
            "--url",
            server.url,
            "-m",
            "majority-vote",
            "-n",
            "4",
            "--seed",
            "1",
            "--stop-rule",
            "full",
        )
        done = scaffolding(*vote, columns="40")
    assert done.stderr.count("\n") == 2
    assert done.stderr.splitlines()[-1].startswith("4 samples started, 4 counted, 100% agree, ")


def test_a_kind_of_answer_is_said_by_its_name_and_the_winner_tells_how_it_was_read():
    vote = ("ask", "q", "-m", "majority-vote", "-n", "3", "--stop-rule", "full", "--seed", "1")
    said = ["It is 7.", "Seven, so 7.0", "8"]
    with scripted_server(_each(*said, *said, *said)) as server:
        number = scaffolding(*vote, "--url", server.url, "--answers", "number", "--json")
        shown = scaffolding(*vote, "--url", server.url, "--answers", "number")
        whole = scaffolding(*vote, "--url", server.url, "--answers", "whole", "--json")
    result = json.loads(number.stdout)
    assert (result["votes"], result["samples"], result["counted"], result["cut"]) == ({"7": 2, "8": 1}, 3, 3, 0)
    assert result["read_as"]
    assert f", read as {result['read_as']}, " in shown.stderr.splitlines()[-1]
    assert len(json.loads(whole.stdout)["votes"]) == 3


def test_a_kind_with_parameters_and_a_kind_for_each_field_are_said_in_json():
    said = ['{"price": "5", "why": "a"}', '{"price": "so 5", "why": "b"}', '{"price": "6", "why": "c"}']
    vote = ("ask", "q", "-n", "3", "--stop-rule", "full", "--seed", "1", "--json")
    with scripted_server(_each(*said, *said)) as server:
        kind = '{"kind": "json", "key": "why"}'
        keyed = scaffolding(*vote, "--url", server.url, "-m", "majority-vote", "--answers", kind)
        fields = scaffolding(*vote, "--url", server.url, "-m", "field-vote", "--answers", '{"price": "number"}')
    assert json.loads(keyed.stdout)["votes"] == {"a": 1, "b": 1, "c": 1}
    assert json.loads(fields.stdout)["data"]["fields"] == {"price": 2 / 3, "why": 1 / 3}


def test_json_is_for_programs():
    with scripted_server(Reply(pieces=("7",))) as server:
        done = scaffolding("ask", "-", "--url", server.url, "--model", "m", "--json", input="how many?")
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert (result["text"], result["samples"], result["usage"]["completion_tokens"]) == ("7", 1, 2)
    assert done.stderr == ""
    assert server.requests[0]["messages"][0]["content"] == "how many?"
    assert server.requests[0]["model"] == "m"


OBEYED = "\x1b]0;title\x07\x1b[31m \x9b2J \u202eevil \ud83d [red]7[/red] [link=x]y[/link] :warning: "


def _harmless(text):
    return all(char.isprintable() or char == "\n" for char in text)


def test_nothing_that_a_model_writes_moves_the_terminal():
    with scripted_server(Reply(pieces=(OBEYED,))) as server:
        plain = scaffolding("ask", "q", "--url", server.url)
        vote = scaffolding("ask", "q", "--url", server.url, "-m", "majority-vote", "-n", "2")
        programs = scaffolding("ask", "q", "--url", server.url, "--json")
    for done in (plain, vote, programs):
        assert (done.returncode, _harmless(done.stdout), _harmless(done.stderr)) == (0, True, True)
    assert "[red]7[/red] [link=x]y[/link] :warning:" in plain.stdout
    assert json.loads(programs.stdout)["text"] == OBEYED


def test_nothing_that_a_server_writes_moves_the_terminal():
    with scripted_server(Reply(status=400, body={"error": {"message": OBEYED}})) as server:
        done = scaffolding("ask", "q", "--url", server.url)
    assert (done.returncode, done.stdout, _harmless(done.stderr)) == (1, "", True)


def test_best_of_n_takes_a_function_as_reward(tmp_path):
    (tmp_path / "rewards.py").write_text("def length(prompt, answer):\n    return len(answer)\n")
    with scripted_server(Reply(pieces=("ccc",))) as server:
        best_of_3 = ("-m", "best-of-n", "-n", "3", "--reward", "rewards:length")
        done = scaffolding("ask", "q", "--url", server.url, *best_of_3, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ccc\n")


def test_a_model_acts_through_a_server_of_tools_that_is_a_command():
    action = 'Action: repeat\nAction Input: {"text": "ab", "times": 2}'
    with scripted_server(_each(action, "Final Answer: abab")) as server:
        program = f"{sys.executable} {stdio_tools.__file__}"
        done = scaffolding("ask", "q", "--url", server.url, "-m", "react", "--mcp", program)
    assert (done.returncode, done.stdout) == (0, "abab\n")
    assert server.requests[-1]["messages"][-1]["content"] == "Observation: abab"
    assert stdio_tools.NOISE not in done.stderr


def test_a_reward_may_be_said_as_json_and_the_result_tells_its_verdict():
    reward = '{"kind": "combined", "rewards": [{"kind": "exact", "reference": "7"}], "by": "minimum"}'
    with scripted_server(Reply(pieces=("7",))) as server:
        best_of_2 = ("-m", "best-of-n", "-n", "2", "--reward", reward, "--json")
        done = scaffolding("ask", "q", "--url", server.url, *best_of_2)
    candidate = json.loads(done.stdout)["candidates"][0]
    assert (candidate["score"], candidate["verdict"]) == (1.0, True)


@pytest.mark.parametrize(
    ("said", "judged"), [("7", ", score 1.00, 7 tokens, "), ("8", ", score 0.00, not passed, 7 tokens, ")]
)
def test_the_cost_line_says_how_the_answer_was_judged(said, judged):
    reward = '{"kind": "exact", "reference": "7"}'
    with scripted_server(Reply(pieces=(said,))) as server:
        done = scaffolding("ask", "q", "--url", server.url, "-m", "best-of-n", "-n", "1", "--reward", reward)
    assert (done.returncode, done.stdout) == (0, f"{said}\n")
    assert judged in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["ask", ""], 2, "the prompt is empty"),
        (
            ["ask", "q", "-m", "vote"],
            2,
            "there are: direct, chain_of_thought, ",
        ),
        (["ask", "q", "-m", "majority-vote", "-n", "0"], 2, "sample_num"),
        (["ask", "q", "-m", "majority-vote", "--stop-rule", "soon"], 2, "lossless, beta"),
        (["ask", "q", "-m", "best-of-n"], 2, "--reward"),
        (["ask", "q", "-m", "best-of-n", "--reward", "nowhere:f"], 2, "--reward"),
        (["ask", "q", "-m", "tool-loop"], 2, "add --mcp"),
        (["ask", "q", "--mcp", "python server.py"], 2, "leave --mcp out"),
        (["ask", "q", "--siblings", "1"], 2, "--siblings is for a server"),
        (["ask", "q", "--engine", "trtllm", "--model", "/no/such"], 1, "there is no model in /no/such"),
        (["ask", "q", "--engine", "trtllm", "--url", "http://127.0.0.1:9/v1"], 2, "leave one out"),
        (["ask", "q", "-m", "best-of-n", "--reward", "jury"], 2, "no reward is named 'jury'; there are: "),
        (["ask", "q", "--reward", "os.path:join"], 2, "leave --reward out"),
        (["ask", "q", "--stop-rule", "full"], 2, "the method 'direct' has no 'stop_rule'"),
        (["ask", "q", "-m", "majority-vote", "--answers", "numbre"], 2, "there are: auto, number, "),
        (
            ["ask", "q", "-m", "majority-vote", "--answers", '{"kind":'],
            2,
            "--answers must be the name of a kind, or",
        ),
        (["ask", "q", "-m", "majority-vote", "--answers", '{"kind": "number", "a": 1}'], 2, "'number' has no 'a'"),
        (["ask", "q", "-m", "field-vote", "--answers", "number"], 2, "a kind for each field"),
        (["ask", "q", "--answers", "number"], 2, "the method 'direct' has no 'answers'"),
        (["ask", "q", "--seconds", "0"], 2, "budget seconds"),
        (["ask", "q", "--temperature", "nan", "--url", "http://127.0.0.1:9/v1", "--model", "m"], 2, "JSON"),
        (["ask", "q", "--url", "http://127.0.0.1:9/v1"], 1, "no server answers"),
        (["ask", "q", "--url", "nonsense"], 2, "http://"),
        (["ask", "q", "--model", "/nowhere.gguf"], 1, "no model file"),
    ],
)
def test_what_goes_wrong_is_one_line_with_an_exit_code(arguments, code, message):
    done = scaffolding(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.startswith("scaffolding: ")
    assert done.stderr.count("\n") == 1


def test_a_model_that_the_server_rejects():
    refusal = Reply(
        status=404, body={"error": {"message": "The model `x` does not exist.", "code": "model_not_found"}}
    )
    with scripted_server(refusal) as server:
        done = scaffolding("ask", "q", "--url", server.url, "--model", "x")
    assert done.returncode == 1
    assert "does not serve the model 'x'" in done.stderr


def test_interrupting_ends_it_at_once_and_at_the_server():
    with scripted_server(Reply(pieces=("x ",) * 500, between=0.05)) as server:
        process = subprocess.Popen(
            [COMMAND, "ask", "q", "--url", server.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
        asyncio.run(until(lambda: server.cut))
    assert server.cut == 1


def test_interrupting_it_while_it_is_imported_ends_it_quietly(tmp_path):
    (tmp_path / "scaffolding_core.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([COMMAND, "--version"], capture_output=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_help_and_version():
    told = scaffolding("ask", "--help").stdout
    assert "majority-vote" in told
    assert all(kind.replace("_", "-") in told for kind in KINDS)
    assert scaffolding("--version").stdout.startswith("scaffolding-llm 0.")
