"""The stand-in for TensorRT-LLM, where tests ask for it: imported as `tensorrt_llm`, and gone again afterwards."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOUBLE = Path(__file__).parent
"""The folder to put on the path of a program, so that it finds the stand-in."""

VERSIONS = {"late 2025": "tensorrt_llm.late_2025", "mid 2026": "tensorrt_llm.llmapi.llm"}
"""Where the `LLM` of each version is."""


_loaded: dict[str, ModuleType] = {}
"""Its modules, which are loaded once."""


@contextmanager
def standing_in(version: str = "mid 2026") -> Iterator[ModuleType]:
    """The stand-in as `tensorrt_llm`, with the LLM of a version."""
    before = sys.path[:]
    sys.path.insert(0, str(DOUBLE))
    sys.modules.update(_loaded)
    try:
        package = import_module("tensorrt_llm")
        import_module("tensorrt_llm.llmapi").LLM = package.LLM = import_module(VERSIONS[version]).LLM
        yield package
    finally:
        sys.path[:] = before
        for name in [name for name in sys.modules if name.partition(".")[0] == "tensorrt_llm"]:
            _loaded[name] = sys.modules.pop(name)


def model_folder(folder: Path, *answers: str) -> Path:
    """A folder that the stand-in takes for a model, which gives these answers in turn."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "answers.json").write_text(json.dumps(answers))
    return folder


@pytest.fixture
def tensorrt_llm() -> Iterator[ModuleType]:
    """The stand-in, as of mid-2026."""
    with standing_in() as package:
        yield package


@pytest.fixture
def make_llm(tensorrt_llm: ModuleType, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes LLMs that give answers in turn; they end with the test."""
    made = []

    def make(*answers: str, **options: Any) -> Any:
        made.append(tensorrt_llm.LLM(str(model_folder(tmp_path / "model", *answers)), **options))
        return made[-1]

    yield make
    for llm in made:
        llm.double.go_on()
        llm.shutdown()
