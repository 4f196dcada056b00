"""What many requests may spend together."""

import asyncio
import threading
from contextlib import nullcontext, suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffolding_core import (
    AssistantMessage,
    Budget,
    BudgetExceededError,
    ChatTask,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    MissingExtraError,
    ModelInfo,
    NativeGenerationController,
    Race,
    RecordingWorker,
    ReplayWorker,
    RequestCancelledError,
    ScaffoldingLlm,
    SharedBudget,
    StreamGenerationTask,
    Usage,
    UserMessage,
    Worker,
)
from scaffolding_core.driver.shared_budget import Amount
from scaffolding_core.driver.spending import _prompt_tokens
from tests.core.doubles import Backend, Method, task

pytestmark = pytest.mark.looptime

PROMPT = 8 + 1  # what is set aside for a prompt of a few letters


class Paid(Backend):
    """A backend whose samples cost 4 tokens to read and so many to write, at most `max_tokens`."""

    model_info = ModelInfo(name="gpt-4o-mini")

    def __init__(self, *written, seconds=1):
        super().__init__()
        self.written = list(written)
        self.seconds = seconds
        self.paid = 0

    async def run_task(self, task):
        index = len(self.started)
        self.started.append(task.input_str)
        task.usage = Usage(calls=1, lost_calls=1)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.running -= 1
        written = min(self.written[index % len(self.written)], task.max_tokens or 10**6)
        task.usage = Usage(calls=1, prompt_tokens=4, completion_tokens=written)
        self.paid += task.usage.total_tokens
        task.output_str = "42"


def sampled(n, max_tokens=100):
    def process(tasks):
        race = Race([_limited(max_tokens) for _ in range(n)], failures="values")
        ends = []
        while (outcome := (yield race)) is not None:
            ends.append("refused" if isinstance(outcome.error, BudgetExceededError) else outcome.error or "done")
        tasks[0].output_str = ", ".join(map(str, sorted(map(str, ends))))

    return Method(process)


def _limited(max_tokens):
    sample = task("q")
    sample.max_tokens = max_tokens
    return sample


async def test_calls_at_the_same_time_wait_for_what_others_may_still_need():
    backend, budget = Paid(10), SharedBudget(tokens=2 * (100 + PROMPT))
    async with ScaffoldingLlm(sampled(8), backend) as llm:
        text = (await llm.generate_async("q", budget=budget)).text
    assert text == "done, done, done, done, done, done, done, done"
    assert backend.most == 2
    assert budget.spent.tokens == backend.paid == 8 * 14
    assert budget.spent.samples == 8


async def test_what_would_not_fit_even_if_all_others_cost_nothing_is_refused_at_once():
    backend, budget = Paid(100), SharedBudget(tokens=2 * (100 + PROMPT))
    async with ScaffoldingLlm(sampled(4), backend) as llm:
        text = (await llm.generate_async("q", budget=budget)).text
    assert text == "done, done, refused, refused"
    assert backend.paid <= 2 * (100 + PROMPT)


async def test_requests_one_after_another_spend_from_the_same():
    backend, budget = Paid(50), SharedBudget(tokens=200)
    async with ScaffoldingLlm(NativeGenerationController({"max_tokens": 50}), backend) as llm:
        for _ in range(3):
            await llm.generate_async("q", budget=budget)
        with pytest.raises(BudgetExceededError, match="budget of tokens is spent") as caught:
            await llm.generate_async("q", budget=budget)
    assert caught.value.limit == "tokens"
    assert budget.spent.tokens == backend.paid == 3 * 54


async def test_a_vote_answers_with_what_it_could_pay():
    backend, budget = Paid(50), SharedBudget(tokens=200)
    vote = MajorityVoteController(
        NativeGenerationController({"max_tokens": 50}), default_sample_num=8, stop_rule="full"
    )
    async with ScaffoldingLlm(vote, backend) as llm:
        output = (await llm.generate_async("q", budget=budget)).output
    assert (output.text, output.stopped) == ("42", "budget")
    assert len([candidate for candidate in output.candidates if candidate.error is None]) == 3


async def test_samples_are_counted_over_all_requests():
    backend, budget = Paid(5), SharedBudget(samples=3)
    async with ScaffoldingLlm(sampled(2), backend) as llm:
        texts = [(await llm.generate_async("q", budget=budget)).text for _ in range(3)]
    assert texts == ["done, done", "done, refused", "refused, refused"]


