"""What a worker can do, found out by letting it."""

import asyncio

from scaffolding_core import (
    Capabilities,
    ChatTask,
    GenerationTask,
    NativeChatController,
    ScaffoldingError,
    ScaffoldingLlm,
    TokenEvent,
    ToolDescription,
    UserMessage,
    Worker,
)


async def proved(worker: Worker, together: int) -> Capabilities:
    """What it can do of all there is.

    Args:
        worker: on a server that calls a tool wherever it is given one.
        together: samples that are asked for at once.
    """
    return Capabilities(
        logprobs=await _logprobs(worker),
        tools=await calls_tools(worker),
        streaming=await streams(worker),
        siblings=await _siblings(worker, together),
        token_prompts=await _token_prompts(worker),
    )


async def _ran(worker: Worker, task: GenerationTask) -> bool:
    try:
        await worker.run_task(task)
    except ScaffoldingError:
        return False
    return True


async def _logprobs(worker: Worker) -> bool:
    task = GenerationTask(input_str="Once upon a time", max_tokens=4, num_logprobs=1)
    return await _ran(worker, task) and bool(task.logprobs)


async def calls_tools(worker: Worker) -> bool:
    """Whether it hands on tools, and the calls of them."""
    task = ChatTask(
        messages=[UserMessage("q")], tools=[ToolDescription("clock", "Tells the time", {})], max_tokens=4
    )
    return await _ran(worker, task) and bool(task.tool_calls)


async def streams(worker: Worker) -> bool:
    """Whether it tells what it writes while it does."""
    async with ScaffoldingLlm(NativeChatController({"max_tokens": 8}), worker) as llm:
        return len([event async for event in llm.stream("Tell me a story.") if isinstance(event, TokenEvent)]) > 0


async def _siblings(worker: Worker, together: int) -> int:
    """How many of the samples of one prompt came with one request, at most."""
    group = object()
    tasks = [GenerationTask(input_str="Once upon a time", max_tokens=2, group=group) for _ in range(together)]
    await asyncio.gather(*(worker.run_task(task) for task in tasks))
    requests = sum(task.usage.calls for task in tasks)
    return -(-together // requests)


async def _token_prompts(worker: Worker) -> bool:
    return await _ran(worker, GenerationTask(input_tokens=[1, 2, 3], max_tokens=2))
