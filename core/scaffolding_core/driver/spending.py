"""Calls within shared budgets: what each may cost is set aside before it, and settled behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextvars import ContextVar
from decimal import Decimal

from scaffolding_core.driver.shared_budget import Amount, Hold, SharedBudget
from scaffolding_core.errors import ClosedError, InvalidRequestError, WorkerError
from scaffolding_core.messages import AssistantMessage, RoleMessage, Usage, UserMessage
from scaffolding_core.tasks import ChatTask, GenerationTask, Task, run_in_steps
from scaffolding_core.worker import AroundCall, Worker

__all__ = ["spending"]

_BYTES_PER_TOKEN = 3
_TOKENS_PER_MESSAGE = 8
_TOKENS_PER_PICTURE = 1500
_LITTLE = Amount(1, Decimal("0.000001"))
"""Set aside for what nobody can tell beforehand: it does not start once all is spent."""

_UNKNOWN = Worker()
"""Answers for one that has only `run_task`."""

_holds: ContextVar[tuple[Hold, ...]] = ContextVar("_holds", default=())
"""Of the call that runs here, and of those around it."""


def spending(budgets: Sequence[SharedBudget], around: AroundCall | None) -> AroundCall:
    """Runs each call within budgets.

    Args:
        budgets: of the request and of those around it, in an order that all requests keep.
        around: what else runs each call.
    """
    counts_dollars = any(budget.counts_dollars for budget in budgets)

    async def run(worker: Worker, task: Task) -> object:
        if not task.needs_worker:
            return await _called(worker, task, around)
        call = _PaidCall(task, await _model(worker, task) if counts_dollars else None)
        try:
            for budget in budgets:
                await call.set_aside(budget, worker)
        except BaseException:
            call.settle(sent=False)
            task.usage = task.usage or Usage()
            raise
        _holds.set((*_holds.get(), *call.holds))  # each call is an asyncio task, with a context of its own
        try:
            returned = await _called(worker, task, around)
        except BaseException as error:
            call.settle(sent=_was_sent(error), failed=True)
            raise
        call.settle()
        return returned

    return run


class _PaidCall:
    """A call, and what is set aside for it."""

    def __init__(self, task: Task, model: str | None) -> None:
        self.holds: list[Hold] = []
        self._task = task
        self._model = model
        self._before = None if task.usage is None else task.usage.since(None)

    async def set_aside(self, budget: SharedBudget, worker: Worker) -> None:
        """Set aside what it may cost at worst."""
        for around in _holds.get():
            if around.budget is budget:
                around.give_way()
        task = self._task
        if not isinstance(task, GenerationTask):  # nothing, as a tool, or little
            self.holds.append(Hold(budget, Amount()))
            return
        samples = 0 if run_in_steps(task) and task.request_handle is not None else 1
        worst = _LITTLE
        if not getattr(worker, "is_chain", Worker.is_chain):
            known = worker if isinstance(worker, Worker) else _UNKNOWN
            prompt, most = _prompt_tokens(task, known.tools_for(task)), known.answer_limit(task)
            worst = self._amount(budget, Usage(prompt, most or budget.answer_after(prompt)))
        self.holds.append(await budget.hold(Amount(worst.tokens, worst.dollars, samples)))

    def settle(self, *, sent: bool = True, failed: bool = False) -> None:
        """It has ended: what a call that was sent and failed did not tell may have cost the worst.

        Raises:
            InvalidRequestError: it has cost tokens, and nobody knows their price.
        """
        usage, priceless = self._task.usage, None
        told = (
            None if usage is None or (usage.lost_calls and not usage.total_tokens) else usage.since(self._before)
        )
        for hold in self.holds:
            paid = hold.worst if sent and failed and not hold.gave_way else Amount()
            if told is not None:
                try:
                    paid = self._amount(hold.budget, told)
                except InvalidRequestError as error:
                    paid, priceless = Amount(told.total_tokens), error
            samples = hold.worst.samples if sent and not hold.gave_way else 0  # its requests count their own
            hold.settle(Amount(paid.tokens, paid.dollars, samples))
        if priceless is not None and not failed:
            raise priceless

    def _amount(self, budget: SharedBudget, usage: Usage) -> Amount:
        is_free = not (budget.counts_dollars and usage.total_tokens)
        return Amount(usage.total_tokens, Decimal(0) if is_free else budget.prices.cost(self._model, usage))


async def _called(worker: Worker, task: Task, around: AroundCall | None) -> object:
    return await (worker.run_task(task) if around is None else around(worker, task))


def _was_sent(error: BaseException) -> bool:
    if isinstance(error, InvalidRequestError | ClosedError):
        return False
    return not isinstance(error, WorkerError) or error.sent


async def _model(worker: object, task: Task) -> str | None:
    """The name of the model that will run a task, if anybody knows it."""
    if not isinstance(worker, Worker):
        return None
    if worker.model_for(task) is None:
        await worker.learn_model()
    return worker.model_for(task)


def _prompt_tokens(task: GenerationTask, tools: Sequence[object]) -> int:
    """Tokens of the prompt, rather too many than too few."""
    if task.input_tokens is not None:
        return len(task.input_tokens)
    messages = task.messages if isinstance(task, ChatTask) else [UserMessage(task.input_str or "")]
    described = [*tools, *([task.response_format] if task.response_format else ())]
    size = len(json.dumps(described, default=str)) if described else 0
    size += _length(task.answer_prefix or "") + sum(map(_size, messages))
    pictures = sum(map(_pictures, messages)) * _TOKENS_PER_PICTURE
    return size // _BYTES_PER_TOKEN + len(messages) * _TOKENS_PER_MESSAGE + pictures


def _size(message: RoleMessage) -> int:
    calls = (message.tool_calls or ()) if isinstance(message, AssistantMessage) else ()
    return _length(message.text) + sum(_length(call.name + call.arguments) for call in calls)


def _pictures(message: RoleMessage) -> int:
    content = message.content
    return (
        0 if content is None or isinstance(content, str) else sum(part.get("type") != "text" for part in content)
    )


def _length(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
