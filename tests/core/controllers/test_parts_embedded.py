"""Answers that are written in parts, on the embedded server."""

from scaffolding_core import (
    AssistantMessage,
    BeamSearchController,
    BudgetForcingController,
    ChatTask,
    DynasorController,
    FunctionWorker,
    GenerationTask,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    ScaffoldingLlm,
    StepSplitter,
    UserMessage,
)

generation, chat = NativeGenerationController(), NativeChatController()
reward = NativeRewardController(role="process_reward")


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


async def test_a_search_by_lines_ends(local_worker):
    task = ChatTask.create_from_prompt("Say three short sentences about cats, a paragraph each.")
    task.max_tokens = 60
    method = BeamSearchController(chat, reward, 3, width=2, steps="\n", max_steps=6)
    rewards = FunctionWorker(lambda task: 1 / (1 + len(task.response.text)))
    async with ScaffoldingLlm(method, {"generation": local_worker, "process_reward": rewards}) as llm:
        output = (await llm.generate_async(task, seed=1)).output
    assert output.text.strip() == "".join(output.data["steps"]).strip()
    assert output.stopped == "complete"


async def test_nothing_is_asked_behind_the_end_of_an_answer(local_worker):
    shown = [UserMessage("What is 48 + 31?"), AssistantMessage("48 + 31 = 79")]
    task = ChatTask(messages=[*shown, UserMessage("What is 20 + 30?")], temperature=0.0, max_tokens=32)
    method = BeamSearchController(chat, reward, 1)
    rewards = FunctionWorker(lambda task: 0.5)
    async with ScaffoldingLlm(method, {"generation": local_worker, "process_reward": rewards}) as llm:
        output = (await llm.generate_async(task)).output
    assert output.data["steps"] == [output.text]
    assert output.usage_by_role["generation"].calls == 1


async def test_a_thought_of_a_text_prompt_is_closed(local_worker):
    task = GenerationTask(input_str="Question: What is 12 + 5?\nAnswer: ", temperature=0.0, max_tokens=40)
    async with ScaffoldingLlm(BudgetForcingController(generation, max_thinking=3, waits=0), local_worker) as llm:
        output = (await llm.generate_async(task)).output
    assert output.text.startswith("<think>\n")
    assert "\n</think>\n\n**Final answer:**" in output.text
    assert (output.data["closed"], output.usage.calls) == (True, 2)


async def test_probes_run_beside_chunks(local_worker):
    task = ChatTask.create_from_prompt("What is 12 + 5?")
    task.temperature, task.max_tokens = 0.0, 40
    async with ScaffoldingLlm(DynasorController(chat, chunk_size=8, answers="number"), local_worker) as llm:
        output = (await llm.generate_async(task)).output
    assert output.data["chunks"] >= 1
    assert output.text
