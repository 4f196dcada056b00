"""After a fork, parent and child go on, each with loops, connections, threads and slots of its own."""

import subprocess
import sys
import textwrap
import threading

from tests.servers.scripted import Reply, scripted_server

START = """
import asyncio, os, sys, threading
from scaffolding_core import *

def forked(child):
    \"\"\"Its exit status.\"\"\"
    pid = os.fork()
    if pid == 0:
        child()
        sys.exit(0)
    return os.waitpid(pid, 0)[1]
"""


def run(script, *given):
    """Run a program that forks; it fails where the program does, or hangs."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", START + textwrap.dedent(script), *given]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_parent_and_child_go_on_asking_the_same_server():
    with scripted_server(Reply()) as server:
        script = """
            llm = ScaffoldingLlm(NativeChatController(), OpenAIWorker(sys.argv[1], "m"))
            def ask():
                assert llm.generate("q").text == "7"
            ask()
            for _ in range(2):
                assert forked(ask) == 0
                ask()
            llm.shutdown()
        """
        run(script, server.url)


def test_an_answer_that_the_parent_waits_for_comes_whatever_the_child_does():
    held = threading.Event()

    def script(body):
        if "child" in str(body):
            held.set()
        return Reply(held=held if "parent" in str(body) else None)

    with scripted_server(script) as server:
        script = """
            worker = OpenAIWorker(sys.argv[1], "m")
            llm = ScaffoldingLlm(NativeChatController(), worker)
            llm.generate("first")
            running = llm.generate_async("parent")
            while not worker._running: pass
            def ask():
                assert llm.generate("child").text == "7"
                llm.shutdown(shutdown_workers=True)
            assert forked(ask) == 0
            assert running.result(timeout=30).text == "7"
            llm.shutdown()
        """
        run(script, server.url)


def test_a_child_forked_by_a_program_on_a_loop_leaves_that_loop_alone():
    with scripted_server(Reply()) as server:
        script = """
            llm = ScaffoldingLlm(NativeChatController(), OpenAIWorker(sys.argv[1], "m"))
            async def main():
                async def ask():
                    assert (await llm.generate_async("q")).text == "7"
                await ask()
                def child():
                    asyncio.run(ask())
                    os._exit(0)
                assert forked(child) == 0
                await ask()
                await llm.aclose()
            asyncio.run(main())
        """
        run(script, server.url)


def test_requests_of_the_parent_end_in_the_child_for_all_that_wait_for_them():
    script = """
        begun, hold = threading.Event(), threading.Event()
        def say(task):
            begun.set()
            hold.wait(30)
            return task.input_str
        llm = ScaffoldingLlm(NativeGenerationController(), FunctionWorker(say, max_concurrency=1))
        running, queued = llm.generate_async("parent"), llm.generate_async("queued")
        events = running.events()
        begun.wait()
        def child():
            for wait in (running.result, queued.result, lambda: list(events)):
                try:
                    wait()
                except ClosedError:
                    continue
                os._exit(1)
            hold.set()
            assert llm.generate("child").text == "child"
        assert forked(child) == 0
        hold.set()
        assert (running.result(30).text, queued.result(30).text) == ("parent", "queued")
        llm.shutdown()
    """
    run(script)


def test_threads_of_the_parent_are_not_waited_for_in_the_child():
    script = """
        async def slow(task):
            return await asyncio.to_thread(lambda: "7")
        for function in (lambda task: "7", slow):
            llm = ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 4), FunctionWorker(function))
            def ask():
                assert llm.generate("q").text == "7"
            ask()
            assert forked(ask) == 0
            ask()
            llm.shutdown()
    """
    run(script)
