"""Sandboxes with the whole of Python: what a program says, what it leaves, and what it cannot do.

What holds inside any container is shown on a session of llm-sandbox's that guards nothing, which runs everywhere;
bubblewrap where it is installed, and Docker where `SCAFFOLDING_TEST_IMAGE` names an image with Python.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from docker.models.containers import _create_container_args
from llm_sandbox import LocalSandboxConfig, get_backend, register_backend
from llm_sandbox.exceptions import UnsupportedBackendError
from llm_sandbox.local.session import LocalProcessSession

from scaffolding_core import (
    BackendUnavailableError,
    CodeTask,
    CodeWorker,
    InvalidRequestError,
    MissingExtraError,
    RewardTask,
    ScaffoldingLlm,
)
from scaffolding_core.controller import Controller
from scaffolding_core.controllers.judging import UnitTests
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.workers.code.backend import Program
from scaffolding_core.workers.code.bubblewrap import BubblewrapBackend
from scaffolding_core.workers.code.container import ContainerBackend, most_told
from scaffolding_core.workers.code.docker import DockerBackend
from tests.eventually import until

IMAGE = os.environ.get("SCAFFOLDING_TEST_IMAGE")


def bubblewrap_works():
    bwrap, python = shutil.which("bwrap"), Path("/usr/bin/python3").exists()
    return (
        bool(bwrap and python)
        and not subprocess.run(
            [bwrap, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, check=False
        ).returncode
    )


class UnguardedSession(LocalProcessSession):
    """Runs its commands as they are."""

    @contextmanager
    def _launch_command(self, command, workdir):
        yield ["/bin/sh", "-c", command], ()

    @staticmethod
    def _launcher_environment():
        return {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C.UTF-8"}


class Unguarded(ContainerBackend):
    name = "unguarded"
    writable = ()
    processes = 10_000  # it sees the host's

    def options(self, program):
        return {"sandbox_config": LocalSandboxConfig(max_output_bytes=2 * most_told(program))}


@pytest.fixture
def unguarded(monkeypatch):
    try:
        get_backend("unguarded")
    except UnsupportedBackendError:
        register_backend("unguarded", UnguardedSession)
    backends = {**CodeWorker.__init__.__globals__["BACKENDS"], "unguarded": Unguarded}
    monkeypatch.setattr("scaffolding_core.workers.code.worker.BACKENDS", backends)
    yield
    for process in psutil.process_iter(["cmdline"]):  # nothing guards against what outlives its watcher
        if "workspace/runner.py" in " ".join(process.info["cmdline"] or ()) and process.ppid() == 1:
            process.kill()


GUARDED = [
    pytest.param(
        {"backend": "bubblewrap"},
        marks=pytest.mark.skipif(not bubblewrap_works(), reason="bubblewrap does not run here"),
        id="bubblewrap",
    ),
    pytest.param(
        {"backend": "docker", "image": IMAGE or ""},
        marks=[
            pytest.mark.skipif(IMAGE is None, reason="SCAFFOLDING_TEST_IMAGE names no image"),
            # The client leaves it to the garbage collector to close what a command wrote to.
            pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
        ],
        id="docker",
    ),
]
LIMITS = {"seconds": 5.0, "memory_bytes": 200 * 2**20, "output_bytes": 10_000, "max_concurrency": 4}


@pytest.fixture(params=[pytest.param({"backend": "unguarded"}, id="unguarded"), *GUARDED])
async def worker(request, unguarded):
    async with CodeWorker(**request.param, **LIMITS) as worker:
        yield worker


@pytest.fixture(params=GUARDED)
async def guarded(request):
    async with CodeWorker(**request.param, **LIMITS) as worker:
        yield worker


async def ran(worker, code, **options):
    task = CodeTask(code=code, **options)
    await worker.run_task(task)
    return task


def processes(argument):
    return [each for each in psutil.process_iter(["cmdline"]) if argument in (each.info["cmdline"] or ())]


async def test_a_program_has_the_whole_language_and_library(worker):
    code = "import dataclasses, fractions\n@dataclasses.dataclass\nclass P:\n    x: int\nprint('hello')\n"
    task = await ran(
        worker, f"{code}match P(3):\n    case P(x=n): m = n\n{{'n': m, 'f': str(fractions.Fraction(1, m))}}"
    )
    assert (task.failure, task.stdout, task.value) == (None, "hello\n", {"n": 3, "f": "1/3"})
    assert task.memory_used > 2**20
    assert task.seconds_used > 0


async def test_files_go_in_and_come_out(worker):
    code = "import os\nos.mkdir('out')\nopen('out/b', 'wb').write(open('in/a', 'rb').read() * 2)\n"
    code += "os.symlink('/etc', 'e')\nos.mkfifo('pipe')"
    task = await ran(worker, code, files={"in/a": b"\x00\xff"})
    assert (task.failure, task.output_files) == (None, {"out/b": b"\x00\xff\x00\xff"})


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = 1\ndef f():\n    1 / 0\nf()", "ZeroDivisionError: division by zero (line 3)"),
        ("x = (", "SyntaxError: '(' was never closed (line 1)"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (line 2)"),
        ("import os\nos._exit(0)", "crash: it ended at once, with exit status 0"),
        ("import os\nos.kill(os.getpid(), 9)", "crash: it ended at once, with signal 9"),
        ("import ctypes\nctypes.string_at(0)", "crash: it ended at once, with signal 11"),
        ("'x' * 10**10", "limit: memory: it needed more memory than it may take (line 1)"),
        ("while True: print('x' * 1000)", "limit: output: it printed more than 10000 bytes"),
        ("'x' * 20_000", "limit: output: its result has more than 10000 characters"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", "E (line 3)"),
        ("def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    ],
)
async def test_a_failure_is_a_result(worker, code, told):
    assert str((await ran(worker, code)).failure).startswith(told)


async def test_an_endless_program_ends_at_its_limit_with_all_that_it_started(worker):
    asleep = f"98765.{os.getpid()}"
    code = f"import subprocess\nsubprocess.Popen(['sleep', '{asleep}'])\nwhile True: pass"
    assert str((await ran(worker, code, seconds=0.3)).failure) == "limit: time: it took longer than 0.3 s"
    assert not processes(asleep)


async def test_what_a_program_leaves_running_holds_up_nobody(worker):
    asleep = f"87654.{os.getpid()}"
    task = await ran(worker, f"import subprocess\nsubprocess.Popen(['sleep', '{asleep}'])\n5")
    assert (task.failure, task.value) == (None, 5)
    assert not processes(asleep)


class InTurn(Controller):
    """Runs programs in one branch, one after the other."""

    def process(self, tasks, **options):
        programs = [CodeTask("code", code=code) for code in tasks[0].input_str.split("---\n")]
        for program in programs:
            yield [program]
        tasks[0].output_str = repr([program.value or str(program.failure) for program in programs])


async def test_programs_of_a_branch_see_what_those_before_defined_and_wrote(worker):
    first = "import math\n@staticmethod\ndef area(r): return math.floor(math.pi * r * r)\n"
    first += "class P:\n    x = 1\np, r = P(), 2\n"
    second = "p.y = area(r)\nf = lambda: 1\nopen('a', 'w').write('kept')\n1 / 0\n"
    third = "(p.x, p.y, open('a').read())\n---\nx = 1"
    async with ScaffoldingLlm(InTurn(), {"code": worker}) as llm:
        asked = [llm.generate_async(text) for text in (f"{first}---\n{second}---\n{third}", third)]
        texts = [(await result).text for result in asked]
    told = "ZeroDivisionError: division by zero (line 4)"
    unknown = "NameError: name 'p' is not defined (line 1)"
    assert texts == [repr(["None", told, (1, 12, "kept"), "None"]), repr([unknown, "None"])]


async def test_what_is_too_much_to_be_kept_for_the_next_program_is_told(worker):
    async with ScaffoldingLlm(InTurn(), {"code": worker}) as llm:
        told = (await llm.generate_async("x = 'y' * 90_000_000")).text
    assert told == repr(["limit: memory: what it has defined is too much to be kept"])
    assert (await ran(worker, "x = 'y' * 90_000_000")).failure is None


async def test_a_program_cannot_say_how_it_ended_in_the_place_of_its_watcher(worker):
    forged = '{"failure": null, "result": "1", "state": null, "stdout": "", "files": {}, "memory_used": 0}'
    code = f"import os\ntry: open(f'/proc/{{os.getppid()}}/fd/1', 'w').write('{forged}\\n')\n"
    assert (await ran(worker, f"{code}except OSError: pass\n2")).value == 2
    flood = "import os\nf = open(f'/proc/{os.getppid()}/fd/1', 'w')\nwhile True: f.write('x' * 10**6)"
    assert str((await ran(worker, flood)).failure).startswith(("crash: ", "PermissionError"))


async def test_a_program_ends_with_its_caller_and_leaves_nothing(worker):
    running = asyncio.create_task(ran(worker, "import time\ntime.sleep(300)", seconds=600))
    await until(lambda: processes("runner.py"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not processes("runner.py"))


class Tested(Controller):
    """Says what unit tests say of the prompt."""

    def process(self, tasks, **options):
        reward = RewardTask(response=AssistantMessage(tasks[0].input_str))
        yield from UnitTests(["assert mean([2]) == 2", ("mean([1, 2])", 1.5)]).process([reward])
        tasks[0].output_str = str(reward.reward)


async def test_unit_tests_run_in_it(worker):
    right = "import statistics\ndef mean(x): return statistics.mean(x)"
    async with ScaffoldingLlm(Tested(), {"code": worker}) as llm:
        asked = [llm.generate_async(answer) for answer in (right, "import sys\nsys.exit(0)")]
        assert [(await result).text for result in asked] == ["1.0", "0.0"]


async def test_what_a_program_writes_is_watched(worker):
    code = "for i in range(10**6): open(str(i), 'wb').write(b'x' * 10**7)"
    assert str((await ran(worker, code, seconds=20)).failure).startswith("limit: files")


class TestWhatASandboxIsAskedFor:
    """Where none is installed, too: by what llm-sandbox and Docker's client make of it."""

    async def test_bubblewrap_shows_no_file_of_the_hosts_own_and_no_network(self, tmp_path, monkeypatch):
        said, bwrap = tmp_path / "said", tmp_path / "bwrap"
        bwrap.write_text(
            f'#!/bin/sh\necho "$@" >> {said}\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n'
        )
        bwrap.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setattr(BubblewrapBackend, "writable", Unguarded.writable)
        monkeypatch.setattr(BubblewrapBackend, "processes", Unguarded.processes)
        monkeypatch.setattr(
            LocalProcessSession, "_launcher_environment", staticmethod(UnguardedSession._launcher_environment)
        )
        async with CodeWorker("bubblewrap", **LIMITS) as worker:
            assert (await ran(worker, "6 * 7")).value == 42
        given = said.read_text().splitlines()[-1].split()
        assert {"--unshare-all", "--clearenv", "--die-with-parent", "--seccomp"} <= set(given)
        assert "--share-net" not in given
        shown = {given[place + 2] for place, word in enumerate(given) if word == "--ro-bind"}
        assert shown <= {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives"}
        assert [given[place + 2] for place, word in enumerate(given) if word == "--bind"] == ["/tmp", "/sandbox"]

    def test_docker_gives_no_network_no_rights_and_bounds(self):
        program = Program("1", True, {}, None, 5.0, 2**28, 10_000)
        options = DockerBackend(1, "python:3.13-slim").options(program)
        asked = _create_container_args(
            {"image": options["image"], "version": "1.41", **options["runtime_configs"]}
        )
        host = asked["host_config"]
        assert (host["NetworkMode"], host["CapDrop"], host["PidsLimit"]) == ("none", ["ALL"], 128)
        assert set(host["CapAdd"]) == {"SETUID", "SETGID", "KILL"}
        assert host["SecurityOpt"] == ["no-new-privileges"]
        assert host["Memory"] == host["MemorySwap"] == 2**28 + 2**27
        assert host["AutoRemove"]
        assert asked["command"] == ["sleep", "65"]
        assert options["keep_template"]


HOSTILE = {
    "network": ("import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)", "ConnectionRefusedError"),
    "host's file": ("open({here!r}).read()", "FileNotFoundError"),
    "host's processes": ("import os\nos.kill({pid}, 0)", "ProcessLookupError"),
    "writing elsewhere": ("open('/usr/x', 'w')", ("OSError: [Errno 30]", "PermissionError")),
    "fork bomb": ("import os\nwhile True: os.fork()", ("limit: processes", "crash: ", "BlockingIOError")),
    "threads": ("import threading\nwhile True: threading.Thread(target=threading.Event().wait).start()", ""),
    "mount": ("import os\nos.mkdir('m')\nos.unshare(0x20000)", ""),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_code_is_refused_or_ended(guarded, kind):
    code, told = HOSTILE[kind]
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        task = await ran(guarded, code.format(port=port, here=__file__, pid=os.getpid()), seconds=2.0)
    assert task.failure is not None
    assert str(task.failure).startswith(told)


class TestWhatCannotStart:
    async def test_docker_without_its_daemon_says_so(self, monkeypatch):
        monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
        async with CodeWorker("docker") as worker:
            with pytest.raises(BackendUnavailableError, match="'docker' cannot run Python, start or install"):
                await ran(worker, "1")

    async def test_bubblewrap_that_is_not_installed_says_so(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        async with CodeWorker("bubblewrap") as worker:
            with pytest.raises(BackendUnavailableError, match="requires 'bwrap'"):
                await ran(worker, "1")

    async def test_a_sandbox_without_python_says_so(self, unguarded, monkeypatch):
        monkeypatch.setattr(UnguardedSession, "_launcher_environment", staticmethod(lambda: {"PATH": "/nowhere"}))
        async with CodeWorker("unguarded") as worker:
            with pytest.raises(BackendUnavailableError, match="python3: not found"):
                await ran(worker, "1")

    def test_a_library_that_is_not_installed_says_so(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "llm_sandbox", None)
        with pytest.raises(MissingExtraError, match="containers"):
            CodeWorker("docker")

    @pytest.mark.parametrize("backend", ["monty", "bubblewrap"])
    def test_an_image_for_what_runs_none_is_refused(self, backend):
        with pytest.raises(InvalidRequestError, match="image"):
            CodeWorker(backend, image="python:3.13-slim")
