"""WrappingWorker: whatever it does not do itself is the other worker's."""

import asyncio
import inspect

import pytest

from scaffolding_core import (
    Capabilities,
    InvalidRequestError,
    MajorityVoteController,
    ModelInfo,
    NativeGenerationController,
    Recording,
    RecordingWorker,
    ScaffoldingLlm,
    Worker,
    WrappingWorker,
)
from tests.core.doubles import Backend

single = NativeGenerationController()


class Told(Backend):
    capabilities = Capabilities(tools=True, siblings=3)
    model_info = ModelInfo(name="told")

    def __init__(self, max_concurrency=256):
        super().__init__(max_concurrency)
        self.log = []

    async def learn_model(self):
        self.log.append("learn_model")

    async def on_scope_end(self, scope_id):
        self.log.append("on_scope_end")

    async def release_loop(self):
        self.log.append("release_loop")

    async def async_shutdown(self):
        self.log.append("async_shutdown")

    def shutdown(self):
        self.log.append("shutdown")


class Bare:
    """No `Worker`, but taken for one."""

    async def run_task(self, task):
        task.output_str = "bare"


@pytest.mark.parametrize(
    "wrap", [WrappingWorker, RecordingWorker, lambda inner: WrappingWorker(RecordingWorker(inner))]
)
async def test_all_that_a_worker_has_and_is_told_is_passed_on(wrap):
    inner = Told(max_concurrency=7)
    worker = wrap(inner)
    assert worker.max_concurrency == 7
    assert worker.capabilities is inner.capabilities
    assert worker.model_info is inner.model_info
    await worker.learn_model()
    async with ScaffoldingLlm(single, worker) as llm:
        assert (await llm.generate_async("say:x")).text == "x"
    await worker.async_shutdown()
    worker.shutdown()
    assert inner.log == ["learn_model", "on_scope_end", "release_loop", "async_shutdown", "shutdown"]


def test_nothing_that_a_worker_may_override_is_forgotten():
    own = {"task_handlers", "register_task_handler"}  # of the wrapper itself
    public = {name for name in vars(Worker) if not name.startswith("_")} - own
    assert public <= vars(WrappingWorker).keys()
    for name in public:
        mine, its = getattr(WrappingWorker, name), getattr(Worker, name)
        assert inspect.iscoroutinefunction(mine) == inspect.iscoroutinefunction(its)


@pytest.mark.parametrize(
    "second", [lambda inner: inner, RecordingWorker, lambda inner: WrappingWorker(WrappingWorker(inner))]
)
async def test_all_that_wrap_a_worker_share_its_slots(second):
    inner = Backend(max_concurrency=2)
    recording = Recording()
    one, other = RecordingWorker(inner, recording), second(inner)
    vote = MajorityVoteController(single, 4, stop_rule="full")
    async with ScaffoldingLlm(vote, one) as llm, ScaffoldingLlm(vote, other) as more:
        await asyncio.gather(*(each.generate_async("wait:0.01 say:x") for each in (llm, more)))
    assert inner.most == 2


async def test_a_wrapper_may_have_a_limit_of_its_own():
    class Bounded(WrappingWorker):
        max_concurrency = 1

        @property
        def slot_owner(self):
            return self

    inner = Backend()
    async with ScaffoldingLlm(MajorityVoteController(single, 4, stop_rule="full"), Bounded(inner)) as llm:
        await llm.generate_async("wait:0.01 say:x")
    assert inner.most == 1


async def test_what_has_only_run_task_can_be_wrapped():
    worker = RecordingWorker(Bare())
    async with ScaffoldingLlm(single, worker) as llm:
        assert (await llm.generate_async("q")).text == "bare"
        await llm.aclose(shutdown_workers=True)
    await worker.learn_model()
    worker.shutdown()
    assert (worker.capabilities, worker.model_info) == (Worker.capabilities, Worker.model_info)
    assert worker.max_concurrency == Worker.max_concurrency


@pytest.mark.parametrize("worker", [None, Backend, "worker"])
def test_what_is_no_worker_is_refused(worker):
    with pytest.raises(InvalidRequestError, match="RecordingWorker needs a worker to do the work, got"):
        RecordingWorker(worker)


async def test_a_worker_that_forgets_its_base_class_is_a_worker_all_the_same():
    class Forgets(WrappingWorker):
        def __init__(self, inner):
            self.worker = inner

    inner = Backend(max_concurrency=2)
    async with ScaffoldingLlm(MajorityVoteController(single, 4, stop_rule="full"), Forgets(inner)) as llm:
        assert (await llm.generate_async("wait:0.01 say:x")).text == "x"
    assert inner.most == 2
