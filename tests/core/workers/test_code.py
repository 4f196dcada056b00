"""CodeWorker: programs run apart from the host and from each other, within limits, and are told how they went."""

import asyncio
import os
import pickle
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from scaffolding_core import (
    BackendUnavailableError,
    BudgetExceededError,
    ClosedError,
    CodeTask,
    CodeWorker,
    Controller,
    InvalidRequestError,
    ParallelProcess,
    ScaffoldingLlm,
)

NESTED = "a = [1] * 1000\nb = [a] * 1000\nc = [b] * 1000\nd = [c] * 1000\n"


@pytest.fixture
async def worker():
    async with CodeWorker(seconds=0.5, memory_bytes=64 * 2**20, output_bytes=10_000, max_concurrency=4) as worker:
        yield worker


async def ran(worker, code, **options):
    task = CodeTask(code=code, **options)
    await worker.run_task(task)
    return task


class TestWhatAProgramSays:
    async def test_what_it_prints_and_the_value_of_its_last_expression(self, worker):
        task = await ran(worker, "x = 20\nprint('hello')\n{'n': x + 1, 'l': (1, 'a')}  # so")
        assert (task.stdout, task.result) == ("hello\n", "{'n': 21, 'l': (1, 'a')}")
        assert task.value == {"n": 21, "l": (1, "a")}
        assert task.failure is None
        assert task.seconds_used > 0
        assert task.memory_used > 2**20

    async def test_a_text_is_its_own_result(self, worker):
        assert (await ran(worker, "'two ' + 'words'")).result == "two words"

    @pytest.mark.parametrize(
        "code",
        [
            "d = {'a': 1}\nx = f'{d['a']}'\nint(\n    x\n)  # so\n\n# the end",
            "\ufeffx = 1\nx",
            "x = f'{'a'}'\nx = 1; x",
            "x = f'{'a'}'\nx = 2\n-1 + \\\nx",
        ],
    )
    async def test_the_value_of_a_program_of_another_python(self, worker, code):
        assert (await ran(worker, code)).value == 1

    @pytest.mark.parametrize("code", ["a = []\na.append(a)\na", "d = {}\nd['d'] = d\nd", "...", "range(2)"])
    async def test_what_is_no_plain_data_has_a_text_alone(self, worker, code):
        task = await ran(worker, code)
        assert (task.value, task.failure) == (None, None)
        assert task.result

    @pytest.mark.parametrize("code", ["print(1)", "x = 1", "", "if __name__ == '__main__':\n    print(1)"])
    async def test_a_program_without_a_value_has_none(self, worker, code):
        task = await ran(worker, code)
        assert (task.result, task.failure) == (None, None)

    async def test_fences_are_taken_off(self, worker):
        assert (await ran(worker, "```python\nimport math\nmath.floor(2.5)\n```")).value == 2

    @pytest.mark.parametrize(
        ("code", "told"),
        [
            ("x = 1\n1 / 0", "ZeroDivisionError: division by zero (line 2)"),
            ("def f():\n    raise ValueError('no')\nf()", "ValueError: no (line 2)"),
            ("x = (", "SyntaxError: "),
            ("x = \\", "SyntaxError: "),
            ("raise TimeoutError('rate limit exceeded')", "TimeoutError: rate limit exceeded (line 1)"),
            (
                "from collections import ChainMap",
                "ImportError: cannot import name 'ChainMap' from 'collections' (unknown location), and the ",
            ),
            ("import numpy", "ModuleNotFoundError: No module named 'numpy', and the sandbox has a part of "),
        ],
    )
    async def test_a_failure_is_a_result(self, worker, code, told):
        assert str((await ran(worker, code)).failure).startswith(told)

    async def test_a_failure_is_no_longer_than_a_model_may_read(self, worker):
        assert len(str((await ran(worker, "raise ValueError('x' * 10**6)")).failure)) < 2_100

    async def test_files_that_are_not_changed_do_not_come_out(self, worker):
        files = {"./a.txt": "a", "b//c": bytearray(b"c"), "d/./e": b"e"}
        task = await ran(worker, "open('a.txt').read() + open('b/c').read() + open('d/e').read()", files=files)
        assert (task.result, task.output_files) == ("ace", {})

    async def test_files_go_in_and_come_out(self, worker):
        code = "open('out/b.txt', 'w').write(open('a.txt').read() * 2)"
        task = await ran(worker, f"import os\nos.mkdir('out')\n{code}", files={"a.txt": "ab"})
        assert (task.failure, task.output_files) == (None, {"out/b.txt": b"abab"})

    async def test_a_file_that_got_another_name_has_it_alone(self, worker):
        code = "open('a', 'w').write('1')\nos.rename('a', 'b')\nopen('a', 'w').write('2')\nos.rename('b', 'c')"
        task = await ran(worker, f"import os\n{code}\nos.rename('a', 'd')\nos.remove('d')")
        assert (task.failure, task.output_files) == (None, {"c": b"1"})

    async def test_a_file_may_be_written_line_by_line(self, worker):
        task = await ran(worker, "f = open('a', 'w')\nfor i in range(1500): f.write('x')\nf.close()")
        assert (task.failure, task.output_files) == (None, {"a": b"x" * 1500})

    async def test_a_file_is_found_however_deep(self, worker):
        code = "import os\nos.makedirs('a/' * 1500)\nopen('a/' * 1500 + 'b', 'w').write('c')"
        assert list((await ran(worker, code)).output_files.values()) == [b"c"]

    async def test_a_result_too_long_is_no_result(self, worker):
        task = await ran(worker, "'x' * 20_000")
        assert (task.result, str(task.failure)) == (
            None,
            "limit: output: its result has more than 10000 characters",
        )
        assert (await ran(worker, "'x' * 9_000")).value == "x" * 9_000

    async def test_a_result_is_a_text_whatever_the_program_makes_of_repr(self, worker):
        task = await ran(worker, "repr = str = lambda value: [value] * 1000\n5")
        assert (task.result, task.value) == ("5", 5)


