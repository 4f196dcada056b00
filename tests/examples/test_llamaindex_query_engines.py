"""The query engine examples run, on the embedded model; a scripted server judges, since a small model cannot."""

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
