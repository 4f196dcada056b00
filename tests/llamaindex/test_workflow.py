"""run_method: a method as a workflow's step. Answers are scripted, so that a vote comes out the same each time."""

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step
from workflows.errors import WorkflowCancelledByUser

from llamaindex_scaffolding import ScaffoldingLLM, run_method
from llamaindex_scaffolding.workflow import ChosenEvent, SampleDeltaEvent, SampleEvent
from scaffolding_core import InvalidRequestError
from tests.eventually import until
from tests.llamaindex.doubles import ScriptedLLM


class Ask(Workflow):
    """One step: a question, answered by a method."""

    def __init__(self, llm, **options):
        super().__init__(timeout=60)
        self.llm, self.options = llm, options

    @step
    async def answer(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await run_method(ctx, self.llm, ev.question, **self.options))


def voting(*answers, **fields):
    fields = {"sample_num": len(answers), "method_options": {"stop_rule": "full"}, **fields}
    return ScaffoldingLLM.wrap(ScriptedLLM(answers=list(answers)), **fields)


async def run(workflow, question="q"):
    """The step's response, and all that the workflow's stream showed."""
    handler = workflow.run(question=question)
    events = [event async for event in handler.stream_events()]
    return await handler, [event for event in events if not isinstance(event, StopEvent)]


async def test_the_step_gets_the_voted_answer_and_how_it_was_chosen():
    response, _ = await run(Ask(voting("it is 7", "8", "so 7")))
    assert response.message.content == "it is 7"
    assert response.raw["votes"] == {"7": 2, "8": 1}


async def test_the_stream_shows_each_samples_text_each_end_and_the_choice():
    _, events = await run(Ask(voting("it is 7", "8", "so 7")))
    texts = {}
    for event in events:
        if isinstance(event, SampleDeltaEvent):
            texts[event.branch[0]] = texts.get(event.branch[0], "") + event.delta
    assert texts == {0: "it is 7", 1: "8", 2: "so 7"}
    ended = [event for event in events if isinstance(event, SampleEvent)]
    assert sorted((event.index, event.candidate["answer"]) for event in ended) == [(0, "7"), (1, "8"), (2, "7")]
    chosen = events[-1]
    assert isinstance(chosen, ChosenEvent)
    assert (chosen.index, chosen.candidate["text"], chosen.stopped) == (0, "it is 7", "complete")


async def test_its_events_are_plain_data():
    _, events = await run(Ask(voting("7", ValueError("busy"))))
    for event in events:
        assert type(event).model_validate_json(event.model_dump_json()) == event


async def test_a_chat_and_keywords_of_the_call_go_through():
    chat = [ChatMessage("be brief", role="system"), ChatMessage("q")]
    llm = voting("7", "7", "7")
    response, _ = await run(Ask(llm, sample_num=2, max_tokens=5), chat)
    assert response.raw["samples"] == 2
    assert llm.llm.record.asked[0] == chat
    assert llm.llm.record.kwargs[0]["max_tokens"] == 5


async def test_an_error_of_the_method_is_the_steps():
    with pytest.raises(InvalidRequestError, match="sample_num"):
        await run(Ask(voting("7"), sample_num=0))


async def test_cancelling_the_workflow_stops_the_samples():
    llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["a b c"], delay=60), sample_num=2)
    handler = Ask(llm).run(question="q")
    await until(lambda: len(llm.llm.record.calls) == 2)
    await handler.cancel_run()
    await until(lambda: llm.llm.record.closed == 2)
    with pytest.raises(WorkflowCancelledByUser):
        await handler


async def test_the_embedded_model_answers_in_a_step(local_worker):
    llm = ScaffoldingLLM(worker=local_worker, sample_num=2, max_tokens=8, temperature=0.5)
    response, events = await run(Ask(llm), "Count to three.")
    assert response.message.content
    assert any(isinstance(event, SampleDeltaEvent) for event in events)