HOSTILE = {
    "endless loop": ("while True: pass", "limit: time"),
    "endless loop that catches all": ("try:\n    while True: pass\nexcept BaseException: pass\n", "limit: time"),
    "one endless step": ("10 ** (2 * 10 ** 7)", "limit: time"),
    "sleep": ("import time\ntime.sleep(100)", "limit: time"),
    "endless generator": ("sum(1 for _ in iter(int, 1))", "limit: time"),
    "hostile order": ("def f(x):\n    while True: pass\nsorted([1, 2], key=f)", "limit: time"),
    "large text": ("'x' * 10 ** 10", "limit: memory"),
    "growing list": ("a = []\nwhile True: a.append('x' * 10 ** 6)", "limit: memory"),
    "wide format": ("f'{1:>10000000000}'", "limit: memory"),
    "result that unfolds": (f"{NESTED}d", "limit: "),
    "output flood": ("while True: print('x' * 1000)", "limit: output"),
    "files that grow": ("for i in range(100): open(str(i), 'w').write('x' * 2 ** 20)", "OSError"),
    "files with long names": ("open('x' * 10 ** 6, 'w')", "OSError: [Errno 36] File name too long"),
    "folders without end": (
        "import os\nfor i in range(10**6): os.makedirs(f'{i}/' + 'a/' * 1500)",
        "OSError: [Errno 28]",
    ),
    "file read without end": ("open('a', 'w').write('x' * 10**6)\nwhile True: open('a').read()", "limit: time"),
    "pattern without end": ("import re\nre.sub('(?<!b)a+$', '', 'a' * 10**5 + 'c')", "limit: time"),
    "recursion": ("def f(): return f()\nf()", "RecursionError"),
    "deep brackets": ("(" * 5000 + ")" * 5000, "SyntaxError"),
    "deep evaluation": ("eval('(' * 100000)", "SyntaxError"),
    "host's file": ("open('/etc/passwd').read()", "FileNotFoundError"),
    "host's processes": ("open('/proc/self/environ').read()", "FileNotFoundError"),
    "fork": ("import os\nos.fork()", "AttributeError"),
    "shell": ("import os\nos.system('true')", "AttributeError"),
    "processes": ("import subprocess", "ModuleNotFoundError"),
    "network": ("import socket", "ModuleNotFoundError"),
    "threads": ("import threading", "ModuleNotFoundError"),
    "signals": ("import signal", "ModuleNotFoundError"),
    "foreign code": ("import ctypes", "ModuleNotFoundError"),
    "pickles": ("import pickle", "ModuleNotFoundError"),
    "import by name": ("__import__('os')", "NameError"),
    "import by library": ("import importlib", "ModuleNotFoundError"),
    "classes of all": ("().__class__.__mro__", "AttributeError"),
}


