"""ToolsWorker: functions as tools, and calls that are shared."""

import asyncio
import enum
import json
import re
import threading
from types import SimpleNamespace
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from scaffolding_core import (
    BackendTimeoutError,
    ClosedError,
    FunctionTool,
    InvalidRequestError,
    MCPCallTask,
    ToolsWorker,
    WorkerError,
)
from tests.eventually import until


class Colour(enum.Enum):
    RED = "red"


class Place(BaseModel):
    city: str
    zip: int | None = None


def paint(
    place: Place,
    colour: Colour,
    coats: Annotated[int, Field(description="how many", ge=1)] = 1,
    finish: Literal["matt", "gloss"] = "matt",
    rooms: list[str] = ["hall"],  # noqa: B006  # as users write it
    prices: dict[str, float] | None = None,
) -> dict:
    """Paints a place."""
    rooms.append("done")
    return {"city": place.city, "colour": colour.value, "coats": coats, "finish": finish, "rooms": rooms}


def call(tool_name, once=None, **arguments):
    task = MCPCallTask(tool_name=tool_name, args=json.dumps(arguments), once=once)
    task.scope = SimpleNamespace(request_id=7, deadline=None)
    return task


async def answer(worker, task):
    await worker.run_task(task)
    return task.result_str, task.failed


async def test_a_function_is_told_to_the_model_by_its_signature_and_gets_what_its_types_say():
    worker = ToolsWorker([paint])
    (told,) = await worker.tools()
    schema = told.parameters
    assert (told.name, told.description) == ("paint", "Paints a place.")
    assert schema["required"] == ["place", "colour"]
    assert schema["properties"]["coats"]["description"] == "how many"
    assert schema["properties"]["finish"]["enum"] == ["matt", "gloss"]
    for _ in range(2):  # a default is no place to keep what a call leaves there
        task = call("paint", place={"city": "Rome"}, colour="red", coats="2")
        await worker.run_task(task)
        expected = {"city": "Rome", "colour": "red", "coats": 2, "finish": "matt", "rooms": ["hall", "done"]}
        assert json.loads(task.result_str) == task.structured == expected


def kept(function: str, place: Place = Place(city="Rome")) -> dict:  # noqa: B008  # as users write it
    return {"function": function, "city": place.city}


async def kept_async(function: str, place: Place = Place(city="Rome")) -> dict:  # noqa: B008  # as users write it
    return kept(function, place)


@pytest.mark.parametrize("function", [kept, kept_async])
async def test_parameters_may_have_any_name_and_any_default(function):
    text, failed = await answer(ToolsWorker([function]), call(function.__name__, function="f"))
    assert (json.loads(text), failed) == ({"function": "f", "city": "Rome"}, False)


@pytest.mark.parametrize("returned", [b"\xff", {"half": "\ud800"}], ids=["bytes", "half-a-character"])
async def test_what_json_cannot_hold_is_answered_as_python_shows_it(returned):
    worker = ToolsWorker([FunctionTool(lambda: returned, name="give")])
    assert await answer(worker, call("give")) == (str(returned), False)


@pytest.mark.parametrize("name", ["a.b", "my tool", "a" * 100], ids=["dotted", "spaced", "long"])
async def test_a_name_that_openai_refuses_is_told_as_one_that_it_takes(name):
    worker = ToolsWorker([FunctionTool(lambda: "called", name=name)])
    (told,) = await worker.tools()
    assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", told.name)
    for each in (name, told.name):
        assert await answer(worker, call(each)) == ("called", False)


async def test_arguments_that_do_not_fit_call_nothing():
    text, failed = await answer(ToolsWorker([paint]), call("paint", place={}, colour="blue", coats=0, size=1))
    assert failed
    for wrong in ("nothing was called", "place.city", "colour", "coats", "size"):
        assert wrong in text


async def test_a_function_runs_in_a_thread_and_a_coroutine_on_the_loop():
    async def here() -> str:
        return threading.current_thread().name

    def there() -> str:
        return threading.current_thread().name

    worker = ToolsWorker([here, there])
    own = threading.current_thread().name
    assert await answer(worker, call("here")) == (own, False)
    assert (await answer(worker, call("there")))[0] != own


async def test_a_call_ends_at_its_limit_and_a_closed_worker_calls_nothing():
    async def wait() -> None:
        await asyncio.Event().wait()

    worker = ToolsWorker([wait], timeout=0.01)
    with pytest.raises(BackendTimeoutError, match="'wait'"):
        await worker.run_task(call("wait"))
    await worker.async_shutdown()
    with pytest.raises(ClosedError):
        await worker.run_task(call("wait"))


class Gone:
    """A source that does not tell its tools."""

    def __init__(self):
        self.asked = 0

    async def tools(self):
        self.asked += 1
        raise WorkerError("gone")

    async def answer(self, task):
        raise AssertionError


async def test_of_one_name_the_first_is_called_and_a_source_that_fails_harms_no_other():
    gone = Gone()
    first, second = FunctionTool(lambda: "first", name="same"), FunctionTool(lambda: "second", name="same")
    worker = ToolsWorker([gone, first, second])
    assert await answer(worker, call("same")) == ("first", False)
    assert [tool.name for tool in await worker.tools()] == ["same"]
    with pytest.raises(WorkerError, match="gone"):
        await worker.run_task(call("other"))
    assert gone.asked == 1
    with pytest.raises(WorkerError, match="gone"):
        await ToolsWorker([Gone()]).tools()


def unfinished(place: list["Nowhere"]) -> None:  # noqa: F821  # as users forget it
    pass


class Forgetful(BaseModel):
    place: "Nowhere"  # noqa: F821  # as users forget it


def forgets(it: Forgetful) -> None:
    pass


@pytest.mark.parametrize(
    "wrong", [[], "text", [3], [lambda *many: 1], [lambda a, /: 1], [str], [unfinished], [forgets]]
)
def test_what_is_no_tool_is_refused(wrong):
    with pytest.raises(InvalidRequestError):
        ToolsWorker(wrong)


async def test_a_shared_call_ends_with_the_last_that_waits_and_is_not_made_again():
    started, ended = [], []

    async def act() -> str:
        started.append(1)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    worker = ToolsWorker([act])
    waiting = [asyncio.create_task(worker.run_task(call("act", once="a"))) for _ in range(2)]
    await until(lambda: started)
    for left, task in enumerate(waiting):
        assert len(ended) == 0, left
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (len(started), len(ended)) == (1, 1)
    text, failed = await answer(worker, call("act", once="a"))
    assert failed
    assert "not known" in text
    await worker.on_scope_end("7")
    again = asyncio.create_task(worker.run_task(call("act", once="a")))
    await until(lambda: len(started) == 2)
    again.cancel()
    with pytest.raises(asyncio.CancelledError):
        await again


@pytest.mark.parametrize(
    ("module", "adapter"),
    [
        ("langchain_core.tools.structured", "langchain_scaffolding"),
        ("llama_index.core.tools.function_tool", "llamaindex_scaffolding"),
    ],
)
def test_a_librarys_tool_that_no_adapter_has_registered_names_the_adapter(module, adapter):
    tool = type("StructuredTool", (), {"__module__": module, "__call__": lambda self: None})()
    with pytest.raises(InvalidRequestError, match=f"needs its adapter: import {adapter}"):
        ToolsWorker([tool])
