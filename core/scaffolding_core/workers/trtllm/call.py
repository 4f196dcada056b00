"""Call: one request to the engine, and the tasks that wait for its answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from scaffolding_core.errors import ScaffoldingError, WorkerError, copy_error
from scaffolding_core.messages import Usage
from scaffolding_core.results import Hints
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.threads import run_in_thread
from scaffolding_core.workers.trtllm.asking import Asked
from scaffolding_core.workers.trtllm.choice import ENDED, Choice, Reading
from scaffolding_core.workers.trtllm.engine import Engine
from scaffolding_core.workers.trtllm.failures import failure, is_of_engine
from scaffolding_core.workers.trtllm.llm_api import Output, Result
from scaffolding_core.workers.trtllm.tool_choice import missing_call

__all__ = ["Call", "Member"]

ABORT_SECONDS = 0.5
"""Time for the engine to say how much it had written, once it was told to stop."""


class Member:
    """A task that waits for its answer.

    Attributes:
        error: why it has none.
    """

    def __init__(self, task: GenerationTask, choice: Choice) -> None:
        self.task = task
        self.choice = choice
        self.error: BaseException | None = None
        self._let: asyncio.Future[None] | None = None

    def waits(self) -> asyncio.Future[None]:
        """Done once it need not wait any longer."""
        self._let = asyncio.get_running_loop().create_future()
        return self._let

    def let_go(self) -> None:
        """It need not wait any longer."""
        if self._let is not None and not self._let.done():
            self._let.set_result(None)

    def tear_down(self) -> None:
        """It waits for nothing that will come."""
        if self._let is not None:
            self._let.cancel()


class Call:
    """One request to the engine, on the event loop that runs where it is made.

    Each that waits is done with its own choice and pays for it; the last pays the rest: the prompt, and what was
    written for those that were cut. The last that is cut aborts the request.

    Args:
        engine: answers it.
        asked: what it asks for, for each.
        reading: how its answers are read.

    Attributes:
        asked: what it asks for.
        loop: its event loop.
        waiting: those that are not done, in the order of their choices.
        open: whether others may join.
        over: there is nothing more to read.
    """

    def __init__(self, engine: Engine, asked: Asked, reading: Reading) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: list[Member] = []
        self.open = True
        self.over = False
        self._engine = engine
        self.asked = asked
        self._reading = reading
        self._sent: list[Member] = []
        self._result: Result | None = None
        self._reader: asyncio.Task[None] | None = None
        self._aborting = False
        self._paid = 0  # tokens, by those who left

    def join(self, task: GenerationTask) -> Member:
        """Let a task wait for an answer."""
        member = Member(task, Choice(task, self._reading))
        self.waiting.append(member)
        return member

    def go_on(self, until: int | None = None) -> None:
        """Have it answered, or read on.

        Args:
            until: tokens after which those that wait are let go for now; None reads to the end.
        """
        self.open = False
        self._reader = self.loop.create_task(self._read(until))

    async def answered(self, member: Member) -> None:
        """Wait for the answer of one, or for the next part of it.

        Raises:
            ScaffoldingError: there is none.
        """
        try:
            await member.waits()
        except asyncio.CancelledError:
            await self.cut(member)
            raise
        if member.error is not None:
            raise member.error from member.error.__cause__

    async def cut(self, member: Member) -> None:
        """Let one go that nobody wants any more: it keeps what is there; the last aborts the request."""
        if member not in self.waiting:
            return
        try:
            if self.waiting == [member]:
                await self._abort()
        finally:
            member.choice.fill("cancelled")
            if member in self.waiting:  # the engine has not ended meanwhile
                self._leave(member)

    def break_off(self, error: ScaffoldingError) -> None:
        """It will not be answered: the engine has ended, or the worker was closed."""
        for member in list(self.waiting):
            member.error = copy_error(error)
            self._leave(member)
        self._tell_to_stop()
        if self._reader is not None:
            self._reader.cancel()

    async def _abort(self) -> None:
        self._aborting = True
        reader = self._reader
        self._tell_to_stop()
        if self._result is None and reader is not None:
            reader.cancel()
        if self._result is not None and (reader is None or reader.done()) and not self.over:
            self.go_on()
            reader = self._reader
        if reader is None:
            return
        try:
            await asyncio.wait([reader], timeout=ABORT_SECONDS)
        finally:
            reader.cancel()

    def _tell_to_stop(self) -> None:
        if self._result is not None:
            with suppress(Exception):  # its engine is gone
                self._result.abort()

    # Its reader.

    async def _read(self, until: int | None) -> None:
        try:
            self._engine.begin(self)
            if self._result is None:
                self._result = await self._submit()
            if not hasattr(self._result, "__aiter__"):
                self._result = await self._result
            elif not await self._read_steps(self._result, until):
                return
            self.over = True
            await self._finish(self._result)
        except Exception as error:
            self._fail(error)
        finally:
            self._engine.over(self)
            for member in self.waiting:
                member.tear_down()

    async def _submit(self) -> Result:
        self._sent = list(self.waiting)
        try:
            inputs, params = await run_in_thread(self.asked.prepare, len(self._sent))
        except Exception as error:
            raise failure(error, of_engine=False) from error
        self._engine.check()
        together = {"n": len(self._sent)} if len(self._sent) > 1 else {}
        for member in self._sent:
            member.task.hints = Hints({**self.asked.hints.sent, **together}, dict(self.asked.hints.dropped))
        return self._engine.llm.generate_async(inputs, params, streaming=self.asked.streamed, **self.asked.extras)

    async def _read_steps(self, result: Result, until: int | None) -> bool:
        """Read as it is written; returns whether there is no more."""
        choice = self._sent[0].choice
        async for _ in result:
            if getattr(result, "finished", False):
                return True
            if self._aborting:
                continue
            if not self.asked.streamed:
                await self._settle_early(result)
                continue
            choice.take(result.outputs[0])
            choice.tell(last=False)
            if until is not None and choice.tokens >= until:
                self._pause()
                return False
        return True

    def _pause(self) -> None:
        for member in self.waiting:
            member.choice.fill(None)
            member.task.usage = self._rest(lost=0)
            member.let_go()

    async def _settle_early(self, result: Result) -> None:
        """Settle those whose answers have come, which are whole if not streamed; the last stays until all are."""
        if self.asked.values.get("return_context_logits"):  # they come with the end
            return
        for member, output in zip(self._sent, result.outputs, strict=False):
            if output.token_ids and self._is_not_alone(member):
                await _take(member, output)
                if self._is_not_alone(member) and not self._aborting:
                    self._settle(member, result, told=True)

    def _is_not_alone(self, member: Member) -> bool:
        return member in self.waiting and len(self.waiting) > 1

    async def _finish(self, result: Result) -> None:
        for member, output in zip(self._sent, result.outputs, strict=False):
            await _take(member, output)
        told = any(output.finish_reason in ENDED for output in result.outputs)
        for member in list(self.waiting) if not self._aborting else ():
            self._settle(member, result, told)

    def _settle(self, member: Member, result: Result, told: bool) -> None:
        task, reason = member.task, None
        most = self.asked.values["max_tokens"]
        try:
            reason = member.choice.finish_reason(most, untold_is_whole=told and len(self._sent) > 1)
        except WorkerError as error:
            member.error = error
        member.choice.fill(reason)
        member.error = member.error or missing_call(task)
        member.choice.tell(last=True)
        task.context_logits = getattr(result, "context_logits", None)
        metrics = {
            getattr(name, "value", name): told for name, told in getattr(result, "metrics_dict", {}).items()
        }
        if metrics:
            task.customized_result_fields = {**(task.customized_result_fields or {}), "perf_metrics": metrics}
        self._leave(member)

    def _fail(self, error: Exception) -> None:
        lost = is_of_engine(error) and not self.over
        typed = failure(error, of_engine=lost)
        for member in list(self.waiting):
            member.error = copy_error(typed)
            self._leave(member)
        if lost:
            self._engine.end(typed)

    def _leave(self, member: Member) -> None:
        """Let one go; it pays its part."""
        tokens = member.choice.tokens
        last = self.waiting == [member]
        member.task.usage = self._rest(lost=int(not self.over)) if last else Usage(completion_tokens=tokens)
        self._paid += tokens
        self.waiting.remove(member)
        member.let_go()

    def _rest(self, *, lost: int) -> Usage:
        """What nobody has paid yet."""
        result = self._result
        if result is None:
            return Usage()
        return Usage(
            prompt_tokens=len(getattr(result, "prompt_token_ids", None) or ()),
            completion_tokens=sum(len(output.token_ids or ()) for output in result.outputs) - self._paid,
            cached_tokens=getattr(result, "cached_tokens", 0) or 0,
            calls=1,
            lost_calls=lost,
        )


async def _take(member: Member, output: Output) -> None:
    if member.task.num_logprobs is None:
        member.choice.take(output)
    else:  # each of their tokens is decoded
        await run_in_thread(member.choice.take, output)