class TestHostileCode:
    @pytest.mark.parametrize("kind", HOSTILE)
    async def test_it_is_refused_or_ended(self, worker, kind):
        code, told = HOSTILE[kind]
        assert str((await ran(worker, code, seconds=0.2)).failure).startswith(told)

    async def test_programs_beside_it_are_unharmed(self, worker):
        bad = [ran(worker, "10 ** 10 ** 8", seconds=0.1), ran(worker, "while True: 'x' * 10 ** 6", seconds=0.1)]
        good = [ran(worker, f"{number} * 2") for number in range(4)]
        tasks = await asyncio.gather(*bad, *good)
        assert [task.value for task in tasks[2:]] == [0, 2, 4, 6]

    async def test_a_program_ends_with_its_caller_and_leaves_no_process(self):
        async with CodeWorker(seconds=60) as worker:
            running = asyncio.create_task(ran(worker, "while True: pass"))
            while not (begun := sandboxes(busy=True)):
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert psutil.wait_procs(begun, timeout=10)[1] == []

    async def test_a_program_ends_with_its_worker(self):
        worker = CodeWorker(seconds=60, max_concurrency=2)
        running = [asyncio.create_task(ran(worker, "while True: pass")) for _ in range(3)]
        while len(begun := sandboxes()) < 2:
            await asyncio.sleep(0.01)
        await worker.async_shutdown()
        told = await asyncio.gather(*running, return_exceptions=True)
        assert [type(error) for error in told] == [ClosedError] * 3
        assert psutil.wait_procs(begun, timeout=10)[1] == []

    async def test_a_program_cut_while_its_process_starts_leaves_none(self):
        cut = []
        for at in range(8):
            worker = CodeWorker(seconds=60, max_concurrency=2)
            running = [asyncio.create_task(ran(worker, "while True: pass")) for _ in range(2)]
            await asyncio.wait(running, timeout=at / 1000)
            await worker.async_shutdown()
            cut += await asyncio.gather(*running, return_exceptions=True)  # whose frames hold what they held
        assert {type(error) for error in cut} == {ClosedError}
        assert psutil.wait_procs(sandboxes(), timeout=5)[1] == []

    async def test_it_does_not_end_with_another_user_of_the_worker(self, worker):
        running = asyncio.create_task(ran(worker, "sum(range(10**6))"))
        while not sandboxes():
            await asyncio.sleep(0.01)
        await worker.release_loop()
        assert (await running).value == 499_999_500_000

    async def test_a_program_ends_with_the_deadline_of_its_request(self):
        class Runs(Controller):
            def process(self, tasks, **options):
                yield [CodeTask("code", code="while True: pass")]

        async with CodeWorker(seconds=60) as worker, ScaffoldingLlm(Runs(), {"code": worker}) as llm:
            with pytest.raises(BudgetExceededError, match="deadline"):
                await llm.generate_async("?", deadline=time.monotonic() + 0.1)
            assert psutil.wait_procs(sandboxes(busy=True), timeout=10)[1] == []

    async def test_a_copy_for_another_process_has_programs_of_its_own(self, worker):
        running = asyncio.create_task(ran(worker, "sum(range(10**6))"))
        while not sandboxes():
            await asyncio.sleep(0)
        async with pickle.loads(pickle.dumps(worker)) as copy:
            assert (await ran(copy, "1")).value == 1
        assert (await running).failure is None

    async def test_a_killed_sandbox_is_told_and_replaced(self, worker):
        running = asyncio.create_task(ran(worker, "while True: pass", seconds=60))
        while not (begun := sandboxes(busy=True)):
            await asyncio.sleep(0.01)
        begun[0].kill()
        assert (await running).failure.kind == "crash"
        assert (await ran(worker, "1 + 1")).value == 2


