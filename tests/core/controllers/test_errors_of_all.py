"""An error that every sample would meet ends a method that samples, as itself."""

import asyncio
from types import SimpleNamespace

import pytest

from scaffolding_core import (
    AuthenticationError,
    BackendTimeoutError,
    BadRequestError,
    BestOfNController,
    ContextLengthExceededError,
    FieldVoteController,
    FunctionWorker,
    InsufficientSamplesError,
    MajorityVoteController,
    ModelNotFoundError,
    NativeGenerationController,
    NativeRewardController,
    RateLimitError,
    ScaffoldingLlm,
    ServerError,
    UnsupportedParameterError,
    Usage,
    WorkerError,
)
from tests.core.doubles import Method

pytestmark = pytest.mark.looptime
single = NativeGenerationController()
OF_ALL = [AuthenticationError, BadRequestError, ContextLengthExceededError, ModelNotFoundError]


class Calls:
    """A worker's function: the script says how long each call takes, or what it raises after a second."""

    def __init__(self, *script):
        self.script = script
        self.begun = self.cut = 0

    async def __call__(self, task):
        does = self.script[min(self.begun, len(self.script) - 1)]
        self.begun += 1
        try:
            await asyncio.sleep(1 if isinstance(does, Exception) else does)
        except asyncio.CancelledError:
            self.cut += 1
            raise
        if isinstance(does, Exception):
            raise does
        return '{"a": 7}'


async def ask(method, calls, **workers):
    tags = {"generation": FunctionWorker(calls), None: FunctionWorker(calls), **workers}
    async with ScaffoldingLlm(method, tags) as llm:
        return await llm.generate_async("q")


@pytest.mark.parametrize("kind", [*OF_ALL, UnsupportedParameterError])
@pytest.mark.parametrize(
    "method",
    [
        MajorityVoteController(single, 40, run_ahead=1, min_samples=2),
        MajorityVoteController(MajorityVoteController(single, 3), 4),
        BestOfNController(single, NativeRewardController(), 4),
        FieldVoteController(single, 4),
    ],
    ids=["vote", "vote of votes", "best of n", "fields"],
)
async def test_the_first_sample_that_meets_it_ends_all_with_it(method, kind):
    calls = Calls(30, kind("refused"), 30)
    with pytest.raises(kind, match="refused"):
        await ask(method, calls, reward=FunctionWorker(lambda task: 1))
    running = calls.begun - 1
    assert calls.cut == running <= 20


async def test_a_judge_that_is_not_served_ends_all():
    with pytest.raises(ModelNotFoundError):
        judge = Calls(ModelNotFoundError("no such judge"))
        await ask(BestOfNController(single, NativeRewardController(), 4), Calls(0), reward=FunctionWorker(judge))


async def test_what_a_backend_refuses_that_answered_another_sample_costs_that_sample_alone():
    method = MajorityVoteController(single, 4, stop_rule="full")
    result = await ask(method, Calls(0, ModelNotFoundError("one replica lacks it"), 2))
    assert [type(candidate.error) for candidate in result.output.candidates].count(ModelNotFoundError) == 1
    assert result.output.votes == {"{'a': 7}": 3}


@pytest.mark.parametrize("error", [RateLimitError("busy"), ServerError("down"), WorkerError("lost")])
async def test_what_another_sample_may_be_spared_costs_that_sample_alone(error):
    result = await ask(MajorityVoteController(single, 3, stop_rule="full"), Calls(error, 0))
    assert result.output.agreement == 1


async def test_a_later_step_that_is_refused_for_what_its_sample_wrote_costs_that_sample_alone():
    def steps(tasks):
        yield tasks
        further = [task.copy() for task in tasks]
        yield further
        tasks[0].take_results(further[0])

    overflow = ContextLengthExceededError("what it wrote is too long")
    result = await ask(MajorityVoteController(Method(steps), 2, stop_rule="full"), Calls(0, 0, overflow, 0))
    assert result.output.agreement == 1
    with pytest.raises(InsufficientSamplesError, match="too long"):
        await ask(MajorityVoteController(Method(steps), 2, stop_rule="full"), Calls(0, 0, overflow))


class OfClient(Exception):
    """As openai and anthropic raise them."""

    def __init__(self, status, body=None):
        super().__init__("refused")
        self.status_code, self.body = status, body


class OfHttpx(Exception):
    """As httpx and requests raise them."""

    def __init__(self, status, text):
        super().__init__(text)
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OfClient(400, {"message": "no", "code": "context_length_exceeded"}), ContextLengthExceededError),
        (OfClient(400, {"message": "no such parameter"}), BadRequestError),
        (OfClient(401), AuthenticationError),
        (OfClient(404, {"code": "model_not_found"}), ModelNotFoundError),
        (OfClient(422, {"type": "error", "error": {"type": "invalid_request_error"}}), BadRequestError),
        (OfHttpx(400, "prompt is too long: 210000 tokens > 200000 maximum"), ContextLengthExceededError),
        (OfHttpx(403, "forbidden"), AuthenticationError),
        (OfHttpx(404, "model 'm' not found"), ModelNotFoundError),
        (OfHttpx(404, "not found"), BadRequestError),
    ],
)
async def test_an_error_of_a_wrapped_client_is_of_the_kind_that_its_status_means(error, kind):
    with pytest.raises(kind) as caught:
        await ask(MajorityVoteController(single, 4), Calls(error))
    assert type(caught.value) is kind
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("status", "kind"), [(408, BackendTimeoutError), (429, RateLimitError), (500, ServerError), (503, ServerError)]
)
async def test_what_a_wrapped_client_may_do_later_is_no_error_of_all(status, kind):
    with pytest.raises(InsufficientSamplesError) as caught:
        await ask(MajorityVoteController(single, 2), Calls(OfClient(status)))
    assert [type(failure) for failure in caught.value.failures] == [kind, kind]


async def test_an_agent_that_is_refused_at_a_later_step_costs_its_sample_alone():
    async def agent(task):
        task.usage = Usage(calls=1, prompt_tokens=5, completion_tokens=5)
        raise OfHttpx(404, "the page that it looked for")

    with pytest.raises(InsufficientSamplesError):
        await ask(MajorityVoteController(single, 2), agent)


async def test_what_refuses_a_request_has_answered_none_of_it_though_it_was_sent_and_counted():
    async def refused(task):
        task.usage = Usage(calls=1, prompt_tokens=5)
        raise BadRequestError("no such parameter")

    with pytest.raises(BadRequestError, match="parameter"):
        await ask(MajorityVoteController(single, 4, stop_rule="full"), refused)
