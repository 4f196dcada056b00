"""vLLM's server on the CPU, with the weights of the embedded model."""

import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scaffolding_core.workers.local import embedded_model
from tests.engines.vllm.environment import FOLDER, CannotRun, python

__all__ = ["Served", "vllm_server"]

MODEL = "smollm2"
START_SECONDS = 600.0
STOP_SECONDS = 30.0
SETTINGS = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "2",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
}
FLAGS = (
    "--enforce-eager",
    "--max-model-len=4096",
    "--max-num-seqs=16",
    "--enable-auto-tool-choice",
    "--tool-call-parser=hermes",
    "--reasoning-parser=qwen3",  # needs no tokens of its own
    '--default-chat-template-kwargs={"enable_thinking": false}',
    '--structured-outputs-config={"enable_in_reasoning": true}',
    "--enable-prompt-tokens-details",
    "--scheduling-policy=priority",
)


@dataclass(frozen=True)
class Served:
    """Where it is, and what it asks for."""

    url: str
    model: str
    key: str


@contextmanager
def vllm_server() -> Iterator[Served]:
    """The server on a free loopback port, until the end of the `with`; its log is in `FOLDER`.

    Raises:
        CannotRun: vLLM cannot be installed or does not start on this machine.
    """
    interpreter, model, key = python(), FOLDER / "model", secrets.token_hex(8)
    if not (model / "config.json").exists():
        _convert(interpreter, model)
    port = _free_port()
    command = [interpreter, "-m", "vllm.entrypoints.openai.api_server", "--model", model, *FLAGS]
    command += ["--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port), "--api-key", key]
    log = FOLDER / "server.log"
    print(f"Starting vLLM on port {port}, which takes a minute; its log is {log} ...", flush=True)
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env={**os.environ, **SETTINGS})
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}/health", log)
        yield Served(f"http://127.0.0.1:{port}/v1", MODEL, key)
    finally:
        process.terminate()  # it ends its engine's process itself
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _convert(interpreter: Path, model: Path) -> None:
    program = Path(__file__).with_name("weights.py")
    command = [interpreter, program, embedded_model(), model]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"the weights cannot be converted: {_last_line(done.stderr)}")


def _wait_until_ready(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise CannotRun(f"vLLM does not start on this machine: {_last_line(log.read_text())} (see {log})")
        try:
            with urllib.request.urlopen(health, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise CannotRun(f"vLLM did not start within {START_SECONDS:g} s: see {log}")


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "it said nothing")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