def sandboxes(*, busy=False):
    """The processes of sandboxes; with `busy`, those that have begun to compute."""
    found = []
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            begun = not busy or process.cpu_times().user > 0
            if process.name() == "monty" and process.status() != psutil.STATUS_ZOMBIE and begun:
                found.append(process)
    return found


class Counts(Controller):
    """Counts in a name that only its own branch has."""

    def process(self, tasks, **options):
        seen = []
        for code in ("try:\n    n += 1\nexcept NameError:\n    n = 1\nn", "n += 1\nn"):
            task = CodeTask("code", code=code)
            yield [task]
            seen.append(task.value)
        return seen


class Twice(Controller):
    """Two branches at once."""

    def process(self, tasks, **options):
        one = yield ParallelProcess([Counts(), Counts()], [[], []])
        yield [CodeTask("code", code="n = 5")]
        tasks[0].output_str = str(one)


class OneByOne(Controller):
    """Runs programs one after another."""

    def __init__(self, codes, **options):
        self.codes, self.options = codes, options

    def process(self, tasks, **options):
        runs = [CodeTask("code", code=code, **self.options) for code in self.codes]
        for run in runs:
            yield [run]
        tasks[0].output_str = "; ".join(str(run.failure or run.result) for run in runs)


async def said_one_by_one(worker, *codes, **options):
    async with ScaffoldingLlm(OneByOne(codes, **options), {"code": worker}) as llm:
        return (await llm.generate_async("?")).text


LARGE = "x = 'a' * (40 * 2**20)\nlen(x)"


class TestState:
    async def test_an_empty_folder_is_kept(self, worker):
        codes = "import os\nos.makedirs('a/b')", "open('a/b/c', 'w').write('d')", "open('a/b/c').read()"
        assert await said_one_by_one(worker, *codes) == "None; 1; d"

    async def test_what_is_too_much_to_be_kept_is_a_failure_and_no_error(self, worker):
        told = "limit: memory: what it has defined is too much to be kept for the next program"
        assert await said_one_by_one(worker, LARGE, "x") == f"{told}; NameError: name 'x' is not defined (line 1)"

    async def test_where_nothing_is_kept_it_may_be_as_much_as_there_is_memory(self, worker):
        assert await said_one_by_one(worker, LARGE, fresh=True) == "41943040"
        assert (await ran(worker, LARGE)).value == 41943040

    async def test_a_program_with_less_memory_than_its_branch_has_used_is_told(self, worker):
        class Less(Controller):
            def process(self, tasks, **options):
                yield [CodeTask("code", code="x = 'a' * 10**7")]
                run = CodeTask("code", code="1", memory_bytes=10**6)
                yield [run]
                tasks[0].output_str = str(run.failure)

        async with ScaffoldingLlm(Less(), {"code": worker}) as llm:
            assert (await llm.generate_async("?")).text.startswith("limit: memory")

    async def test_a_program_that_ends_early_has_no_result_of_another(self, worker):
        assert await said_one_by_one(worker, "7", "return\n5") == "7; None"

    async def test_a_branch_sees_its_own_alone_and_nothing_is_kept(self, worker):
        async with ScaffoldingLlm(Twice(), {"code": worker}) as llm:
            for _ in range(2):
                assert (await llm.generate_async("?")).text == "[[1, 2], [1, 2]]"
        assert worker._left_in == {}

    async def test_a_worker_closed_under_a_program_of_a_request_keeps_nothing(self, worker):
        class Closes(Controller):
            def process(self, tasks, **options):
                run = CodeTask("code", code="sum(range(10**5))\n5")
                yield [run]
                tasks[0].output_str = run.result

        async with ScaffoldingLlm(Closes(), {"code": worker}) as llm:
            running = llm.generate_async("?")
            while not worker._left_in:
                await asyncio.sleep(0)
            worker.shutdown()
            assert (await running).text == "5"
        assert worker._left_in == {}

    async def test_a_fresh_program_sees_nothing_and_leaves_nothing(self, worker):
        class Afresh(Controller):
            def process(self, tasks, **options):
                codes = ["n = 1", "n = 2", "n"]
                runs = [CodeTask("code", code=code, fresh=at == 1) for at, code in enumerate(codes)]
                hidden = CodeTask("code", code="open('a', 'w').write('1')\nn", fresh=True)
                reads = CodeTask("code", code="open('a')")
                for run in [*runs, hidden, reads]:
                    yield [run]
                tasks[0].output_str = f"{runs[2].value} {hidden.failure.type} {reads.failure.type}"

        async with ScaffoldingLlm(Afresh(), {"code": worker}) as llm:
            assert (await llm.generate_async("?")).text == "1 NameError FileNotFoundError"

    async def test_without_a_request_each_starts_afresh(self, worker):
        await ran(worker, "n = 1")
        assert (await ran(worker, "n")).failure.type == "NameError"


