"""BoundedProcess: a worker process for hostile input, killed when it takes too long or too much memory."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from scaffolding_core.messages import JsonValue

__all__ = ["BoundedProcess", "serve", "shared_process"]

MEMORY = 1 << 30
"""Bytes of memory that the process may take."""

START = 30.0
"""Seconds that the process may take to start: it may import a large library."""


class BoundedProcess:
    """Answers questions, one at a time, in a process of its own that is started with the first.

    A question that takes too long has no answer; the process is killed and the next question starts another.

    Args:
        module: is run with `python -m`; it must call `serve`.

    Attributes:
        killed: how often the process was killed.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.killed = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def ask(self, question: JsonValue | dict[str, object], timeout: float) -> JsonValue:
        """The answer, or None if there is none in time; blocks, so call it in a thread.

        Args:
            question: plain data.
            timeout: seconds.
        """
        with self._lock:
            process = self._started()
            if process is None:
                return None
            line = json.dumps(question).encode() + b"\n"
            answer = _exchange(process, line, time.monotonic() + timeout)
            if answer is None:
                self.killed += 1
                self._end()
                return None
            result: JsonValue = json.loads(answer)
            return result

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _started(self) -> subprocess.Popen[bytes] | None:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        # Not multiprocessing: its spawn runs the user's main module again.
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        if _exchange(self._process, b"", time.monotonic() + START) is None:
            self._end()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


@functools.cache
def shared_process(module: str) -> BoundedProcess:
    """The one process of this kind in this program; it ends with it."""
    process = BoundedProcess(module)
    atexit.register(process.close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=functools.partial(process.__init__, module))  # type: ignore[misc]  # the parent's process is not the child's
    return process


def serve(answer: Callable[[dict[str, object]], JsonValue]) -> None:
    """Answer questions from standard input, a JSON line each, until it closes; run in the process."""
    _limit_memory()
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not mix with answers
    output.write(b"null\n")
    output.flush()
    for line in sys.stdin.buffer:
        try:
            result = answer(json.loads(line))
        except Exception:  # whatever hostile input does to a library, it has no answer
            result = None
        output.write(json.dumps(result).encode() + b"\n")
        output.flush()


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _exchange(process: subprocess.Popen[bytes], line: bytes, until: float) -> bytes | None:
    """Write a line and read one; None if the process ends, or does not answer in time."""
    assert process.stdin is not None
    assert process.stdout is not None
    # A long line may fill the pipe while the process is stuck, so it is written in a thread.
    writer = threading.Thread(target=_write, args=(process, line), daemon=True)
    writer.start()
    answer = b""
    while not answer.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            return None
        piece = os.read(process.stdout.fileno(), 1 << 16)
        if not piece:
            return None
        answer += piece
    return answer


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    with suppress(OSError, ValueError):
        process.stdin.write(line)
        process.stdin.flush()
