"""MultiChainComparisonController: chains, and the answer of the model that has read them."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    Budget,
    BudgetExceededError,
    InsufficientSamplesError,
    InvalidRequestError,
    MultiChainComparisonController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    WorkerError,
)
from tests.core.controllers.refining.scripted import CALLING, Model, errors, texts
from tests.servers.scripted import Reply, scripted_server

chat, text = NativeChatController(), NativeGenerationController()


def method(n=3, generation=chat, **more):
    return MultiChainComparisonController(generation, n, answers="number", **more)


@pytest.mark.looptime
class TestComparing:
    async def test_the_model_reads_all_chains_and_its_answer_is_the_result(self):
        script = Model({"Several people": "It is 8.", "How": ["7", "7", "8"]})
        output = await script.ask(method())
        assert (output.text, output.answer, texts(output)) == ("It is 8.", "8", ["7", "7", "8", "It is 8."])
        assert (output.votes, output.agreement) == ({"8": 2, "7": 2}, 0.5)
        assert (output.stopped, output.usage.calls, script.most) == ("complete", 4, 3)
        assert script.asked[3].startswith("How many?\n\nSeveral people")
        assert "Answer 1:\n7\n\nAnswer 2:\n7\n\nAnswer 3:\n8\n\n" in script.asked[3]

    async def test_a_text_is_asked_with_the_chains_behind_it_and_thoughts_are_not_shown(self):
        said = AssistantMessage("<think>so</think>it is 7", reasoning="hm")
        script = Model({"Several people": "8", "How": said})
        await script.ask(method(2, text), "How many?")
        assert "\n\nAnswer 1:\nit is 7\n\nAnswer 2:\nit is 7\n\n" in script.asked[2]

    async def test_a_chain_that_fails_costs_itself_alone(self):
        script = Model({"Several people": "8", "How": ["7", WorkerError("down"), "9"]})
        output = await script.ask(method())
        assert (output.answer, errors(output)) == ("8", [None, "WorkerError", None, None])
        assert "Answer 2:\n9\n\nCompare" in script.asked[3]

    async def test_one_that_ends_alone_is_the_result(self):
        script = Model({"Several people": "8", "How": [WorkerError("down"), "7", WorkerError("down")]})
        output = await script.ask(method())
        assert (output.answer, output.votes, len(script.tasks)) == ("7", {"7": 1}, 3)
        script = Model({"How": "7"})
        assert (await script.ask(method(), sample_num=1)).answer == "7"
        assert len(script.tasks) == 1
        with pytest.raises(InsufficientSamplesError, match="down"):
            await Model({"How": WorkerError("down")}).ask(method())

    async def test_where_the_comparison_fails_the_chains_vote(self):
        script = Model({"Several people": WorkerError("down"), "How": ["9", "7", "7"]})
        output = await script.ask(method())
        assert (output.answer, output.stopped, errors(output)) == (
            "7",
            "complete",
            [None, None, None, "WorkerError"],
        )

    async def test_without_time_for_the_comparison_the_chains_vote(self):
        script = Model({"Several people": (60, "8"), "How": ["9", "7", "7"]})
        for budget in (Budget(seconds=9), Budget(samples=3)):
            output = await script.ask(method(), budget=budget)
            assert (output.answer, output.stopped) == ("7", "budget")
        with pytest.raises(BudgetExceededError):
            await Model({"How": (60, "7")}).ask(method(), budget=Budget(seconds=9))

    async def test_time_that_is_up_before_all_chains_are_there_is_the_end(self):
        script = Model({"How": ["7", (60, "8"), "7"]})
        output = await script.ask(method(), budget=Budget(seconds=9))
        assert (output.answer, output.stopped, len(script.tasks)) == ("7", "budget", 3)

    async def test_an_answer_of_the_comparison_that_cannot_be_read_is_whole_all_the_same(self):
        output = await Model({"Several people": "no idea", "How": "7"}).ask(method())
        assert (output.text, output.answer, output.agreement) == ("no idea", None, 0)

    async def test_the_first_that_wants_tools_called_is_handed_on(self):
        script = Model({"How": [(60, "7"), CALLING, (60, "7")]})
        output = await script.ask(method())
        assert (output.message.tool_calls, script.cut) == (CALLING.tool_calls, 2)


async def test_chains_share_a_request_where_the_server_takes_that():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m", siblings=8) as worker:
            await ScaffoldingLlm(method(4), worker).generate_async("q")
    assert [body.get("n") for body in server.requests] == [4, None]


@pytest.mark.parametrize("wrong", [{"default_sample_num": 0}, {"compare": "{chains}"}, {"answers": "?"}])
def test_what_makes_no_sense_is_refused_when_it_is_made(wrong):
    with pytest.raises(InvalidRequestError):
        MultiChainComparisonController(chat, **wrong)