class TestBadInput:
    @pytest.mark.parametrize("options", [{"backend": "chroot"}, {"seconds": 0}, {"memory_bytes": -1}])
    async def test_of_the_worker(self, options):
        with pytest.raises(InvalidRequestError):
            CodeWorker(**options)

    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ({"../a": ""}, "below its own folder"),
            ({"/a": ""}, "below its own folder"),
            ({"a\0": ""}, "below its own folder"),
            ({1: ""}, "below its own folder"),
            ({".": ""}, "needs a name"),
            ({"a": "", "a/b": ""}, "'a/b' would be inside of its file 'a'"),
            ({"a": 1}, "needs bytes or a text"),
            ({"a": "\ud800"}, "no text in UTF-8"),
            (["a"], "content by path"),
        ],
    )
    async def test_of_the_files(self, worker, files, told):
        with pytest.raises(InvalidRequestError, match=told):
            await ran(worker, "1", files=files)

    @pytest.mark.parametrize("code", [None, 1, b"1"])
    async def test_of_the_program(self, worker, code):
        with pytest.raises(InvalidRequestError, match="pass code="):
            await worker.run_task(CodeTask(code=code))

    async def test_limits_may_be_as_large_as_they_like(self, worker):
        assert (await ran(worker, "1", seconds=float("inf"), memory_bytes=2**80)).value == 1

    def test_a_fork_of_what_ran_programs_is_told_that_it_cannot(self):
        worker = CodeWorker()
        assert asyncio.run(ran(worker, "1")).value == 1
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(ran(worker, "1"))
            except BackendUnavailableError:
                os._exit(3)
            finally:
                os._exit(4)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3

    async def test_a_sandbox_that_can_no_longer_be_started_is_told(self, monkeypatch, tmp_path):
        binary = tmp_path / "monty"
        shutil.copy(Path(sys.executable).with_name("monty"), binary)
        monkeypatch.setenv("MONTY_BIN", str(binary))
        async with CodeWorker() as worker:
            assert (await ran(worker, "1")).value == 1
            binary.unlink()
            with pytest.raises(BackendUnavailableError, match="the sandbox cannot be started"):
                for _ in range(3):  # one may be ready
                    await ran(worker, "1")

    async def test_a_closed_worker_says_so(self):
        worker = CodeWorker()
        worker.shutdown()
        with pytest.raises(ClosedError):
            await ran(worker, "1")
