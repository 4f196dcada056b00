"""Runs tests and examples that were written for `tensorrt_llm.scaffolding`: for whoever has such files.

    python -m tests.tensorrt_llm.programs FOLDER

`FOLDER` holds tests (`test_*.py`), examples (files that run as a program) and the packages that they import from
`tensorrt_llm/scaffolding/contrib`, with the paths they have in TensorRT-LLM's repository. All is copied to a
temporary folder, and nothing in `FOLDER` is changed. In the copy `tensorrt_llm.scaffolding` becomes
`scaffolding_core.tensorrt_llm`, but for `contrib`, which is the programs' own code. What else they import from
`tensorrt_llm` is the stand-in for its LLM API under `tests/servers`; the servers they speak to are the embedded
model. Packages that the programs need beyond these have to be installed.

Each test file runs under pytest and each example as a program, in a process of its own that has `LIMIT` seconds.
Examples get a model's path or a server's address where they have an option for it, and further arguments from
`FOLDER/arguments.json` if it is there: path of the example -> list of argument lists, one run each.

Prints how many passed of each. What needs more of TensorRT-LLM than its stand-in has needs a GPU, and is told
apart from what failed. The exit status is 0 if nothing failed.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Column, Table

from scaffolding_core.workers.local import LocalWorker
from tests.tensorrt_llm.ported import STAND_INS, ported

__all__ = ["LIMIT", "Outcome", "main", "outcomes"]

LIMIT = 300.0
"""Seconds that a test file or an example may take."""

_MODEL_OPTIONS = ("--model_dir", "--reward_model_dir", "--generation_dir", "--generation_model", "--reward_model")
_SERVER_OPTIONS = ("--base_url",)
_KEY_OPTIONS = ("--API_KEY", "--openai_api_key")
_QUESTION = {"problem": "What is 1 + 1?", "answer": "2"}
_ANSWER = r"One and one are two, so the answer is \boxed{2}."
_TOKENIZER = {
    "version": "1.0",
    "added_tokens": [],
    "model": {"type": "WordLevel", "vocab": {"<unk>": 0}, "unk_token": "<unk>"},
    "pre_tokenizer": {"type": "Whitespace"},
}
"""One that Transformers loads; it counts words."""
_RAISED = re.compile(r"[\w.]+(?:Error|Exception)\b")
_PLUGIN = "pytest_asyncio.plugin"
_NEEDS_GPU = re.compile(r"(?:No module named|from) '(?:tensorrt_llm|torch)\b|\bCUDA\b|\bGPU\b")


@dataclass(frozen=True)
class Outcome:
    """How one file, or one run of an example, ended.

    Attributes:
        program: its path in the folder, with its arguments.
        passed: tests that passed; an example is one.
        failed: last line of the error of each that did not.
        needs_gpu: the same of each that needs more of TensorRT-LLM than its stand-in has.
    """

    program: str
    passed: int
    failed: list[str] = field(default_factory=list)
    needs_gpu: list[str] = field(default_factory=list)


def outcomes(folder: Path, limit: float = LIMIT) -> Iterator[Outcome]:
    """Run all that is in the folder, one after the other.

    Args:
        folder: with tests and examples.
        limit: seconds for each.
    """
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        copy = Path(temporary) / "programs"
        ported(folder, copy)
        _add_data(copy)
        files = [file for file in sorted(copy.rglob("*.py")) if "tensorrt_llm" not in file.relative_to(copy).parts]
        for file in (file for file in files if file.name.startswith("test_")):
            yield _tests(file, copy, limit)
        for file in (file for file in files if _is_example(file)):
            given = _given(file.read_text(), copy, stack)
            for arguments in _arguments(folder, file.relative_to(copy)):
                yield _example(file, [*given, *arguments], arguments, copy, limit)


def main() -> int:
    """Print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description="Runs programs for tensorrt_llm.scaffolding on this library.")
    parser.add_argument("folder", type=Path)
    table = Table(Column("program", overflow="fold"), "passed", "needs a GPU", "what did not pass")
    ended = list(outcomes(parser.parse_args().folder))
    for outcome in ended:
        total = outcome.passed + len(outcome.failed)
        told = "\n".join(sorted({*outcome.failed, *outcome.needs_gpu}))
        table.add_row(outcome.program, f"{outcome.passed} of {total}", str(len(outcome.needs_gpu) or ""), told)
    Console().print(table)
    return int(any(outcome.failed for outcome in ended))


