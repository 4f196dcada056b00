"""What holds of every method of the table, on simulated workers that play all its roles."""

import asyncio
import copy

import pytest

from scaffolding_core import (
    METHODS,
    AssistantMessage,
    Budget,
    BudgetExceededError,
    BudgetForcingController,
    ChatTask,
    DecisionEvent,
    FunctionWorker,
    MajorityVoteController,
    NativeChatController,
    ScaffoldingError,
    ScaffoldingLlm,
    SimulatedWorker,
    SystemMessage,
    ToolsWorker,
    UserMessage,
    build_method,
)
from scaffolding_core.controller import roles_of

pytestmark = pytest.mark.looptime

each = pytest.mark.parametrize("name", METHODS)
MAKE_THEIR_ANSWER = {"program_of_thought"}
"""Their answer is none that a model said."""
LOOK_AT_EACH_GENERATION = {"deepconf_online"}
"""They take no method that generates several at once."""
GO_ON_WITH_THOUGHTS = {BudgetForcingController}
"""They need a model whose thoughts stand in the text."""
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def says(task, source):
    """An answer that is right three times in four, whatever it was asked for."""
    return f"We add and get \\boxed{{{'7' if source.random() < 0.75 else '8'}}}."


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def runs(task):
    """What a sandbox would, of any program."""
    task.value, task.stdout = 7, "7"


def workers_for(method, worker):
    """The worker in all roles, but for those that generate nothing."""
    others = {"code": lambda: FunctionWorker(runs), "tools": lambda: ToolsWorker([add])}
    if isinstance(worker, SimulatedWorker) and type(method) in GO_ON_WITH_THOUGHTS:
        worker.tokens = None
    return {role: others.get(role, lambda: worker)() for role in roles_of(method) | {"generation"}}


def simulated(**given):
    options = {"tokens": 30, "logprob": -0.3, "reward": lambda text, source: source.random(), **given}
    return SimulatedWorker(says, **options)


async def asked(name, prompt="What is 3 + 4?", worker=None, **options):
    method = build_method(name)
    async with ScaffoldingLlm(method, workers_for(method, worker or simulated())) as llm:
        return (await llm.generate_async(prompt, **options)).output


@each
async def test_it_answers_with_one_of_its_candidates_whole(name):
    output = await asked(name)
    assert output.text
    assert output.usage.calls >= 1
    assert output.method
    finished = [candidate for candidate in output.candidates if candidate.error is None]
    if name not in MAKE_THEIR_ANSWER:
        assert not finished or output.message in [candidate.message for candidate in finished]


@each
async def test_a_chat_of_several_turns_is_answered_and_left_as_it_is(name):
    messages = [
        SystemMessage("Be short."),
        UserMessage("Hi"),
        AssistantMessage("Yes?"),
        UserMessage([{"type": "text", "text": "What is 3 + 4?"}, PICTURE]),
    ]
    before, seen = copy.deepcopy(messages), []

    def answer(task, source):
        seen.append(task)
        return says(task, source)

    output = await asked(name, ChatTask(messages=messages), simulated_as(answer))
    assert output.text
    assert messages == before
    chats = [task for task in seen if isinstance(task, ChatTask)]
    assert any("3 + 4" in message.text for message in chats[0].messages)


def simulated_as(answer):
    worker = simulated()
    worker.answers = answer
    return worker


@pytest.mark.parametrize("name", sorted(METHODS.keys() - LOOK_AT_EACH_GENERATION))
async def test_what_it_has_decided_for_all_to_see_is_its_answer_whatever_generates(name):
    voting = MajorityVoteController(NativeChatController(), 2, stop_rule="full")
    method = build_method(name, generation=voting)
    for seed in range(8):
        async with ScaffoldingLlm(method, workers_for(method, simulated(seed=seed))) as llm:
            events = [event async for event in llm.stream("What is 3 + 4?")]
        decided = [event for event in events if isinstance(event, DecisionEvent) and event.branch == ()]
        assert {event.candidate.text for event in decided} <= {events[-1].output.text}


@each
@pytest.mark.parametrize("budget", [{"samples": 1}, {"tokens": 40}, {"seconds": 0.35}], ids=str)
async def test_a_budget_that_runs_out_leaves_the_best_so_far_or_one_typed_error(name, budget):
    try:
        output = await asked(name, budget=Budget(**budget))
    except BudgetExceededError:
        return
    assert output.text


@each
async def test_where_every_call_fails_there_is_one_typed_error(name):
    def fails(task):
        raise ConnectionError("lost")

    with pytest.raises(ScaffoldingError):
        await asked(name, worker=FunctionWorker(fails))


@each
async def test_requests_that_run_beside_each_other_share_nothing(name):
    method = build_method(name)
    async with ScaffoldingLlm(method, workers_for(method, simulated())) as llm:
        results = await asyncio.gather(*(llm.generate_async(f"{n}?", seed=n) for n in range(6)))
        again = [(await llm.generate_async(f"{n}?", seed=n)).output for n in range(2)]
    assert [output.text for output in again] == [result.output.text for result in results[:2]]


@each
async def test_what_is_cancelled_ends_and_leaves_nothing_running(name):
    method = build_method(name)
    worker = simulated(seconds_per_token=1)
    async with ScaffoldingLlm(method, workers_for(method, worker)) as llm:
        result = llm.generate_async("What is 3 + 4?")
        await asyncio.sleep(5)
        result.cancel()
        with pytest.raises(ScaffoldingError):
            await result
