"""What a worker can do, found out by letting it."""

from scaffolding_core import (
    ChatTask,
    NativeChatController,
    ScaffoldingError,
    ScaffoldingLlm,
    TokenEvent,
    ToolDescription,
    UserMessage,
    Worker,
)


async def calls_tools(worker: Worker) -> bool:
    """Whether it hands on tools, and the calls of them; on a server that calls a tool wherever it is given one."""
    task = ChatTask(
        messages=[UserMessage("q")], tools=[ToolDescription("clock", "Tells the time", {})], max_tokens=4
    )
    try:
        await worker.run_task(task)
    except ScaffoldingError:
        return False
    return bool(task.tool_calls)


async def streams(worker: Worker) -> bool:
    """Whether it tells what it writes while it does."""
    async with ScaffoldingLlm(NativeChatController({"max_tokens": 8}), worker) as llm:
        return len([event async for event in llm.stream("Tell me a story.") if isinstance(event, TokenEvent)]) > 0
