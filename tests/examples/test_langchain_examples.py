"""The LangChain examples run.

The agent, and the cascade's large model, run on the scripted server: the embedded model calls no tools, and
what it finds hard differs from run to run. The others run on the embedded model.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.langchain.agents import Steps, says, wants
from tests.servers.reward_servers import Vllm, made, serve
from tests.servers.scripted import scripted_server

EXAMPLES = Path(__file__).parents[2] / "examples"


def printed(name, *arguments):
    """What an example prints; nothing goes to its standard error."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=True, env={"PATH": os.environ["PATH"]}
    )
    assert done.stderr == ""
    return done.stdout


def test_a_retrieval_chain_prints_voted_answers():
    shown = printed("langchain_rag_vote.py")
    assert len(re.findall(r"samples, agreement \d+%\)\n    votes: \{", shown)) == 3
    assert "innamon rolls" in shown


@pytest.mark.parametrize(
    ("wanted", "agreed", "left"),
    [
        (["report-old.txt", "report.txt", *["report-old.txt"] * 3], True, "notes.txt, report.txt"),
        (["report.txt", "report-old.txt", "notes.txt", "a", "b"], False, "notes.txt, report-old.txt, report.txt"),
    ],
)
def test_an_agent_deletes_a_file_only_if_its_samples_agree(wanted, agreed, left):
    samples = [wants(("delete_file", {"name": name})) for name in wanted]
    with scripted_server(Steps(wants(("list_files", {})), samples, says("That is all."))) as server:
        shown = printed("langchain_agent_vote.py", "--url", server.url)
    assert f"agreed: {agreed}" in shown
    assert f"Files left: {left}" in shown
    assert ("was not run" in shown) is not agreed
    assert "That is all." in shown


def test_of_several_runs_of_an_agent_the_one_whose_file_passes_is_kept(tmp_path):
    written = [wants(("write_file", {"name": "names.txt", "text": text})) for text in ("Zoe", "Ann\nBob\nZoe")]
    steps = Steps(wants(("read_file", {"name": "names.txt"})), written, says("Sorted."))
    with scripted_server(steps) as server:
        shown = printed("langchain_agent_runs.py", "--url", server.url, "--folder", str(tmp_path / "names"))
    assert "Kept: Ann, Bob, Zoe" in shown
    assert re.search(r"Spent: \d+ of 50000 tokens in \d+ calls", shown)
    assert [each.name for each in tmp_path.iterdir()] == ["names"]


def test_a_call_of_a_servers_tool_that_changes_things_runs_only_if_samples_agree():
    samples = [wants(("delete_file", {"name": name})) for name in ("notes.txt", *["report-old.txt"] * 4)]
    again = [wants(("delete_file", {"name": name})) for name in "abcde"]
    steps = Steps(wants(("list_files", {})), samples, again, says("That is all."))
    with scripted_server(steps) as server:
        shown = printed("langchain_mcp_agent.py", "--url", server.url)
    assert "notes.txt, report-old.txt, report.txt" in shown
    assert "agreed: True" in shown
    assert "\ndeleted" in shown
    assert "agreed: False" in shown
    assert "delete_file was not run" in shown
    assert "no such file" not in shown


def test_a_cascade_asks_the_large_model_where_the_small_one_disagrees_with_itself():
    with scripted_server(says("9 * 17 = 153")) as server:
        shown = printed("langchain_cascade.py", "--url", server.url)
        sure = shown.count("by the small model")
        assert sure + len(server.requests) == 3
    assert shown.count("9 * 17 = 153\n    answered by the large model") >= 1


def test_a_cascade_without_a_server_asks_the_small_model_once_more():
    assert printed("langchain_cascade.py", "--threshold", "1").count("    answered by the ") == 3


def test_an_extraction_prints_each_field_with_its_share_of_the_votes():
    shown = printed("langchain_extraction.py")
    assert len(re.findall(r"    (?:name|city|age): .+  \(\d+% of the votes\)", shown)) == 6
    assert "name: Anna Berg" in shown


def test_a_chain_prints_the_answer_that_another_model_judges_best():
    with scripted_server(says("Score: 8")) as server:
        shown = printed("langchain_best_of_n_judge.py", "rain", "--judge-url", server.url)
    assert re.search(r"rain: .+\n    score 0\.78; of all: \[0\.7", shown, re.DOTALL)
    assert len(server.requests) in (1, 2, 3)  # equal answers are judged once


def test_a_chain_prints_the_answer_whose_samples_a_process_reward_model_trusts_most():
    wrong = says("3 and 4\n\nThe answer is 7")
    right = says("Each of the 3 packs holds 4 cards\n\nSo the answer is 12, as 3 times 4 is 12")
    samples = says("", each=(wrong, right, wrong, says("The answer is 7"), right, wrong))
    model = made(Vllm, models=("Qwen/Qwen2.5-Math-PRM-7B",), steps="separators")
    with scripted_server(samples) as server, serve(model) as rewards:
        shown = printed("langchain_weighted_vote_prm.py", rewards.url, "--url", server.url)
    assert "How many cards is that?  12\n" in shown
    assert "votes: {'12': 2, '7': 4}" in shown
    assert "'12': 0.66" in shown


def test_a_chain_prints_what_programs_compute_and_has_one_that_fails_written_again():
    def writes(body):
        messages = body["messages"]
        if "17" in messages[0]["content"]:
            return says("```python\nprint(17 ** 9)\n```")
        sieve = "print(sum(all(n % d for d in range(2, n)) for n in range(2, 1000)))"
        return says(f"```python\n{sieve if len(messages) > 1 else 'print(primes(1000))'}\n```")

    with scripted_server(writes) as server:
        shown = printed("langchain_program_of_thought.py", "--url", server.url)
    assert "to the power of 9?  118587876497\n" in shown
    assert "below 1000?  168\n" in shown
    assert len(server.requests) == 3
