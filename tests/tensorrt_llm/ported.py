"""A copy of programs for `tensorrt_llm.scaffolding` that runs on `scaffolding_core.tensorrt_llm`."""

import re
import shutil
from pathlib import Path

__all__ = ["STAND_INS", "ported", "ported_text"]

TESTS = Path(__file__).parents[1]
STAND_INS = Path(__file__).parent / "stand_ins"
"""What tests of TensorRT-LLM import from beside them: models and a server."""

_LLM_API = TESTS / "servers/trtllm/tensorrt_llm"
_MOVED = re.compile(r"\btensorrt_llm\.scaffolding\b(?!\.contrib\b)")


def ported(folder: Path, into: Path) -> None:
    """Copy the programs, with imports changed; under `tensorrt_llm`, only `scaffolding/contrib` is theirs.

    Args:
        folder: what to copy; stays as it is.
        into: a folder that is made.
    """
    shutil.copytree(folder, into, ignore=_not_theirs)
    shutil.copytree(_LLM_API, into / "tensorrt_llm", dirs_exist_ok=True)
    for file in into.rglob("*.py"):
        file.write_text(ported_text(file.read_text(encoding="utf-8")), encoding="utf-8")


def ported_text(text: str) -> str:
    """The source with `scaffolding_core.tensorrt_llm` for `tensorrt_llm.scaffolding`, but for its `contrib`."""
    return _MOVED.sub("scaffolding_core.tensorrt_llm", text)


def _not_theirs(folder: str, names: list[str]) -> set[str]:
    theirs = {"tensorrt_llm": "scaffolding", "scaffolding": "contrib"}
    place = Path(folder)
    if place.name == "tensorrt_llm" or (place.name, place.parent.name) == ("scaffolding", "tensorrt_llm"):
        return set(names) - {theirs[place.name]}
    return {name for name in names if name in {".git", "__pycache__"}}
