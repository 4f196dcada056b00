"""A method that yields a list of tasks."""

import pytest

from scaffolding_core.controllers import NativeGenerationController
from scaffolding_core.errors import ControllerError, MissingWorkerError, UnsupportedTaskError, WorkerError
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tasks import GenerationTask, Task
from scaffolding_core.worker import Worker
from tests.core.doubles import Backend, Method, task


async def run(process, backend=None):
    async with ScaffoldingLlm(Method(process), backend or Backend()) as llm:
        return await llm.generate_async("go")


async def test_tasks_of_a_list_run_at_the_same_time_and_come_back_as_the_same_list():
    backend = Backend()

    def process(tasks):
        mine = [task("wait:0.02 say:a"), task("wait:0.01 say:b")]
        back = yield mine
        assert back is mine
        tasks[0].output_str = "".join(t.output_str for t in back)

    assert (await run(process, backend)).text == "ab"
    assert backend.most == 2
    assert backend.finished == ["wait:0.01 say:b", "wait:0.02 say:a"]


async def test_an_empty_list_resumes_at_once():
    def process(tasks):
        assert (yield []) == []
        tasks[0].output_str = "on"

    assert (await run(process)).text == "on"


async def test_a_failure_is_thrown_in_as_a_typed_error_with_task_branch_and_cause():
    caught = []

    def process(tasks):
        failing = task("fail:broken")
        try:
            yield [failing]
        except WorkerError as error:
            caught.append(error)
            assert error.task is failing
            assert failing.error is error
        yield [tasks[0]]

    await run(process)
    assert caught[0].branch == ()
    assert "ValueError: broken" in str(caught[0])
    assert isinstance(caught[0].__cause__, ValueError)


async def test_siblings_of_a_failure_are_cut_before_it_is_thrown():
    backend = Backend()

    def process(tasks):
        with pytest.raises(WorkerError):
            yield [task("wait:30"), task("wait:0.01 fail:x")]
        assert backend.cut == ["wait:30"]
        assert backend.running == 0
        yield [task("say:still")]
        tasks[0].output_str = "survived"

    assert (await run(process, backend)).text == "survived"


async def test_what_a_method_does_not_catch_ends_the_request_with_that_error():
    def process(tasks):
        yield [task("fail:nobody")]

    with pytest.raises(WorkerError, match="nobody"):
        await run(process)


async def test_an_error_of_the_method_itself_passes_unchanged():
    def process(tasks):
        yield [task("say:x")]
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        await run(process)


@pytest.mark.parametrize("wrong", ["text", 7, None, [1], [task("say:a"), "b"], {"a": 1}])
async def test_a_wrong_yield_is_thrown_back_as_a_controller_error(wrong):
    def process(tasks):
        with pytest.raises(ControllerError):
            yield wrong
        tasks[0].output_str = "told"

    assert (await run(process)).text == "told"


async def test_one_task_twice_in_a_list_is_refused():
    def process(tasks):
        mine = task("say:x")
        with pytest.raises(ControllerError, match="only once"):
            yield [mine, mine]
        tasks[0].output_str = "ok"

    assert (await run(process)).text == "ok"


async def test_an_async_process_is_refused_with_the_fix():
    class Wrong(Method):
        async def process(self, tasks):
            return None

    async with ScaffoldingLlm(Wrong(None), Backend()) as llm:
        with pytest.raises(ControllerError, match="def process"):
            await llm.generate_async("go")


async def test_a_tag_without_a_worker_names_the_tags_there_are():
    async with ScaffoldingLlm(NativeGenerationController(), {"reward": Backend()}) as llm:
        with pytest.raises(MissingWorkerError, match=r"'generation'.*tags are 'reward'"):
            await llm.generate_async("go")


async def test_tags_as_enum_members_and_as_their_values_are_the_same():
    for tag in (NativeGenerationController.WorkerTag.GENERATION, "generation"):
        async with ScaffoldingLlm(NativeGenerationController(), {tag: Backend()}) as llm:
            assert (await llm.generate_async("say:x")).text == "x"


async def test_a_kind_of_task_that_a_worker_has_no_handler_for_is_a_typed_error():
    class Rewards(Worker):
        pass

    async with ScaffoldingLlm(NativeGenerationController(), Rewards()) as llm:
        with pytest.raises(UnsupportedTaskError, match="Rewards cannot run a GenerationTask"):
            await llm.generate_async("go")


async def test_a_worker_that_cancels_its_own_call_fails_that_call():
    class Odd(Worker):
        async def run_task(self, task):
            import asyncio

            raise asyncio.CancelledError

    async with ScaffoldingLlm(NativeGenerationController(), Odd()) as llm:
        with pytest.raises(WorkerError, match="cancelled its own call"):
            await llm.generate_async("go")


async def test_a_worker_whose_run_task_is_no_coroutine_is_a_typed_error():
    class Plain(Worker):
        def run_task(self, task):
            return None

    async with ScaffoldingLlm(NativeGenerationController(), Plain()) as llm:
        with pytest.raises(WorkerError, match="async def"):
            await llm.generate_async("go")


async def test_handlers_serve_subclasses_and_belong_to_one_instance():
    async def shout(worker, task):
        task.output_str = "HEY"

    class Special(GenerationTask):
        pass

    one, other = Worker(), Worker()
    one.register_task_handler(GenerationTask, shout)
    special = Special()
    await one.run_task(special)
    assert special.output_str == "HEY"
    with pytest.raises(UnsupportedTaskError):
        await other.run_task(Task())
    with pytest.raises(UnsupportedTaskError):
        await other.run_task(GenerationTask())