async def test_seconds_count_from_the_first_request():
    budget = SharedBudget(seconds=5)
    async with ScaffoldingLlm(Method(lambda tasks: (yield [task("wait:3 say:x")])), Backend()) as llm:
        await llm.generate_async("q", budget=budget)
        with pytest.raises(BudgetExceededError) as caught:
            await llm.generate_async("q", budget=budget)
    assert caught.value.limit == "seconds"


async def test_more_can_be_allowed_while_others_wait():
    backend, budget = Paid(100), SharedBudget(tokens=110)
    async with ScaffoldingLlm(NativeGenerationController({"max_tokens": 100}), backend) as llm:
        first, second = (llm.generate_async("q", budget=budget) for _ in range(2))
        await asyncio.sleep(0.5)
        assert backend.running == 1
        budget.allow_more(tokens=110)
        await asyncio.sleep(0.1)
        assert backend.running == 2
        await asyncio.gather(first, second)
    assert budget.limits == {"tokens": 220}


async def test_a_request_that_is_cut_while_it_waits_paid_nothing_and_lets_others_pass():
    backend, budget = Paid(10), SharedBudget(tokens=150)
    async with ScaffoldingLlm(NativeGenerationController(), backend) as llm:
        runs = llm.generate_async("q", budget=budget, max_tokens=100)
        waits = llm.generate_async("q", budget=budget, max_tokens=100)
        small = llm.generate_async("q", budget=budget, max_tokens=10)
        await asyncio.sleep(0.1)
        assert backend.running == 1  # in their order: else a large one would starve
        waits.cancel()
        await asyncio.sleep(0.1)
        assert backend.running == 2
        await asyncio.gather(runs, small)
    assert waits.usage == Usage()


async def test_what_was_cut_without_telling_its_cost_counts_as_the_worst():
    backend, budget = Paid(10), SharedBudget(tokens=1000)
    async with ScaffoldingLlm(NativeGenerationController({"max_tokens": 100}), backend) as llm:
        result = llm.generate_async("q", budget=budget)
        await asyncio.sleep(0.5)
        result.cancel()
        with pytest.raises(Exception, match="cancelled"):
            await result
    assert budget.spent.tokens == 100 + PROMPT - 1


async def test_what_was_never_sent_costs_nothing():
    budget = SharedBudget(tokens=1000)

    def refuse(task):
        raise InvalidRequestError("no")

    async with ScaffoldingLlm(NativeGenerationController(), FunctionWorker(refuse)) as llm:
        with pytest.raises(InvalidRequestError):
            await llm.generate_async("q", budget=budget)
    assert (budget.spent.tokens, budget.spent.samples) == (0, 0)


async def test_what_a_chain_paid_before_it_refused_counts():
    class Chain(Backend):
        is_chain = True

        async def run_task(self, task):
            task.usage = Usage(calls=1, prompt_tokens=5, completion_tokens=5)
            raise InvalidRequestError("no")

    budget = SharedBudget(tokens=1000)
    async with ScaffoldingLlm(NativeGenerationController(), Chain()) as llm:
        with pytest.raises(InvalidRequestError):
            await llm.generate_async("q", budget=budget)
    assert budget.spent.tokens == 10


async def test_a_chain_whose_models_nobody_names_needs_a_price_for_all():
    class Chain(Paid):
        is_chain = True
        model_info = ModelInfo()

    async with ScaffoldingLlm(NativeGenerationController(), Chain(10)) as llm:
        for prices, dollars in [((0, 1), 10e-6), (None, 0)]:
            budget = SharedBudget(dollars=1, prices=prices)
            with nullcontext() if prices else pytest.raises(InvalidRequestError, match="its worker names none"):
                await llm.generate_async("q", budget=budget)
            assert budget.spent.dollars == pytest.approx(dollars)
            assert budget._held == Amount()
    assert budget.spent.tokens == 14


async def test_an_answer_without_a_limit_sets_aside_what_the_budget_says():
    backend, budget = Paid(10), SharedBudget(tokens=1000, answer_tokens=480)
    async with ScaffoldingLlm(sampled(4, None), backend) as llm:
        await llm.generate_async("q", budget=budget)
    assert backend.most == 2


