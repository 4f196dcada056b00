"""The LlamaIndex examples run, on the embedded model; a scripted server judges and calls tools."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

from tests.servers.scripted import Reply, scripted_server

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_voted_query_engine_prints_answer_votes_and_samples():
    shown = run("llamaindex_voted_query_engine.py", "--samples", "4")
    told = next(line for line in shown if line.startswith("answer "))
    assert "1836" in told
    assert "tokens" in told
    assert len([line for line in shown if line.startswith("- ")]) == 4


def test_the_best_by_faithfulness_is_what_the_judge_accepts():
    def judge(body):
        information = body["messages"][-1]["content"].rsplit("Information: ", 1)[1].split("\nContext:")[0]
        verdict = "YES" if "Anna Berg" in information else "NO"
        return Reply(pieces=(verdict,))

    with scripted_server(judge) as server:
        shown = run(
            "llamaindex_best_by_faithfulness.py", "--url", server.url, "--model", "judge", "--samples", "3"
        )
    told = next(line for line in shown if line.startswith("score "))
    scores = {line.split()[1] for line in shown if line.startswith("- ")}
    named = any("Anna Berg" in line for line in shown if line.startswith("- "))
    assert told.startswith("score 1.0" if named else "score 0.0")
    assert scores <= {"0.0", "1.0"}
    assert len(server.requests) == 3


def test_an_extraction_prints_each_field_that_the_samples_agree_on():
    shown = run("llamaindex_extraction.py", "--samples", "4")
    assert [line.split(":")[0].strip() for line in shown if line.startswith("    ")] == ["name", "city", "age"] * 2
    assert "    name: Anna Berg" in shown


def test_an_agent_takes_the_step_that_most_samples_want():
    wanted = itertools.cycle(["report.txt", "report-old.txt", "report.txt", "notes.txt", "report.txt"])

    def script(body):
        told = [message["content"] for message in body["messages"] if message["role"] == "tool"]
        if len(told) == 2:
            return Reply(pieces=(f"They cover the {told[1]}.",))
        call = ("read_file", f'{{"name": "{next(wanted)}"}}') if told else ("list_files", "{}")
        return Reply(pieces=(), tool_calls=(call,), finish="tool_calls")

    with scripted_server(script) as server:
        shown = run("llamaindex_agent_vote.py", "--url", server.url)
    assert [re.sub(r"\d+%", "..%", line) for line in shown] == [  # a vote may be decided before all samples are in
        "list_files({}), agreement ..%: notes.txt, report-old.txt, report.txt",
        "read_file({'name': 'report.txt'}), agreement ..%: Sales of 2025",
        "They cover the Sales of 2025.",
    ]


def test_a_pool_answers_all_though_one_of_its_servers_is_stopped_meanwhile():
    shown = run("llamaindex_pool.py")
    assert shown[0].startswith("stopped http://127.0.0.1:")
    assert [line[:2] for line in shown[1:]] == ["- "] * 3
    assert "1836" in shown[1]
