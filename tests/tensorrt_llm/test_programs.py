"""The script that runs programs written for `tensorrt_llm.scaffolding`."""

from pathlib import Path

import pytest

from tests.tensorrt_llm.ported import ported_text
from tests.tensorrt_llm.programs import outcomes

TEST = """
import pytest
from tensorrt_llm.scaffolding import Task
from tensorrt_llm.scaffolding.contrib.ours import theirs

def test_passes(tmp_path):
    assert theirs(Task())

def test_fails():
    assert Task is None, "tasks are there"

def test_needs_the_engine():
    import tensorrt_llm.bindings
"""
CONTRIB = """
from tensorrt_llm.scaffolding.task import Task

def theirs(task):
    return isinstance(task, Task)
"""
EXAMPLE = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--model_dir", required=True)
parser.add_argument("--fail", action="store_true")
if __name__ == "__main__":
    if parser.parse_args().fail:
        raise SystemExit("it was told to fail")
    from tensorrt_llm import SamplingParams
    from tensorrt_llm.scaffolding import ScaffoldingLlm
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, text in {
        "tests/unittest/scaffolding/test_ours.py": TEST,
        "tensorrt_llm/scaffolding/contrib/ours.py": CONTRIB,
        "examples/ours.py": EXAMPLE,
        "arguments.json": '{"examples/ours.py": [[], ["--fail"]]}',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def test_tests_and_examples_run_in_a_copy_and_what_needs_a_gpu_is_told_apart(folder: Path):
    tests, example, failing = outcomes(folder)
    assert tests.program == "tests/unittest/scaffolding/test_ours.py"
    assert (tests.passed, tests.failed) == (1, ["AssertionError: tasks are there"])
    assert tests.needs_gpu == ["ModuleNotFoundError: No module named 'tensorrt_llm.bindings'"]
    assert (example.program, example.passed, example.failed) == ("examples/ours.py", 1, [])
    assert (failing.program, failing.passed, failing.failed) == (
        "examples/ours.py --fail",
        0,
        ["it was told to fail"],
    )
    assert (folder / "tests/unittest/scaffolding/test_ours.py").read_text() == TEST


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path):
    (tmp_path / "endless.py").write_text("import time\nif '__main__' == __name__:\n    time.sleep(600)\n")
    (ended,) = outcomes(tmp_path, limit=0.1)
    assert (ended.passed, ended.failed) == (0, ["took longer than 0.1 s"])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("from tensorrt_llm.scaffolding import Task", "from scaffolding_core.tensorrt_llm import Task"),
        ("import tensorrt_llm.scaffolding.task as t", "import scaffolding_core.tensorrt_llm.task as t"),
        ("from tensorrt_llm.scaffolding.contrib import a2a", "from tensorrt_llm.scaffolding.contrib import a2a"),
        ("from tensorrt_llm import LLM", "from tensorrt_llm import LLM"),
    ],
)
def test_imports_of_scaffolding_change_but_for_contrib_and_the_llm_api(theirs: str, ours: str):
    assert ported_text(theirs) == ours