async def test_a_request_inside_another_spends_from_the_same_and_is_not_paid_twice():
    backend, budget = Paid(50), SharedBudget(tokens=300)
    inner = ScaffoldingLlm(NativeGenerationController({"max_tokens": 50}), backend)

    async def agent(task):
        for _ in range(3):
            await inner.generate_async("step")
        return "done"

    # What is set aside for the agent itself would leave nothing for its steps.
    outer = ScaffoldingLlm(NativeGenerationController({"max_tokens": 290}), FunctionWorker(agent))
    async with inner, outer:
        result = await outer.generate_async("q", budget=budget)
    assert result.text == "done"
    assert result.usage.total_tokens == budget.spent.tokens == backend.paid == 3 * 54
    assert budget.spent.samples == 3


def test_threads_with_event_loops_of_their_own_spend_from_the_same():
    budget = SharedBudget(tokens=5 * 60)
    calls = []

    def work(task):
        calls.append(budget._held.tokens + budget.spent.tokens)
        task.usage = Usage(calls=1, prompt_tokens=4, completion_tokens=46)
        return "42"

    def ask():
        with ScaffoldingLlm(NativeGenerationController({"max_tokens": 50}), FunctionWorker(work)) as llm:
            for _ in range(3):
                try:
                    llm.generate("q", budget=budget)
                except BudgetExceededError:
                    return

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert budget.spent.tokens <= 300
    assert budget.spent.samples == len(calls) == 5
    assert max(calls) <= 300


@settings(max_examples=60, deadline=None)
@given(
    written=st.lists(st.integers(0, 100), min_size=1, max_size=12),
    tokens=st.integers(1, 800),
    n=st.integers(1, 12),
    requests=st.integers(1, 3),
)
def test_calls_at_the_same_time_never_spend_more_than_the_limit(written, tokens, n, requests):
    backend, budget = Paid(*written, seconds=0), SharedBudget(tokens=tokens)

    async def run():
        async with ScaffoldingLlm(sampled(n), backend) as llm:
            await asyncio.gather(*(llm.generate_async("q", budget=budget) for _ in range(requests)))

    asyncio.run(run())
    assert budget.spent.tokens == backend.paid <= tokens
    assert budget._held == Amount()
    assert not budget._waiting


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    tokens=st.integers(100, 500),
    n=st.integers(1, 4),
)
def test_requests_that_are_cut_at_any_time_leave_nothing_set_aside(cuts, tokens, n):
    backend, budget = Paid(30, 60, seconds=0), SharedBudget(tokens=tokens)

    async def cut(llm, turns):
        result = llm.generate_async("q", budget=budget)
        for _ in range(turns):
            await asyncio.sleep(0)
        result.cancel()
        with suppress(RequestCancelledError):
            await result

    async def run():
        async with ScaffoldingLlm(sampled(n), backend) as llm:
            await asyncio.gather(*(cut(llm, turns) for turns in cuts))

    asyncio.run(run())
    assert backend.paid <= budget.spent.tokens <= tokens
    assert budget._held == Amount()
    assert not budget._waiting


async def test_a_recorded_run_within_a_budget_replays_to_the_same():
    recording = RecordingWorker(Paid(50, 20, 90))
    vote = MajorityVoteController(NativeGenerationController({"max_tokens": 90}), 8, stop_rule="full")

    async def asked(worker):
        async with ScaffoldingLlm(vote, worker) as llm:
            return (await llm.generate_async("q", budget=SharedBudget(tokens=300))).output

    outputs = [await asked(recording), await asked(ReplayWorker(recording.recording))]
    assert outputs[0].stopped == "budget"
    assert outputs[0].summary() == outputs[1].summary()


async def test_each_step_of_a_stream_pays_for_what_it_added():
    class Steps(Backend):
        async def run_task(self, task):
            written = 0 if task.usage is None else task.usage.completion_tokens
            task.usage = Usage(prompt_tokens=4, completion_tokens=written + 10, calls=1)
            task.output_str = (task.output_str or "") + "x"
            task.end_flag = len(task.output_str) == 3
            task.request_handle = Handle()

    class Handle:
        async def aclose(self):
            pass

    def process(tasks):
        stream = StreamGenerationTask(input_str="q", max_tokens=30)
        while not stream.end_flag:
            yield [stream]
        tasks[0].output_str = stream.output_str

    budget = SharedBudget(tokens=1000)
    async with ScaffoldingLlm(Method(process), Steps()) as llm:
        result = await llm.generate_async("q", budget=budget)
    assert (budget.spent.tokens, budget.spent.samples) == (34, 1)
    assert result.usage.total_tokens == 34


# Dollars.


