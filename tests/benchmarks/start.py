"""What a start costs: importing the core, and the first token of `scaffolding ask`."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5


def timed(*command: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_token() -> float:
    """Seconds from the command to the first character on its standard output."""
    command = Path(sys.executable).with_name("scaffolding")
    started = time.perf_counter()
    with subprocess.Popen(
        [command, "ask", "What is the capital of France?", "--max-tokens", "8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        waited = time.perf_counter() - started
        process.stdout.read()
    return waited


def main() -> dict[str, object]:
    pairs = [(timed("-c", "pass"), timed("-c", "import scaffolding_core")) for _ in range(ROUNDS)]
    extra = min(b for _, b in pairs) - min(a for a, _ in pairs)
    token = min(first_token() for _ in range(3))
    print(f"Import of the core: {extra * 1000:.0f} ms more than a bare interpreter")
    print(f"`scaffolding ask` on the embedded model: first token after {token:.1f} s")
    return {"import_ms": extra * 1000, "first_token_s": token}
