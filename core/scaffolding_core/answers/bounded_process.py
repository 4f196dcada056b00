"""BoundedProcess: a worker process for hostile input, killed when it takes too long or too much memory."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn

from scaffolding_core.messages import JsonValue
from scaffolding_core.threads import on_abandoned

__all__ = ["BoundedProcess", "serve"]

logger = logging.getLogger("scaffolding_core")

MEMORY = 1 << 30
"""Bytes of memory that the process may take."""

START = 30.0
"""Seconds that the process may take to start: it may import a large library."""

GRACE = 2.0
"""Seconds after which the process ends itself, should whoever had to kill it be gone."""

_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "SYSTEMROOT")
"""What the process sees of the environment: no keys."""


class BoundedProcess:
    """Answers questions in a process of its own that is started with the first; for one thread at a time.

    A question that takes too long has no answer; the process is killed, and the next question starts another. So
    it is where nobody waits for the answer any more.

    Args:
        module: is run with `python -m`; it must call `serve`.

    Attributes:
        killed: how often a process was killed for its time, crashed, or could not start.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.killed = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._unwanted = False

    def __del__(self) -> None:
        self.end()

    def ask(self, question: Mapping[str, JsonValue], timeout: float) -> JsonValue:
        """The answer, or None if there is none in time; blocks, so call it in a thread.

        Args:
            question: plain data.
            timeout: seconds, once the process has started.

        Raises:
            Abandoned: nobody waits for this call any more.
        """
        line = json.dumps({"question": question, "limit": timeout + GRACE}).encode() + b"\n"
        self._unwanted = False
        try:
            with on_abandoned(self._abandon):
                answer = self._exchange(line, timeout) if self._started() else b""
        except BaseException:  # interrupted: its answer must not be read as that to another question
            self.end()
            raise
        if not answer:
            self.killed += 1
            logger.warning("%s did not answer in %g s, or ended; it is replaced", self.module, timeout)
            self.end()
            return None
        result: JsonValue = json.loads(answer)
        return result

    def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def kill(self) -> None:
        """Kill the process under whoever asks it, from another thread."""
        process = self._process
        if process is not None:
            process.kill()

    def forget(self) -> None:
        """Leave the process to whoever started it: for the child of a fork."""
        if self._process is not None:
            self._process.returncode = 0  # not ours to wait for
        self._process = None

    def _abandon(self) -> None:
        self._unwanted = True
        self.kill()

    def _started(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return True
        self.end()
        try:
            # Not multiprocessing: its spawn runs the user's main module again. -P: no import from the working
            # directory.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT if name in os.environ}
                | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        except OSError:
            return False
        if self._unwanted:  # since before there was a process to kill
            self.kill()
        return bool(self._exchange(b"", START))

    def _exchange(self, line: bytes, timeout: float) -> bytes:
        """Write a line and read one; empty if the process ended, or was killed because the time was up."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(timeout, expire)
        timer.daemon = True
        timer.start()
        answer = b""
        try:
            process.stdin.write(line)
            process.stdin.flush()
            answer = process.stdout.readline()
        except (OSError, ValueError):  # it has ended, or was ended
            pass
        finally:
            timer.cancel()
            timer.join()
        return b"" if expired.is_set() else answer


def serve(answer: Callable[[Mapping[str, JsonValue]], JsonValue]) -> NoReturn:
    """Answer questions from standard input, a JSON line each, until it closes; run in the process."""
    _limit()
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not mix with answers
    output.write(b"null\n")
    output.flush()
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        _alarm(asked["limit"])
        try:
            result = answer(asked["question"])
        except MemoryError:
            sys.exit(1)  # what it holds may never be freed
        except Exception:  # whatever hostile input does to a library, it has no answer
            result = None
        _alarm(0)
        output.write(json.dumps(result).encode() + b"\n")
        output.flush()
    sys.exit(0)


def _limit() -> None:
    """At most `MEMORY`, and no files written."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _alarm(seconds: float) -> None:
    """End this process, unhandled, when the seconds are over; 0 calls it off."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
