"""Generations that are looked at while the embedded model writes them."""

from scaffolding_core import ChatTask, DeepConfOnlineController, NativeChatController, ScaffoldingLlm
from scaffolding_core.controllers.stepwise import stepwise
from tests.core.doubles import Method


async def test_the_embedded_model_is_cut_while_it_writes(local_worker):
    seen = []

    def watch(tokens):
        seen.extend(tokens)
        return len(seen) >= 6

    chat = ChatTask.create_from_prompt("Count from one to twenty.")
    chat.max_tokens, chat.num_logprobs, chat.temperature = 48, 2, 0.0
    async with ScaffoldingLlm(
        Method(lambda tasks: stepwise(NativeChatController().process(tasks), 3, watch)), local_worker
    ) as llm:
        output = (await llm.generate_async(chat)).output
    assert output.finish_reason == "cancelled"
    assert 6 <= output.usage.completion_tokens < 20
    assert all(len(token.top) == 2 for token in seen)


async def test_deepconf_runs_on_the_embedded_model(local_worker):
    sampling = {"temperature": 1.0, "max_tokens": 12}
    method = DeepConfOnlineController(
        NativeChatController(sampling), 6, warm_up=3, keep=0.3, group_size=3, step=3, num_logprobs=3, consensus=1.0
    )
    async with ScaffoldingLlm(method, local_worker) as llm:
        output = (await llm.generate_async("Name a colour.")).output
    assert output.text
    assert output.data["threshold"] > 0
    assert output.data["cut"] == sum(each.message.finish_reason == "cancelled" for each in output.candidates)
