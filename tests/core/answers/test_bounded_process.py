"""The worker process for hostile input: killed in time, never left behind."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from scaffolding_core.answers.bounded_process import BoundedProcess, shared_process

MODULE = "scaffolding_core.answers.regex_process"
EASY = {"pattern": "b", "flags": 0, "text": "abc"}
ENDLESS = {"pattern": "(a+)+$", "flags": 0, "text": "a" * 40 + "b"}


@pytest.fixture
def process():
    process = BoundedProcess(MODULE)
    yield process
    process.close()


def running_child():
    [child] = [
        child for child in psutil.Process().children() if MODULE in child.cmdline() and child.pid != shared_pid()
    ]
    return child


def shared_pid():
    shared = shared_process(MODULE)._process
    return None if shared is None else shared.pid


def test_a_process_is_started_once_and_reused(process):
    assert process.ask(EASY, 10) == "b"
    first = running_child().pid
    assert process.ask(EASY, 10) == "b"
    assert running_child().pid == first
    assert process.killed == 0


def test_one_that_takes_too_long_is_killed_counted_and_replaced(process, caplog):
    assert process.ask(EASY, 10) == "b"
    child = running_child()
    assert process.ask(ENDLESS, 0.3) is None
    assert not child.is_running()
    assert process.killed == 1
    assert "did not answer" in caplog.text
    assert process.ask(EASY, 10) == "b"


def test_one_that_dies_between_questions_is_replaced(process):
    assert process.ask(EASY, 10) == "b"
    child = running_child()
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


def test_many_threads_share_it(process):
    def ask(i):
        return process.ask({"pattern": r"\d+", "flags": 0, "text": f"x={i}"}, 20)

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(200))) == [str(i) for i in range(200)]


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
    assert "OPENAI_API_KEY" not in running_child().environ()


def test_closing_leaves_no_process(process):
    assert process.ask(EASY, 10) == "b"
    child = running_child()
    process.close()
    process.close()
    assert not child.is_running()


def test_a_forked_child_starts_one_of_its_own_even_if_a_thread_was_asking():
    process = shared_process(MODULE)
    assert process.ask(EASY, 10) == "b"
    with process._lock:  # as a thread that asks holds it
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(30)
            answer = process.ask(EASY, 10)
            process.close()
            os._exit(0 if answer == "b" else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert process.ask(EASY, 10) == "b"


SCRIPT = """
    import sys, threading
    from scaffolding_core.answers.bounded_process import shared_process
    process = shared_process({module!r})
    print(process.ask({easy}, 10), process._process.pid, flush=True)
    {then}
"""


def host(then=""):
    script = textwrap.dedent(SCRIPT).format(module=MODULE, easy=EASY, then=then)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment, text=True)


def gone(pid, seconds):
    until = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
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
    busy = f"print('asking', flush=True); process.ask({ENDLESS}, 0.5) or process.ask({ENDLESS}, 60)"
    busy = f"threading.Timer(0.3, lambda: __import__('os').kill(__import__('os').getpid(), 9)).start(); {busy}"
    with host(busy) as program:
        output = program.communicate(timeout=60)[0].split()
    assert program.returncode == -signal.SIGKILL
    assert output[2] == "asking"
    assert gone(int(output[1]), 30)
