"""In a Jupyter kernel, whose loop runs while a cell does."""

from jupyter_client.manager import start_new_kernel

CELL = """
from scaffolding_core import FunctionWorker, NativeGenerationController, ScaffoldingLlm
llm = ScaffoldingLlm(NativeGenerationController(), FunctionWorker(lambda task: task.input_str.upper()))
blocking = llm.generate("one").text
awaited = (await llm.generate_async("two")).text
streamed = [event async for event in llm.stream("three")][-1].output.text
await llm.aclose()
print(blocking, awaited, streamed)
"""


def test_cells_block_await_and_stream():
    manager, client = start_new_kernel(kernel_name="python3")
    printed = []
    try:
        reply = client.execute_interactive(
            CELL, timeout=60, output_hook=lambda m: printed.append(m["content"].get("text", ""))
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok", reply["content"]
    assert "ONE TWO THREE" in "".join(printed)
