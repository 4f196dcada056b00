"""Every example runs."""

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