async def test_dollars_are_set_aside_too():
    backend = Paid(100)
    budget = SharedBudget(dollars=0.0025, prices=(0, 10))  # of which an answer costs 0.001
    async with ScaffoldingLlm(sampled(4), backend) as llm:
        text = (await llm.generate_async("q", budget=budget)).text
    assert text == "done, done, refused, refused"
    assert budget.spent.dollars == pytest.approx(0.002)


async def test_a_budget_of_one_request_may_be_of_dollars():
    backend = Paid(100)
    async with ScaffoldingLlm(sampled(4), backend) as llm:
        for _ in range(2):
            text = (
                await llm.generate_async("q", budget=Budget(dollars=0.0025, prices={"gpt-4o-mini": (0, 10)}))
            ).text
            assert text == "done, done, refused, refused"


async def test_the_prices_of_known_models_are_known():
    backend, budget = Paid(1000), SharedBudget(dollars=1)
    async with ScaffoldingLlm(NativeGenerationController(), backend) as llm:
        await llm.generate_async("q", budget=budget)
    assert budget.spent.dollars == pytest.approx((4 * 0.15 + 1000 * 0.6) / 1e6)


@pytest.mark.parametrize(
    ("name", "told"), [("own-model", r"prices=\{'own-model': \(0.15, 0.6\)\}"), (None, r"prices=\(0.15, 0.6\)")]
)
async def test_a_model_without_a_price_is_refused_before_it_is_asked(name, told):
    backend, budget = Paid(1), SharedBudget(dollars=1)
    backend.model_info = ModelInfo(name=name)
    async with ScaffoldingLlm(NativeGenerationController(), backend) as llm:
        with pytest.raises(InvalidRequestError, match=told):
            await llm.generate_async("q", budget=budget)
    assert backend.started == []
    assert budget._held == Amount()


async def test_a_call_may_name_its_model():
    backend, budget = Paid(100), SharedBudget(dollars=1, prices={"big": (1, 1)})
    async with ScaffoldingLlm(NativeGenerationController(), backend) as llm:
        await llm.generate_async("q", budget=budget, extra_body={"model": "big"})
    assert budget.spent.dollars == pytest.approx(104e-6)


async def test_the_worker_is_asked_for_its_model():
    class Learns(Paid):
        model_info = ModelInfo()

        async def learn_model(self):
            self.model_info = ModelInfo(name="m")

    budget = SharedBudget(dollars=1, prices={"m": (1, 1)})
    async with ScaffoldingLlm(NativeGenerationController(), Learns(96)) as llm:
        await llm.generate_async("q", budget=budget)
    assert budget.spent.dollars == pytest.approx(100e-6)


async def test_a_missing_list_of_prices_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "genai_prices", None)
    async with ScaffoldingLlm(NativeGenerationController(), Paid(1)) as llm:
        with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[prices\]"):
            await llm.generate_async("q", budget=SharedBudget(dollars=1))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "needs a limit"),
        ({"tokens": 0}, "above 0"),
        ({"tokens": 1.5}, "whole number"),
        ({"dollars": "2"}, "must be a number"),
        ({"dollars": 1, "prices": 3}, "prices must be"),
        ({"dollars": 1, "prices": {"m": (1, -1)}}, "prices must be"),
        ({"tokens": 1, "answer_tokens": 0}, "answer_tokens must be above 0"),
    ],
)
def test_what_is_no_budget_is_refused(wrong, told):
    with pytest.raises(InvalidRequestError, match=told):
        SharedBudget(**wrong)


def test_more_is_allowed_only_of_what_is_limited():
    budget = SharedBudget(dollars=1.5)
    budget.allow_more(dollars=0.5)
    assert budget.limits == {"dollars": 2.0}
    assert budget._dollars == Decimal(2)
    with pytest.raises(InvalidRequestError, match="no limit of tokens; it has: dollars"):
        budget.allow_more(tokens=5)


async def test_prompts_count_with_their_turns_tools_and_pictures():
    def worst(*messages, **more):
        task = ChatTask(messages=list(messages), **more)
        return _prompt_tokens(task, Worker().tools_for(task))

    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10**6}}
    assert worst(UserMessage("a" * 300)) == 108
    assert worst(UserMessage("漢" * 100)) == 108
    assert worst(UserMessage([{"type": "text", "text": "a" * 300}, picture])) == 1608
    assert worst(UserMessage("a" * 300), AssistantMessage("b" * 300)) == 216
    assert worst(UserMessage("a"), tools=[{"type": "function", "function": {"name": "f" * 300}}]) > 108
