"""llama.cpp's server as a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path

from scaffolding_core.errors import BackendUnavailableError, ClosedError, ModelFileError, WorkerError

__all__ = ["LlamaServer"]

_PROGRAM = Path(__file__).with_name("llama_process.py")
_REASON = re.compile(r"error loading model: (?:llama_model_loader: )?(.+)")


class LlamaServer:
    """llama.cpp's server on a free loopback port, in a process that ends with this one, however it ends.

    A process of its own, because loading and closing hold the interpreter for seconds, an assertion of
    llama.cpp's would end the host, and idle threads would take the processor from it.

    After a fork, the child speaks to its parent's server and does not stop it.

    Args:
        model: the GGUF file.
        n_parallel: samples that are written at once.
        n_ctx: tokens of context that all of them share.
        threads: threads that compute.
    """

    def __init__(self, model: Path, *, n_parallel: int, n_ctx: int, threads: int) -> None:
        self._model = model
        self._settings = {
            "model": str(model), "n_parallel": n_parallel, "n_ctx": n_ctx, "threads": threads,
        }  # fmt: skip
        self._lock = threading.Lock()
        self._stopped = False
        self._owner = os.getpid()
        self._launched: Future[str] | None = None
        self._process: subprocess.Popen[str] | None = None

    def launch(self) -> Future[str]:
        """Start the server, unless it starts or runs already; one that died is started again.

        Returns:
            its address; or `ModelFileError`, `BackendUnavailableError`, or `ClosedError` after `stop`.
        """
        with self._lock:
            if self._launched is None or self._is_over(self._launched):
                self._owner = os.getpid()
                self._launched = Future()
                self._launched.set_running_or_notify_cancel()  # one who is cut does not cancel it for the others
                threading.Thread(target=self._run, args=(self._launched,), daemon=True, name="llama-start").start()
            return self._launched

    def stop(self) -> None:
        """End the server for good, at once; does nothing in a forked child."""
        if self._owner != os.getpid():
            return
        with self._lock:
            self._stopped = True
            process, self._process = self._process, None
        if process is not None:
            _end(process)

    def _is_over(self, launched: Future[str]) -> bool:
        forked = self._owner != os.getpid()
        if not launched.done():
            return forked  # the thread that was starting it is not in this process
        if launched.exception() is not None:
            return True
        return not forked and (self._process is None or self._process.poll() is not None)

    def _run(self, launched: Future[str]) -> None:
        try:
            launched.set_result(self._start())
        except BaseException as error:
            launched.set_exception(error)

    def _start(self) -> str:
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            process = self._spawn(said.fileno())
            assert process.stdout is not None
            with process.stdout:
                address = process.stdout.readline().strip()
            if address:
                return address
            _end(process)
            said.seek(0)
            raise self._failure(process.returncode, said.read())

    def _spawn(self, stderr: int) -> subprocess.Popen[str]:
        # Threads that wait spin for a moment, then sleep: those that sleep at once make a lone sample three times
        # slower, and those that spin on slow a busy machine down fifteenfold.
        env = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "1000", **os.environ}
        command = [sys.executable, "-P", str(_PROGRAM), json.dumps(self._settings)]
        with self._lock:
            if self._stopped:
                raise ClosedError("the worker was shut down: make a new one")
            if self._process is not None:
                _end(self._process)
            try:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=env, text=True
                )  # fmt: skip
            except OSError as error:
                raise BackendUnavailableError(f"Python cannot be started for llama.cpp: {error}") from error
            return self._process

    def _failure(self, status: int, said: str) -> ClosedError | WorkerError:
        if self._stopped:
            return ClosedError("the worker was shut down while it started: make a new one")
        lines = said.strip().splitlines() or [f"it ended with status {status}"]
        reason = _REASON.search(said)
        if reason is not None:
            return ModelFileError(
                f"llama.cpp cannot load {self._model}: download it again if it is cut short, or update "
                f"xllamacpp if its kind of model is newer ({reason[1]})"
            )
        if status < 0:
            return BackendUnavailableError(
                f"llama.cpp was killed by signal {-status} while it loaded {self._model}: is there enough memory?"
            )
        return BackendUnavailableError(f"llama.cpp does not start with {self._model}: {lines[-1]}")


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