def _add_data(copy: Path) -> None:
    """Add what programs ask for: a model, as the stand-in takes it, and a file of questions."""
    (copy / "model").mkdir()
    (copy / "model/config.json").write_text("{}")
    (copy / "model/answers.json").write_text(json.dumps([_ANSWER]))
    (copy / "model/tokenizer.json").write_text(json.dumps(_TOKENIZER))
    (copy / "model/tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    (copy / "test.jsonl").write_text(json.dumps(_QUESTION) + "\n")
    (copy / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")


def _is_example(file: Path) -> bool:
    """Whether it runs as a program, and ends: what listens on a port is a server."""
    text = file.read_text()
    return not file.name.startswith("test_") and "__main__" in text and "--port" not in text


def _arguments(folder: Path, file: Path) -> list[list[str]]:
    told = folder / "arguments.json"
    runs: dict[str, list[list[str]]] = json.loads(told.read_text()) if told.exists() else {}
    return runs.get(str(file), [[]])


def _given(text: str, copy: Path, stack: contextlib.ExitStack) -> list[str]:
    """Values for the options that the example has."""
    values = [(option, str(copy / "model")) for option in _of(text, _MODEL_OPTIONS)]
    values += [(option, "none") for option in _of(text, _KEY_OPTIONS)]
    if addressed := list(_of(text, _SERVER_OPTIONS)):
        worker = stack.enter_context(LocalWorker())
        worker.start()
        values += [(option, worker.base_url) for option in addressed]
    return [part for value in values for part in value]


def _of(text: str, options: Iterable[str]) -> Iterator[str]:
    return (option for option in options if re.search(rf"['\"]{option}['\"]", text))


def _tests(file: Path, copy: Path, limit: float) -> Outcome:
    report = copy / "report.xml"
    report.unlink(missing_ok=True)
    options = ["-q", "--noconftest", "-c", str(copy / "pytest.ini"), "--rootdir", str(copy), "-p", _PLUGIN]
    _, shown = _run(
        [sys.executable, "-m", "pytest", *options, "--junitxml", str(report), str(file)], file, copy, limit
    )
    name = str(file.relative_to(copy))
    if not report.exists():
        return Outcome(name, 0, [shown])
    cases = list(ElementTree.parse(report).iter("testcase"))
    errors = [error for case in cases if (error := _error(case)) is not None]
    return _told_apart(name, len(cases) - len(errors), errors)


def _error(case: ElementTree.Element) -> str | None:
    """The line that says why a test did not pass."""
    kept = next(
        (found for kind in ("skipped", "error", "failure") if (found := case.find(kind)) is not None), None
    )
    if kept is None:
        return None
    lines = [line for line in (kept.text or "").splitlines() if line.startswith("E ")]
    told = kept.get("message", "")
    # What could not be imported says so only in the text.
    return lines[-1][1:].strip() if told == "collection failure" and lines else told.partition("\n")[0]


def _example(file: Path, given: list[str], arguments: list[str], copy: Path, limit: float) -> Outcome:
    package = ".".join(file.parent.relative_to(copy).parts)
    program = ["-m", package] if file.name == "__main__.py" else [str(file)]
    status, shown = _run([sys.executable, *program, *given], file, copy, limit)
    name = " ".join([str(file.relative_to(copy)), *arguments])
    return _told_apart(name, int(status == 0), [shown] if status else [])


def _told_apart(name: str, passed: int, errors: list[str]) -> Outcome:
    gpu = [error for error in errors if _NEEDS_GPU.search(error)]
    return Outcome(name, passed, [error for error in errors if error not in gpu], gpu)


def _run(command: list[str], file: Path, copy: Path, limit: float) -> tuple[int, str]:
    """Exit status of a program, and the line that says how it ended; whatever it started ends with it."""
    # Tests import each other by the name of their folder.
    path = [str(STAND_INS), str(file.parent.parent), str(copy), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # what is installed here takes seconds to load
        "LLM_MODELS_ROOT": str(copy / "model"),
    }
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=copy, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            return 1, f"took longer than {limit:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        lines = [line for line in output.read().splitlines() if line.strip()]
    raised = [line for line in lines if _RAISED.match(line)]
    return status, (raised or lines or [""])[-1]


if __name__ == "__main__":
    sys.exit(main())
