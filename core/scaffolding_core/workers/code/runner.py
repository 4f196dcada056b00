"""Runs one program within limits and tells how it went: a script for the Python of a container, from 3.9 on.

It is copied there, beside `job.json`, and prints two lines of JSON: that it runs, and how it ended. The program
runs in a second process, so that whatever becomes of that one is told.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import pickle
import resource
import select
import signal
import stat
import subprocess
import sys
import time
import types
from contextlib import suppress
from pathlib import Path
from typing import Any  # what JSON and pickles hold

HOME = Path(__file__).resolve().parent
FILES = HOME / "files"
PROGRAM = "<program>"

_LOOK_AGAIN = 0.05  # seconds
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def main() -> None:
    """Watch over the program, or be it."""
    job = json.loads((HOME / "job.json").read_text("utf-8"))
    if sys.argv[1:]:
        _be_the_program(job, int(sys.argv[1]))
        return
    print(json.dumps({"python": sys.version}), flush=True)
    print(json.dumps(_watched(job)), flush=True)


# The process that watches.


def _watched(job: dict[str, Any]) -> dict[str, Any]:
    for path, content in job["files"].items():
        where = FILES / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(base64.b64decode(content))
    FILES.mkdir(exist_ok=True)
    FILES.chmod(0o777)  # it may be somebody else's who has no rights
    report, told = os.pipe()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve()), str(told)],
        cwd=FILES,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[told],
        start_new_session=True,
    )
    os.close(told)
    assert process.stdout is not None
    most = {process.stdout.fileno(): job["output_bytes"], report: job["memory_bytes"]}
    said, limit = _read(process, most, job)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait()
    ended = _told(said[report], status)
    if limit is not None:
        words = {
            "time": f"it took longer than {job['seconds']:g} s",
            "output": f"it printed more than {job['output_bytes']} bytes",
            "processes": f"it started more than {job['processes']} processes",
            "files": f"its files have more than {job['memory_bytes']} bytes",
        }
        ended.update(failure=["limit", limit, words[limit], None], result=None, state=None)
    ended["stdout"] = said[process.stdout.fileno()].decode("utf-8", "replace")
    ended["memory_used"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    ended["files"] = _files(job["memory_bytes"]) if limit is None else {}
    return ended


def _read(
    process: subprocess.Popen[bytes], most: dict[int, int], job: dict[str, Any]
) -> tuple[dict[int, bytearray], str | None]:
    """What came of each pipe until the process ended, and the limit that it ran into."""
    said = {pipe: bytearray() for pipe in most}
    pipes, end, look_at = list(most), time.monotonic() + job["seconds"], 0.0
    roots = [HOME, *map(Path, job["writable"])]
    processes, written = _processes(), _written(roots)
    while pipes:
        now = time.monotonic()
        left = end - now
        if left <= 0:
            return said, "time"
        if now >= look_at:
            look_at = now + _LOOK_AGAIN
            if _processes() - processes > job["processes"]:
                return said, "processes"
            if _written(roots) - written > job["memory_bytes"]:
                return said, "files"
        ready = select.select(pipes, [], [], min(left, _LOOK_AGAIN))[0]
        if not ready and process.poll() is not None:  # what it has started may hold its pipes open
            break
        for pipe in ready:
            piece = os.read(pipe, 1 << 16)
            said[pipe] += piece
            if not piece:
                pipes.remove(pipe)
            if len(said[pipe]) > most[pipe]:
                del said[pipe][most[pipe] :]
                return said, "output"
    return said, None


def _processes() -> int:
    return sum(entry.name.isdigit() for entry in Path("/proc").iterdir())


def _written(roots: list[Path]) -> int:
    """Bytes of the files that are where it may write."""
    found = 0
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                with suppress(OSError):
                    found += Path(folder, name).lstat().st_size
    return found


def _told(report: bytearray, status: int) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(report)
    except ValueError:
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        kind = ["limit", "time"] if -status == signal.SIGXCPU else ["crash", "crash"]
        return {"failure": [*kind, f"it ended at once, with {how}", None], "result": None, "state": None}
    return {name: told.get(name) for name in ("failure", "result", "state")}


def _files(most: int) -> dict[str, str]:
    """Content by path, of so many bytes at most."""
    found: dict[str, str] = {}
    for folder, _, names in os.walk(FILES):
        for name in names:
            path = Path(folder, name)
            try:
                if not stat.S_ISREG(path.lstat().st_mode):
                    continue
                with path.open("rb") as file:
                    content = file.read(most + 1)
                shown = path.relative_to(FILES).as_posix()
                shown.encode()
            except (OSError, UnicodeError):
                continue
            most -= len(content) + len(shown)
            if most < 0:
                return found
            found[shown] = base64.b64encode(content).decode()
    return found


# The process that is the program.


def _be_the_program(job: dict[str, Any], report: int) -> None:
    _limit(job)
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    sys.argv = [PROGRAM]
    names, state = main.__dict__, _restored(job["state"], main.__dict__)
    failure = _run(job["code"], names)
    with suppress(Exception):
        sys.stdout.flush()
    result = None
    try:
        value = names.pop(job["result_name"], None)
        result = None if value is None or failure is not None else repr(value)
        if result is not None and len(result) > job["output_bytes"]:
            result = None
            failure = ["limit", "output", f"its result has more than {job['output_bytes']} characters", None]
    except BaseException as error:
        failure = _failure(error)
    kept = None
    if job["kept"]:
        with suppress(MemoryError):
            kept = _kept(job["code"], state, names)
        if kept is None or len(kept) > job["memory_bytes"] // 2:  # beside the result, in what may be told
            kept = None
            failure = failure or ["limit", "memory", "what it has defined is too much to be kept", None]
    with os.fdopen(report, "w", encoding="utf-8") as file:
        json.dump({"failure": failure, "result": result, "state": kept}, file)


def _limit(job: dict[str, Any]) -> None:
    if job["user"] is not None:
        os.setgroups([])
        os.setgid(job["user"])
        os.setuid(job["user"])
    for name, most in {
        "RLIMIT_AS": job["memory_bytes"],
        "RLIMIT_FSIZE": job["memory_bytes"],
        "RLIMIT_NPROC": job["processes"],
        "RLIMIT_CPU": int(job["seconds"]) + 2,
        "RLIMIT_CORE": 0,
    }.items():
        if hasattr(resource, name):
            with suppress(ValueError, OSError):
                resource.setrlimit(getattr(resource, name), (most, most))


def _run(code: str, names: dict[str, Any]) -> list[Any] | None:
    try:
        compiled = compile(code, PROGRAM, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return ["syntax", type(error).__name__, _words(error), getattr(error, "lineno", None)]
    try:
        exec(compiled, names)
    except SystemExit as error:
        return None if error.code in (None, 0) else _failure(error)
    except BaseException as error:
        return _failure(error)
    return None


def _failure(error: BaseException) -> list[Any]:
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == PROGRAM:
            line = frame.tb_lineno
        frame = frame.tb_next
    if isinstance(error, MemoryError):
        return ["limit", "memory", "it needed more memory than it may take", line]
    return ["exception", type(error).__name__, _words(error), line]


def _words(error: BaseException) -> str:
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:
        return ""


# What the next program of the branch sees: what this one imported and defined, and the values that can be kept.


def _restored(kept: str | None, names: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {"definitions": [], "values": b""}
    if kept is not None:
        state = pickle.loads(base64.b64decode(kept))
        for definition in state["definitions"]:
            with suppress(Exception):
                exec(compile(definition, PROGRAM, "exec"), names)
        with suppress(Exception):
            names.update(pickle.loads(state["values"]))
    return state


def _kept(code: str, state: dict[str, Any], names: dict[str, Any]) -> str:
    values = {name: value for name, value in names.items() if not name.startswith("__") and _keeps(value)}
    definitions = [*state["definitions"], *_definitions(code)]
    kept = pickle.dumps({"definitions": definitions, "values": pickle.dumps(values)})
    return base64.b64encode(kept).decode()


def _keeps(value: object) -> bool:
    if isinstance(value, (types.ModuleType, types.FunctionType, type)):
        return False
    try:
        pickle.dumps(value)
    except MemoryError:
        raise
    except Exception:
        return False
    return True


def _definitions(code: str) -> list[str]:
    try:
        statements = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    lines = code.splitlines(keepends=True)
    found = []
    for each in statements:
        if isinstance(each, _DEFINITIONS) and each.end_lineno is not None:
            first = min([each.lineno, *(d.lineno for d in getattr(each, "decorator_list", []))])
            found.append("".join(lines[first - 1 : each.end_lineno]))
    return found


if __name__ == "__main__":
    main()
