"""The worker process for hostile input: killed in time, never left behind."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest

from scaffolding_core.answers.bounded_process import BoundedProcess
from scaffolding_core.threads import Abandoned, run_in_thread
from tests.eventually import until

MODULE = "scaffolding_core.answers.regex_process"
EASY = {"pattern": "b", "flags": 0, "text": "abc"}
ENDLESS = {"pattern": "(a+)+$", "flags": 0, "text": "a" * 40 + "b"}


@pytest.fixture
def process():
    process = BoundedProcess(MODULE)
    yield process
    process.end()


def child_of(process):
    return psutil.Process(process._process.pid)


def test_a_process_is_started_once_and_reused(process):
    assert process.ask(EASY, 10) == "b"
    first = child_of(process).pid
    assert process.ask(EASY, 10) == "b"
    assert child_of(process).pid == first
    assert process.killed == 0


def test_one_that_takes_too_long_is_killed_counted_and_replaced(process, caplog):
    assert process.ask(EASY, 10) == "b"
    child = child_of(process)
    assert process.ask(ENDLESS, 0.3) is None
    assert not child.is_running()
    assert process.killed == 1
    assert "did not answer" in caplog.text
    assert process.ask(EASY, 10) == "b"


def test_one_that_dies_between_questions_is_replaced(process):
    assert process.ask(EASY, 10) == "b"
    child = child_of(process)
    child.kill()
    child.wait(10)
    assert process.ask(EASY, 10) == "b"


def test_one_that_cannot_start_has_no_answers(process, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert process.ask(EASY, 10) is None
    assert process.killed == 1
    monkeypatch.undo()
    broken = BoundedProcess("scaffolding_core.answers.no_such_module")
    assert broken.ask(EASY, 10) is None
    assert broken.killed == 1


def test_an_answer_is_never_taken_for_that_to_another_question(process):
    assert process.ask(EASY, 10) == "b"
    main = threading.main_thread().ident
    interrupt = threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        process.ask({**ENDLESS, "text": "a" * 26 + "b"}, 30)
    interrupt.join()
    assert process.ask(EASY, 10) == "b"


async def test_where_nobody_waits_for_the_answer_any_more_the_process_is_killed(process, caplog):
    assert process.ask(EASY, 10) == "b"
    child, ended = child_of(process), []
    idle = child.cpu_times().user

    def ask():
        try:
            process.ask(ENDLESS, 60)
        except Abandoned as error:
            ended.append(error)

    call = asyncio.create_task(run_in_thread(ask))
    await until(lambda: child.cpu_times().user > idle + 0.2)
    call.cancel()
    await until(lambda: ended)
    assert not child.is_running()
    assert process.killed == 0
    assert not caplog.records
    assert process.ask(EASY, 10) == "b"


async def test_where_nobody_waits_while_it_starts_it_is_killed_too(process, monkeypatch):
    start, starting, go_on, ended = subprocess.Popen, threading.Event(), threading.Event(), []

    def start_slowly(*args, **options):
        starting.set()
        go_on.wait()
        return start(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", start_slowly)

    def ask():
        try:
            process.ask(ENDLESS, 60)
        except Abandoned as error:
            ended.append(error)

    call = asyncio.create_task(run_in_thread(ask))
    await until(starting.is_set)
    call.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await until(lambda: ended)
    assert process._process is None


def test_it_works_where_more_than_1024_files_are_open(process):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert process.ask(EASY, 10) == "b"
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_sees_no_keys(process, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert process.ask(EASY, 10) == "b"
    assert "OPENAI_API_KEY" not in child_of(process).environ()


def test_ending_it_leaves_no_process(process):
    assert process.ask(EASY, 10) == "b"
    child = child_of(process)
    process.end()
    process.end()
    assert not child.is_running()


SCRIPT = """
    import sys, threading
    from scaffolding_core.answers.process_pool import shared_pool
    pool = shared_pool({module!r})
    print(pool.ask({easy}, 10), pool._free[0]._process.pid, flush=True)
    {then}
"""


def host(then=""):
    script = textwrap.dedent(SCRIPT).format(module=MODULE, easy=EASY, then=then)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, text=True)


def gone(pid, seconds):
    end = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_a_script_without_a_main_guard_runs_once_and_leaves_nothing():
    with host() as program:
        output = program.communicate(timeout=60)[0].split()
    assert program.returncode == 0
    assert output[0] == "b"
    assert len(output) == 2
    assert gone(int(output[1]), 10)


def test_it_ends_by_itself_when_its_host_was_killed_while_it_was_busy():
    busy = f"print('asking', flush=True); pool.ask({ENDLESS}, 0.5) or pool.ask({ENDLESS}, 60)"
    busy = f"threading.Timer(0.3, lambda: __import__('os').kill(__import__('os').getpid(), 9)).start(); {busy}"
    with host(busy) as program:
        output = program.communicate(timeout=60)[0].split()
    assert program.returncode == -signal.SIGKILL
    assert output[2] == "asking"
    assert gone(int(output[1]), 30)
