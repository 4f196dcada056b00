"""Every example runs."""

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_demo_prints_accuracies_costs_and_answers():
    command = [sys.executable, str(EXAMPLES / "demo.py"), "--questions", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=True, env={"COLUMNS": "120"})
    for shown in (
        "one sample",
        "majority vote of 16",
        "best of 16",
        "of 3)",
        "started",
        "counted",
        "not begun",
        "lighthouse",
        "Done in",
    ):
        assert shown in done.stdout
    assert done.stderr == ""


def test_the_configuration_answers_on_the_command_line():
    command = [Path(sys.executable).with_name("scaffolding"), "ask", "What is 6 times 7?", "--json"]
    asked = [*command, "--config", str(EXAMPLES / "vote.yaml"), "-n", "3"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=110, check=True)
    output = json.loads(done.stdout)
    assert (output["method"], 1 <= output["samples"] <= 3) == ("MajorityVoteController", True)
