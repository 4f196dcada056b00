"""Steps on the embedded server."""

from scaffolding_core import (
    BeamSearchController,
    ChatTask,
    FunctionWorker,
    NativeChatController,
    NativeRewardController,
    ScaffoldingLlm,
    StepSplitter,
)

chat, reward = NativeChatController(), NativeRewardController(role="process_reward")


async def test_the_next_step_is_read_out_of_the_prefix_cache(local_worker):
    """Of what the second step sends, all but the last tokens was read for the first."""
    question = f"Write two short paragraphs about numbers. {'Think of the numbers. ' * 8}"
    task = ChatTask.create_from_prompt(question)
    task.temperature, task.max_tokens = 0.0, 24
    method = BeamSearchController(chat, reward, 1, steps=StepSplitter(by="tokens", tokens=12))
    rewards = FunctionWorker(lambda task: 0.5)
    async with ScaffoldingLlm(method, {"generation": local_worker, "process_reward": rewards}) as llm:
        output = (await llm.generate_async(task)).output
    paid = output.usage_by_role["generation"]
    assert len(output.data["steps"]) == 2
    assert paid.calls == 2
    assert paid.cached_tokens >= (paid.prompt_tokens - 12) / 2 - 3
