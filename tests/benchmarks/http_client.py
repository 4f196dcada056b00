"""Cost of OpenAIWorker's client, in CPU time of the process, and its connections after many random cuts.

Against a bare aiohttp POST that reads the same events and parses the same JSON; the server is a process of its
own, which sends an answer in one piece of the network, so that what is left is the client's work.
"""

import asyncio
import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from multiprocessing.connection import Connection

import aiohttp

from scaffolding_core import ChatTask, NativeGenerationController, OpenAIWorker, ScaffoldingLlm, UserMessage

PIECES = (1, 16, 64)
CALLS, AT_ONCE, ROUNDS = 600, 32, 5
CUTS, CONNECTIONS, HEALTHY = 10_000, 10, 30
PLAIN = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "q"}]}
STREAMED = {**PLAIN, "stream": True, "stream_options": {"include_usage": True}}


def events(pieces: int) -> list[bytes]:
    """A chat's answer as vLLM streams it."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    choice = {"index": 0, "logprobs": None, "finish_reason": None}
    chunks = [{**head, "choices": [{**choice, "delta": {"content": " word"}}]}] * pieces
    chunks.append({**head, "choices": [{**choice, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": 5, "completion_tokens": pieces, "total_tokens": pieces + 5}
    chunks.append({**head, "choices": [], "usage": usage})
    return [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks] + [b"data: [DONE]\n\n"]


def whole(pieces: int) -> bytes:
    """The same answer in one, as vLLM gives it to a request that is not streamed."""
    message = {"role": "assistant", "content": " word" * pieces, "tool_calls": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": pieces, "total_tokens": pieces + 5}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "m"}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


def serve(pipe: Connection, pieces: int, between: float) -> None:
    """Answers every POST; a GET tells how many connections are open, its own among them."""
    streamed, plain, opened = events(pieces), whole(pieces), 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                if request.startswith(b"GET"):
                    await send(writer, b"application/json", [str(opened).encode()], 0)
                    continue
                lengths = [line for line in request.lower().split(b"\r\n") if line.startswith(b"content-length")]
                body = await reader.readexactly(int(lengths[0].split(b":")[1]))
                if b'"stream"' in body:
                    await send(writer, b"text/event-stream", streamed, between)
                else:
                    await send(writer, b"application/json", [plain], 0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            opened -= 1
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1000)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def send(writer: asyncio.StreamWriter, kind: bytes, parts: list[bytes], between: float) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (kind, sum(map(len, parts)))
    for part in [head, *parts] if between else [head + b"".join(parts)]:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(between)


@contextmanager
def server(pieces: int, between: float = 0.0):
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=serve, args=(its, pieces, between), daemon=True)
    process.start()
    its.close()  # if the process ends without a word, that is an error here
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join()


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    """CPU seconds of the calls, some at once, once warm."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated() -> None:
        async with gate:
            await call()

    await asyncio.gather(*(gated() for _ in range(AT_ONCE)))
    started = time.process_time()
    await asyncio.gather(*(gated() for _ in range(CALLS)))
    return time.process_time() - started


async def bare(url: str, plain: bool) -> float:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def streamed() -> None:
            async with session.post(f"{url}/chat/completions", json=STREAMED) as response:
                async for line in response.content:
                    if line.startswith(b"data: {"):
                        json.loads(line[6:])

        async def whole() -> None:
            async with session.post(f"{url}/chat/completions", json=PLAIN) as response:
                json.loads(await response.read())

        return await timed(whole if plain else streamed)


async def ours(url: str, plain: bool) -> float:
    async with OpenAIWorker(url, "m", server="vllm" if plain else None) as worker:
        return await timed(lambda: worker.run_task(ChatTask(messages=[UserMessage("q")], max_tokens=64)))


async def after_cuts(url: str) -> tuple[int, int]:
    """How many requests are served after the cuts, and how many connections are left at the server."""
    rng = random.Random(1)
    worker = OpenAIWorker(url, "m", max_concurrency=CONNECTIONS)
    async with ScaffoldingLlm(NativeGenerationController(), worker, max_parallel_requests=100) as llm:

        async def cut() -> None:
            result = llm.generate_async("q")
            await asyncio.sleep(rng.random() * 0.03)
            result.cancel()
            await result.ended()

        for _ in range(CUTS // 100):
            await asyncio.gather(*(cut() for _ in range(100)))
        healthy = [llm.generate_async("q") for _ in range(HEALTHY)]
        served = sum(bool(result.text) for result in await asyncio.gather(*healthy))
    await worker.async_shutdown()
    await asyncio.sleep(0.5)
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return served, int(await response.text()) - 1


def main() -> dict[str, object]:
    print(
        "OpenAIWorker against a bare aiohttp POST that parses the same JSON "
        f"(median of {ROUNDS} side-by-side rounds)"
    )
    results: dict[str, object] = {}
    for pieces, plain in [(PIECES[1], True), *((pieces, False) for pieces in PIECES)]:
        with server(pieces) as url:
            rounds = [(asyncio.run(bare(url, plain)), asyncio.run(ours(url, plain))) for _ in range(ROUNDS)]
        micro = statistics.median(b for b, _ in rounds) / CALLS * 1e6
        ratio = statistics.median(o / b for b, o in rounds)
        what = "a plain answer" if plain else f"an answer of {pieces:2} pieces"
        print(f"  {what}: bare {micro:.0f} us; ours {ratio:.2f} of it")
        results["plain" if plain else f"{pieces} pieces"] = {"bare_us": micro, "ratio": ratio}
    with server(4, between=0.004) as url:
        served, left = asyncio.run(after_cuts(url))
    print(
        f"  after {CUTS:,} random cuts on {CONNECTIONS} connections: "
        f"{served} of {HEALTHY} requests served, {left} connections left at the server"
    )
    return results | {"served_after_cuts": served, "left_open": left}


if __name__ == "__main__":
    main()
