"""What holds of every method that asks on, whatever it asks."""

import asyncio
import re
from collections import defaultdict

import pytest

from scaffolding_core import (
    METHODS,
    Answers,
    AssistantMessage,
    CandidateEvent,
    ChainOfThoughtController,
    ChatTask,
    DecisionEvent,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    Recording,
    RecordingWorker,
    ReplayWorker,
    RewardTask,
    ScaffoldingLlm,
    SimulatedWorker,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from tests.core.controllers.refining.scripted import CALLING, QUESTION, TOOL, Model, last
from tests.core.doubles import Method
from tests.servers.scripted import Reply, scripted_server

NAMES = [
    "chain_of_verification",
    "critique_revise",
    "multi_chain_comparison",
    "plan_search",
    "recursive_self_aggregation",
    "reflexion",
    "self_refine",
    "sequential_revision",
]
AT_ONCE = ("multi_chain_comparison", "recursive_self_aggregation")
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def every(test):
    """Each method in turn, on a virtual clock."""
    return pytest.mark.looptime(pytest.mark.parametrize("name", NAMES)(test))


def made(name, generation=None, **options):
    if METHODS[name].samples:
        options.setdefault("default_sample_num", 4)
    return METHODS[name](generation or NativeChatController(), **options)


class Asked(Model):
    """Says what it is told to where it is asked for an answer, and a list where it is asked for anything else."""

    def answers_to(self, task):
        return self.script["beside" if is_beside(task) else "answer"]


def model(answer="it is 7"):
    """One whose answers all fail."""
    return Asked({"answer": answer, "beside": "1. Is it 7?\n2. Is it 8?"}, **{"_it is 7": 0.1})


def is_beside(task):
    words = "Review that|That answer failed|Which facts|^Is it|could help|What new observations|Write a plan"
    return re.search(words, last(task)) is not None


@every
async def test_each_asks_more_than_once_and_tells_what_was_paid(name):
    script = model()
    output = await script.ask(made(name))
    assert output.text == "it is 7"
    assert output.method == METHODS[name].constructor.__name__
    assert output.usage.calls == len(script.tasks) + len(script.judged) > 2
    assert all(candidate.usage.calls >= 1 for candidate in output.candidates)
    assert [candidate.index for candidate in output.candidates] == list(range(output.samples))


@every
async def test_an_answer_that_wants_tools_called_is_handed_on_at_once_whole(name):
    script = model(CALLING)
    task = ChatTask(messages=[*QUESTION], tools=[TOOL])
    output = await script.ask(made(name), task)
    assert output.message.tool_calls == CALLING.tool_calls
    assert len(script.tasks) == {**dict.fromkeys(AT_ONCE, 4), "plan_search": 1 + 3 * 4}.get(name, 1)
    assert script.judged == []


@every
async def test_what_is_asked_beside_the_answer_is_asked_for_words_alone(name):
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
    script = model()
    prompt = ChatTask(messages=[*QUESTION], tools=[TOOL], tool_choice="auto", response_format=schema)
    await script.ask(made(name), prompt)
    for task in script.tasks:
        given = [task.tools, task.tool_choice, task.response_format]
        assert given == ([None] * 3 if is_beside(task) else [[TOOL], "auto", schema])


@every
async def test_behind_calls_of_tools_the_tools_stay_known_and_are_not_called(name):
    script = model()
    chat = [*QUESTION, CALLING, ToolMessage("7", tool_call_id="1")]
    await script.ask(made(name), ChatTask(messages=chat, tools=[TOOL]))
    beside = [task for task in script.tasks if is_beside(task) and len(task.messages) > 1]
    assert all((task.tools, task.tool_choice) == ([TOOL], "none") for task in beside)


@every
async def test_the_given_task_keeps_its_prompt_and_gets_the_results(name):
    given = []

    def process(tasks):
        given.append(tasks[0])
        return (yield from made(name).process(tasks))

    prompt = [SystemMessage("Be brief."), UserMessage([{"type": "text", "text": "q"}, PICTURE])]
    script = model()
    output = await script.ask(Method(process), prompt)
    (task,) = given
    assert task.messages == prompt
    assert (task.output_str, task.finish_reason) == (output.text, "stop")
    with_picture = [task for task in script.tasks if not task.messages[-1].text.startswith("Is it")]
    assert all(PICTURE in task.messages[1].content for task in with_picture)
    assert all(task.messages[0].text == "Be brief." for task in script.tasks)


@every
async def test_the_thoughts_of_an_answer_are_not_shown_again(name):
    said = AssistantMessage("<think>secret</think>it is 7", reasoning="secret")
    script = model(said)
    script.rewards = {f"_{said.text}": 0.1}
    await script.ask(made(name))
    assert len(script.tasks) > 2
    shown = [message for task in script.tasks for message in task.messages]
    assert not any("secret" in message.text for message in shown)
    assert not any(isinstance(message, AssistantMessage) and message.reasoning for message in shown)


@every
async def test_each_call_has_a_seed_of_its_own_and_the_same_again(name):
    runs = []
    for _ in range(2):
        script = model()
        await script.ask(made(name), seed=5)
        by_another = "judge" if name == "critique_revise" else None
        runs.append([task.seed for task in script.tasks if task.worker_tag != by_another])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == len(runs[0])
    script = model()
    await script.ask(made(name))
    assert {task.seed for task in script.tasks} == {None}


@every
async def test_the_kind_of_answer_of_the_method_or_of_the_request_reads_the_result(name):
    assert (await model().ask(made(name, answers="number"))).answer == "7"
    assert (await model().ask(made(name), answers=Answers.of("number"))).answer == "7"


@every
async def test_it_nests_in_a_vote_and_takes_a_vote(name):
    script = model()
    output = await script.ask(MajorityVoteController(made(name, answers="number"), 2, stop_rule="full"))
    assert (output.answer, output.votes) == ("7", {"7": 2})
    inner = MajorityVoteController(NativeChatController(), 2, stop_rule="full", answers="number")
    output = await model().ask(made(name, inner, answers="number"))
    assert output.answer == "7"
    assert all(candidate.usage.calls >= 2 for candidate in output.candidates)


@every
async def test_the_kind_that_a_method_is_given_goes_before_that_of_the_method_inside(name):
    inner = ChainOfThoughtController(NativeChatController(), answers="yes_no")
    output = await model("yes, it is 7").ask(made(name, inner, answers="number"))
    assert output.answer == "7"
    assert (await model("yes, it is 7").ask(made(name, inner))).answer == "yes"


@every
async def test_options_of_the_generation_reach_every_call_of_it(name):
    taken = []

    class Takes(NativeChatController):
        def process(self, tasks, tone=None):
            taken.append(tone)
            return (yield from super().process(tasks))

    script = model()
    await script.ask(made(name, Takes()), generation_kwargs={"tone": "low"})
    assert set(taken) == {"low"}


@every
async def test_prompts_that_are_text_are_said_more_behind(name):
    tasks = []

    def backend(task):
        tasks.append(task)
        return 0.1 if isinstance(task, RewardTask) else "1. Is it 7?"

    workers = dict.fromkeys(("generation", "reward", "judge"), FunctionWorker(backend))
    async with ScaffoldingLlm(made(name, NativeGenerationController()), workers) as llm:
        assert (await llm.generate_async("How many?")).output.text == "1. Is it 7?"
    asked = [task.messages[-1].text if isinstance(task, ChatTask) else task.input_str for task in tasks]
    assert all(prompt.startswith("How many?") or prompt == "Is it 7?" for prompt in asked)


@every
async def test_what_nothing_can_be_said_behind_is_refused_before_anything_runs(name):
    script = model()
    with pytest.raises(InvalidRequestError, match="nothing to say more behind"):
        await script.ask(made(name, NativeGenerationController()), GenerationTask(input_tokens=[1, 2]))
    with pytest.raises(InvalidRequestError, match="give one task, not 2"):
        next(made(name).process([ChatTask(), ChatTask()]))
    assert script.tasks == []


@every
async def test_none_but_those_that_ask_the_same_are_siblings(name):
    prompts = defaultdict(set)
    script = model()
    await script.ask(made(name))
    for task in script.tasks:
        if task.group is not None:
            prompts[id(task.group)].add(tuple(message.text for message in task.messages))
    assert all(len(each) == 1 for each in prompts.values())


@every
async def test_candidates_and_the_decision_are_told_as_they_come(name):
    workers = dict.fromkeys(("generation", "reward", "judge"), FunctionWorker(model()))
    events = []
    async with ScaffoldingLlm(made(name), workers) as llm:
        async for event in llm.stream(QUESTION):
            events.append(event)
    candidates = [event for event in events if isinstance(event, CandidateEvent) and event.branch == ()]
    (decision,) = [event for event in events if isinstance(event, DecisionEvent) and event.branch == ()]
    assert len(candidates) >= 2
    assert decision.candidate.text == "it is 7"


@every
async def test_requests_at_the_same_time_know_nothing_of_each_other(name):
    method = made(name)
    workers = dict.fromkeys(("generation", "reward", "judge"), FunctionWorker(model()))
    async with ScaffoldingLlm(method, workers) as llm:
        alone = (await llm.generate_async(QUESTION, seed=1)).output
        both = await asyncio.gather(*(llm.generate_async(QUESTION, seed=1) for _ in range(2)))
    for result in both:
        assert result.output.samples == alone.samples
        assert result.output.votes == alone.votes
        assert (result.output.data or {}).keys() == (alone.data or {}).keys()


@every
async def test_a_recorded_run_replays_to_the_same_result(name):
    def answer(task, source):
        return f"1. Is it {source.randrange(9)}?"

    worker = SimulatedWorker(answer, reward=lambda said, source: source.random() / 2, seed=3)
    recording = Recording()
    roles = ("generation", "reward", "judge")
    async with ScaffoldingLlm(made(name), dict.fromkeys(roles, RecordingWorker(worker, recording))) as llm:
        first = (await llm.generate_async(QUESTION, seed=1)).output
    async with ScaffoldingLlm(made(name), dict.fromkeys(roles, ReplayWorker(recording))) as llm:
        again = (await llm.generate_async(QUESTION, seed=1)).output
    assert (again.text, again.data, again.votes) == (first.text, first.data, first.votes)
    assert [each.text for each in again.candidates] == [each.text for each in first.candidates]


@pytest.mark.parametrize("name", ["self_refine", "reflexion", "sequential_revision", "chain_of_verification"])
async def test_first_answers_of_samples_share_a_request_where_the_server_takes_that(name):
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m", siblings=8) as worker:
            vote = MajorityVoteController(made(name), 3, stop_rule="full")
            workers = {"generation": worker, "reward": FunctionWorker(lambda task: 1.0)}
            await ScaffoldingLlm(vote, workers).generate_async(QUESTION)
    assert server.requests[0]["n"] == 3
