"""Streamed responses: read to their end inside a sample, and streamed again once chosen."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse

from scaffolding_core.adapting import run_in_thread

__all__ = ["ReadResponse", "async_stream_of", "read_to_its_end", "stream_of"]


@dataclass
class ReadResponse(Response):
    """A streamed response that has been read.

    Attributes:
        pieces: its text, as it came.
    """

    pieces: Sequence[str] = field(default_factory=tuple)


class _ChosenStream(StreamingResponse):
    """A stream of what is known already: reading its text does not use the stream up."""

    response: str

    def __str__(self) -> str:
        return self.response


class _AsyncChosenStream(AsyncStreamingResponse):
    """As `_ChosenStream`, for async queries."""

    response: str

    def __str__(self) -> str:
        return self.response


async def read_to_its_end(response: StreamingResponse | AsyncStreamingResponse) -> ReadResponse:
    """The response, whole."""
    if isinstance(response, AsyncStreamingResponse):
        async with aclosing(cast("Any", response.async_response_gen())) as texts:  # Any: typed without aclose()
            pieces = [text async for text in texts]
    else:
        pieces = await run_in_thread(list, response.response_gen)
    return ReadResponse("".join(pieces), response.source_nodes, response.metadata, pieces)


def stream_of(response: Response) -> StreamingResponse:
    """The response as a stock engine streams it; `response` and `str()` have its text at once."""
    stream = _ChosenStream(_texts(response), response.source_nodes, response.metadata)
    stream.response = str(response)
    return stream


def async_stream_of(response: Response) -> AsyncStreamingResponse:
    """As `stream_of`, for async queries."""
    stream = _AsyncChosenStream(_atexts(response), response.source_nodes, response.metadata)
    stream.response = str(response)
    return stream


def _texts(response: Response) -> Generator[str, None, None]:
    yield from _pieces(response)


async def _atexts(response: Response) -> AsyncGenerator[str, None]:
    for text in _pieces(response):
        yield text


def _pieces(response: Response) -> Sequence[str]:
    return response.pieces if isinstance(response, ReadResponse) else (response.response or "",)
