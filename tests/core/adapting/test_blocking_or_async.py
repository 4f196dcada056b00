"""Foreign calls and streams: in the blocking form under a blocking call, in the async one under an async call."""

import asyncio
import contextvars
import threading

import pytest

from scaffolding_core import FunctionWorker, NativeChatController, ScaffoldingLlm
from scaffolding_core.adapting import call_function, read_either, run_either

OURS = contextvars.ContextVar("ours", default="")


def blocking(*args: object, **kwargs: object) -> tuple[object, ...]:
    return "blocking", args, kwargs, threading.current_thread() is threading.main_thread(), OURS.get()


async def by_async(*args: object, **kwargs: object) -> tuple[object, ...]:
    return "async", args, kwargs, threading.current_thread() is threading.main_thread(), OURS.get()


class Pieces:
    """A foreign stream in both forms: tells whether it was closed, and waits for leave before its last piece."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.go_on = threading.Event()

    def stream(self, first: str):
        try:
            yield first
            assert self.go_on.wait(60)
            yield "last"
        finally:
            self.closed.set()

    async def astream(self, first: str):
        try:
            yield first
            while not self.go_on.is_set():
                await asyncio.sleep(0)
            yield "last"
        finally:
            self.closed.set()

    async def astream_by_await(self, first: str):
        return self.astream(first)


def under_a_blocking_call(work) -> object:
    """What async work comes to inside a request that somebody made blocking."""

    async def answer(task):
        found.append(await work())
        return "7"

    found: list[object] = []
    with ScaffoldingLlm(NativeChatController(), FunctionWorker(answer)) as llm:
        llm.generate("q")
    return found[0]


class TestACall:
    async def test_is_made_on_the_loop_under_an_async_call(self):
        assert await run_either(blocking, by_async, 1, a=2) == ("async", (1,), {"a": 2}, True, "")

    def test_is_made_in_a_thread_under_a_blocking_one_with_the_callers_context(self):
        OURS.set("here")
        told = under_a_blocking_call(lambda: run_either(blocking, by_async, 1, a=2))
        assert told == ("blocking", (1,), {"a": 2}, False, "here")

    async def test_that_has_no_async_form_is_made_in_a_thread(self):
        assert (await run_either(blocking, None))[0] == "blocking"

    def test_that_has_no_blocking_form_is_made_on_the_loop(self):
        assert under_a_blocking_call(lambda: run_either(None, by_async))[0] == "async"

    @pytest.mark.parametrize(("function", "way"), [(blocking, "blocking"), (by_async, "async")])
    async def test_of_a_function_goes_by_what_the_function_is(self, function, way):
        assert (await call_function(function, 1, a=2))[:3] == (way, (1,), {"a": 2})


class TestAStream:
    @pytest.mark.parametrize("form", ["astream", "astream_by_await"])
    async def test_is_read_on_the_loop_and_closed(self, form):
        pieces, taken = Pieces(), []
        pieces.go_on.set()
        await read_either(pieces.stream, getattr(pieces, form), taken.append, "first")
        assert taken == ["first", "last"]
        assert pieces.closed.is_set()

    def test_is_read_in_a_thread_under_a_blocking_call_and_closed(self):
        pieces, taken = Pieces(), []
        pieces.go_on.set()

        def take(piece):
            taken.append((piece, threading.current_thread() is threading.main_thread()))

        under_a_blocking_call(lambda: read_either(pieces.stream, pieces.astream, take, "first"))
        assert taken == [("first", False), ("last", False)]
        assert pieces.closed.is_set()

    @pytest.mark.parametrize("form", ["blocking", "async"])
    async def test_that_is_cut_is_closed_and_shows_nothing_more(self, form):
        pieces, taken, first = Pieces(), [], asyncio.Event()
        loop = asyncio.get_running_loop()

        def take(piece):
            taken.append(piece)
            loop.call_soon_threadsafe(first.set)

        asynchronous = pieces.astream if form == "async" else None
        reading = asyncio.ensure_future(read_either(pieces.stream, asynchronous, take, "first"))
        await first.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        pieces.go_on.set()
        assert await asyncio.to_thread(pieces.closed.wait, 60)
        assert taken == ["first"]

    @pytest.mark.parametrize("form", ["blocking", "async"])
    async def test_whose_piece_nobody_can_take_is_closed(self, form):
        def take(piece):
            raise ValueError("no text")

        pieces = Pieces()
        with pytest.raises(ValueError, match="no text"):
            await read_either(pieces.stream, pieces.astream if form == "async" else None, take, "first")
        assert pieces.closed.is_set()

    async def test_that_swallows_a_cut_ends_with_its_next_piece(self):
        async def astream():
            yield "first"
            asyncio.current_task().cancel()
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                yield "second"

        taken = []
        with pytest.raises(asyncio.CancelledError):
            await asyncio.ensure_future(read_either(lambda: iter(()), astream, taken.append))
        assert taken == ["first"]

    async def test_that_fails_raises_what_it_failed_with(self):
        def stream():
            yield "first"
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            await read_either(stream, None, lambda piece: None)
