"""MCPWorker over stdio: a program of its own, its tools, and its end."""

import json
import sys
from pathlib import Path

import psutil
import pytest

from scaffolding_core import BackendUnavailableError, InvalidRequestError, MCPCallTask, ToolsWorker
from scaffolding_core.workers.mcp import MCPWorker, StdioServer
from tests.eventually import until
from tests.servers import stdio_tools
from tests.servers.tools import tool_server

PROGRAM = str(Path(stdio_tools.__file__))


async def called(worker, tool_name, **arguments):
    task = MCPCallTask(tool_name=tool_name, args=json.dumps(arguments))
    await worker.run_task(task)
    return task


async def test_a_program_is_started_asked_and_ended():
    first, second = f"{sys.executable} {PROGRAM}", StdioServer(sys.executable, [PROGRAM], prefix="my_")
    async with ToolsWorker([MCPWorker([first, second]), len_of]) as worker:
        tools = {tool.name: tool for tool in await worker.tools()}
        assert {"pid", "my_pid", "repeat", "len_of"} <= tools.keys()
        assert [tools[name].changes for name in ("pid", "repeat", "picture")] == [False, True, None]
        pids = [int((await called(worker, name)).result_str) for name in ("pid", "my_pid")]
        assert len({*pids}) == 2

        task = await called(worker, "repeat", text="ab", times=2)
        assert (task.result_str, task.structured) == ("abab", {"result": "abab"})
        task = await called(worker, "repeat", text=3, much=1)
        assert (task.failed, "text: 3 is not of type 'string'" in task.result_str) == (True, True)

        (part,) = (await called(worker, "picture")).content_parts
        assert part["image_url"]["url"].startswith("data:image/png;base64,")

        assert "learnt" not in tools
        await called(worker, "learn")
        assert "learnt" in {tool.name for tool in await worker.tools()}
        assert (await called(worker, "learnt")).result_str == "learnt"
    await until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


async def test_a_name_that_openai_refuses_is_told_as_one_that_it_takes():
    async with ToolsWorker([MCPWorker([StdioServer(sys.executable, [PROGRAM], prefix="my/")])]) as worker:
        names = {tool.name for tool in await worker.tools()}
        assert {"my_notes_read", "my_notes_read_2", "my_pid"} <= names
        for name, expected in [
            ("my_notes_read", "another"),
            ("my_notes_read_2", "read"),
            ("my/notes_read", "another"),
        ]:
            assert (await called(worker, name)).result_str == expected


def len_of(text: str) -> int:
    return len(text)


async def test_a_program_that_is_none_harms_no_other():
    nothing, ends = "/no/such/program --key secret", f"{sys.executable} -c pass"
    async with MCPWorker([nothing, ends, f"{sys.executable} {PROGRAM}"]) as worker:
        assert (await called(worker, "repeat", text="a")).result_str == "a"
    async with MCPWorker([nothing]) as worker:
        with pytest.raises(BackendUnavailableError, match="/no/such/program") as raised:
            await worker.tools()
        assert "secret" not in str(raised.value)


CHANGES_AS_IT_TELLS = """
import json, sys
number = 0
for line in sys.stdin:
    asked = json.loads(line)
    if asked["method"] == "initialize":
        its = {"name": "changing", "version": "1"}
        version = asked["params"]["protocolVersion"]
        result = {"protocolVersion": version, "capabilities": {"tools": {"listChanged": True}}, "serverInfo": its}
    elif asked["method"] == "tools/list":
        result = {"tools": [{"name": f"tool_{number}", "inputSchema": {"type": "object"}}]}
    else:
        continue
    told = [{"jsonrpc": "2.0", "id": asked["id"], "result": result}]
    if asked["method"] == "tools/list" and number == 0:
        told.insert(0, {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        number = 1
    print("\\n".join(map(json.dumps, told)), flush=True)
"""


async def test_tools_that_change_as_they_are_told_are_asked_anew():
    async with MCPWorker([StdioServer(sys.executable, ["-c", CHANGES_AS_IT_TELLS])]) as worker:
        for expected in ("tool_0", "tool_1", "tool_1"):
            assert [tool.name for tool in await worker.tools()] == [expected]


async def test_a_server_that_hangs_is_waited_for_once(tmp_path):
    started = tmp_path / "started"
    hangs = f"import sys; open({str(started)!r}, 'a').write('x'); sys.stdin.read()"
    with tool_server("http") as server:
        async with MCPWorker(
            [StdioServer(sys.executable, ["-c", hangs]), server.url], connect_timeout=1.0
        ) as worker:
            for _ in range(3):
                assert (await called(worker, "add", a=1, b=2)).result_str == "3"
                assert "add" in {tool.name for tool in await worker.tools()}
    assert started.read_text() == "x"


@pytest.mark.parametrize("wrong", ["", "ftp://host/mcp", "python 'server", 3])
def test_what_is_neither_address_nor_command_is_refused(wrong):
    with pytest.raises(InvalidRequestError):
        MCPWorker([wrong])
