"""Request: one run of a method, with its limits and its result."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, NoReturn

from scaffolding_core.driver.branch import Branch
from scaffolding_core.driver.budget import Budget, exceeded
from scaffolding_core.driver.call import LAST_WORDS
from scaffolding_core.driver.recorder import Recorder
from scaffolding_core.driver.roster import NOBODY, Roster
from scaffolding_core.driver.shared_budget import SharedBudget
from scaffolding_core.driver.spending import spending
from scaffolding_core.errors import ClosedError, Limit, RequestCancelledError
from scaffolding_core.messages import Usage
from scaffolding_core.results import ExecutionTrace, RequestState, ScaffoldingOutput
from scaffolding_core.tasks import StreamGenerationTask, StreamHandle, Task, run_in_steps
from scaffolding_core.worker import around_calls, told

if TYPE_CHECKING:
    from scaffolding_core.controller import Steps
    from scaffolding_core.driver.driver import Driver
    from scaffolding_core.driver.order import Order

__all__ = ["Request", "current_request"]

REFUSALS = 100
"""How often a method may ask for more work after its time is up, before it is closed."""

current_request: ContextVar[Request | None] = ContextVar("current_request", default=None)
"""The request whose worker is running: a request made from in there rides on its slot and its limits."""

logger = logging.getLogger("scaffolding_core")

_ids = itertools.count(1)


class Request:
    """One run of a method.

    Args:
        driver: of the loop it runs on.
        order: what it asks for.
        begin: makes the method's generator, once the request is admitted.
        roster: the workers.
        deadline: on the loop's clock.
        blocked: driver of a loop that waits for this request, blocked.
    """

    __slots__ = (
        "_admitted",
        "_begin",
        "_charged",
        "_children",
        "_ended",
        "_ending",
        "_expected",
        "_refused",
        "_root",
        "_sampled",
        "_scopes",
        "_speechless",
        "_streams",
        "_timer",
        "around",
        "blocked",
        "context",
        "deadline",
        "deadline_is",
        "driver",
        "expired",
        "id",
        "limited",
        "order",
        "parent",
        "place",
        "priority",
        "recorder",
        "roster",
        "samples",
        "shared",
        "state",
        "time_is_up",
        "tokens",
        "usage",
        "usage_by_role",
    )

    def __init__(
        self,
        driver: Driver,
        order: Order,
        begin: Callable[[Request], Steps[ScaffoldingOutput]],
        roster: Roster,
        deadline: float | None,
        blocked: Driver | None,
    ) -> None:
        self.id = next(_ids)
        self.driver = driver
        self.order = order
        self.priority = order.priority
        self.blocked = blocked
        self.parent = current_request.get()
        self.deadline = deadline
        self.deadline_is: Limit = "deadline"
        self.tokens: int | None = None
        self.samples: int | None = None
        self.shared: frozenset[SharedBudget] = frozenset() if self.parent is None else self.parent.shared
        self._limit(order.budget)
        if self.parent is not None and self.parent.deadline is not None:
            left = self.parent.deadline - self.parent.driver.loop.time()
            self._end_by(driver.loop.time() + left, self.parent.deadline_is)
        self.limited = self.samples is not None or self.parent is not None  # whether tasks are counted
        self.around = around_calls.get()
        if self.shared:
            self.around = spending(sorted(self.shared, key=id), self.around)
        self.context = contextvars.copy_context()
        self.context.run(current_request.set, self)
        self.usage = Usage()
        self.usage_by_role: dict[str, Usage] = {}
        self.state = RequestState(self.id, self.usage, order.metadata, self._cancel_from_anywhere, driver.loop)
        self.recorder: Recorder | None = None
        if order.trace:
            self.state.trace = ExecutionTrace(self.id)
            self.recorder = Recorder(self.state.trace, driver.loop.time)
        self.expired: Limit | None = None
        self._begin = begin
        self.roster = roster
        self._root: Branch | None = None
        self.place = -1
        self._admitted = False
        self._ended = False
        self._sampled = 0
        self._expected = 0  # tokens that running calls have written and will charge
        self.time_is_up = False  # its time is up, and the time for its last words runs
        self._speechless = False  # that is over, too: nothing may be computed any more
        self._refused = 0
        self._ending: BaseException | None = None
        self._scopes: list[asyncio.Task[None]] = []  # of branches, that are being ended at the workers
        self._streams: dict[StreamHandle, StreamGenerationTask] | None = None
        self._charged: dict[Task, Usage] | None = None
        self._children: set[Request] = set()
        self._timer: asyncio.TimerHandle | None = None

    def _limit(self, budget: Budget | SharedBudget | None) -> None:
        now = self.driver.loop.time()
        if isinstance(budget, Budget):
            self.tokens, self.samples = budget.tokens, budget.samples
            if budget.seconds is not None:
                self._end_by(now + budget.seconds, "seconds")
            dollars, prices = budget.dollars, budget.prices
            budget = None if dollars is None else SharedBudget(dollars=dollars, prices=prices)
        if budget is not None:
            self.shared |= {budget}
            end = budget.ends(now)
            if end is not None:
                self._end_by(end, "seconds")

    def _end_by(self, when: float, limit: Limit) -> None:
        if self.deadline is None or when < self.deadline:
            self.deadline, self.deadline_is = when, limit

    @property
    def request(self) -> Request:
        """Itself, as an item of the driver."""
        return self

    def submit(self) -> None:
        """Ask for admission; called on the driver's loop."""
        self.driver.watch()
        if self.deadline is not None:
            self._timer = self.driver.loop.call_at(self.deadline, self.expire, self.deadline_is)
        if self.parent is not None:
            self.parent._children.add(self)
            self.driver.post(self)
        elif self.driver.admission.acquire(self):
            self._admitted = True
            self.driver.post(self)

    def granted(self) -> None:
        """It is admitted."""
        self._admitted = True
        self.driver.post(self)

    def advance(self) -> Branch | None:
        """Start, now that it is admitted."""
        if self._ended:
            self._leave()
            return None
        self._root = Branch(self, None, self._begin(self))
        return self._root

    # Limits.

    @property
    def ending(self) -> bool:
        """Whether it was cancelled, so that nothing of it may start."""
        return self._ending is not None

    def refuse_if_expired(self) -> None:
        """Raise if no more work may start."""
        if self.expired is None:
            return
        self._refused += 1
        if self._refused > REFUSALS and self._root is not None:
            self._root.cut()
        raise exceeded(self.expired)

    def allow(self, task: Task) -> None:
        """Let a task start, and count it against the budget, or raise; asked if the request is `limited`."""
        if not task.needs_worker and not self._speechless:
            return  # what a method computes itself must work, or there were no best answer
        self.refuse_if_expired()
        if not task.is_sample:
            return
        if run_in_steps(task) and task.request_handle is not None:
            return  # a further step of a sample that was counted
        if self.samples is not None and self._sampled >= self.samples:
            raise exceeded("samples")
        if self.parent is not None and self.parent.limited:
            self.parent.allow(task)
        self._sampled += 1

    def charge(self, task: Task) -> Usage:
        """Add what a task cost; returns what is new since it was last charged."""
        assert task.usage is not None
        usage = task.usage
        if task.goes_on:
            charged = self._charged = self._charged or {}
            usage = usage.since(charged.get(task))
            charged[task] = task.usage.since(None)
        tag = "" if task.worker_tag is None else task.worker_tag
        self.charge_usage(usage, str(getattr(tag, "value", tag)))
        return usage

    def charge_usage(self, usage: Usage, role: str) -> None:
        """Add a cost, and end the request if that was its last token."""
        self.usage.add(usage)
        self.usage_by_role.setdefault(role, Usage()).add(usage)
        if self.parent is not None:
            self.parent.driver.call_from_anywhere(self.parent.charge_usage, usage, role)
        if self.tokens is not None and self.usage.total_tokens >= self.tokens:
            self.expire("tokens")

    def expect(self, tokens: int) -> None:
        """Count tokens that a running call will charge, and end the request soon if they are too many."""
        self._expected += tokens
        if self.tokens is not None and self.usage.total_tokens + self._expected > self.tokens:
            # Not at once: a call whose answer is whole must not be stopped before it could say so.
            self.driver.loop.call_soon(self.expire, "tokens", context=self.driver.empty_context)

    def expire(self, limit: Limit) -> None:
        """Budget or deadline ran out: stop all work, and let the method return its best answer so far.

        What it computes itself goes on for as long as there is time, and then for its last words.
        """
        if self._ended:
            return
        time_is_up = limit in ("seconds", "deadline") and not self.time_is_up
        if time_is_up:
            self.time_is_up = True
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.driver.loop.call_later(LAST_WORDS, self._end_computing)
        if self.expired is None:
            self.expired, self.limited = limit, True
        elif not time_is_up:
            return
        for child in list(self._children):
            child.driver.call_from_anywhere(child.expire, limit)
        if self._root is None:
            self._end_unstarted(exceeded(limit))
            return
        self._root.stop_calls(lambda: exceeded(limit))

    def _end_computing(self) -> None:
        self._speechless = True
        limit = self.expired
        if self._root is not None and limit is not None:
            self._root.stop_calls(lambda: exceeded(limit), computing=True)

    # Streams that stay open between the steps of a task.

    def keep_stream(self, task: StreamGenerationTask) -> None:
        """Remember a stream that a task left open, to close it with the request."""
        if task.request_handle is None:
            return
        streams = self._streams = self._streams or {}
        if task.end_flag:
            streams.pop(task.request_handle, None)
        else:
            streams[task.request_handle] = task

    # The end.

    def cancel(self, error: BaseException | None = None) -> None:
        """Stop all work; the result fails with the error. Called on the driver's loop."""
        if self._ended or self._ending is not None:
            return
        self._ending = error or RequestCancelledError("the request was cancelled")
        for child in list(self._children):
            child.driver.call_from_anywhere(child.cancel)
        if self._root is None:
            self._end_unstarted(self._ending)
        else:
            self._root.cut()

    def abandon(self, error: BaseException) -> None:
        """Fail the result without running anything: the loop is gone."""
        self._ended = True
        self._let_go()
        self.state.finish(None, error)

    def fail(self, error: BaseException) -> None:
        """End it at once: the driver cannot go on with it."""
        self.cancel(error)
        if not self._ended:
            self._end(None, error)

    def finish(self, root: Branch) -> None:
        """The method's own generator has ended."""
        if self._streams or self.roster.scope_workers:
            self.driver.own(self._clean_up(root))
        else:
            self._end(root.value, self._error_of(root))

    def end_scope(self, scope_id: str) -> None:
        """A branch has ended that has a scope of its own: tell the workers that want to know, before the end."""
        for worker in self.roster.scope_workers:
            self._scopes.append(self.driver.own(self._closed(told(worker, "on_scope_end", scope_id))))

    async def _clean_up(self, root: Branch) -> None:
        """Close what is open; what does not close in time is left to end by itself."""
        streams = dict(self._streams or {})
        try:
            await self._in_time(self._scopes)  # branches before their request
            closing = [told(handle, "aclose") for handle in streams]
            closing += [told(worker, "on_scope_end", str(self.id)) for worker in self.roster.scope_workers]
            await self._in_time([self.driver.own(self._closed(each)) for each in closing])
            for task in streams.values():
                if task.usage is not None:
                    self.charge(task)
        finally:  # cancelled from outside, it must end all the same
            self._end(root.value, self._error_of(root))

    async def _in_time(self, tasks: list[asyncio.Task[None]]) -> None:
        if not tasks:
            return
        left = None if self.deadline is None else max(0.0, self.deadline - self.driver.loop.time()) + LAST_WORDS
        for late in (await asyncio.wait(tasks, timeout=left))[1]:
            late.cancel()

    async def _closed(self, closing: Coroutine[object, object, None]) -> None:
        try:
            await closing
        except Exception as error:
            logger.warning("request %d could not be cleaned up whole: %r", self.id, error)

    def _error_of(self, root: Branch) -> BaseException | None:
        if self._ending is not None:
            return self._ending
        if root.cut_off and root.error is None:
            return exceeded(self.expired or "deadline")
        return root.error

    def _end_unstarted(self, error: BaseException) -> None:
        self.driver.admission.withdraw(self)
        self._end(None, error)

    def _end(self, output: ScaffoldingOutput | None, error: BaseException | None) -> None:
        self._ended = True
        self._root = None
        self._let_go()
        if self._timer is not None:
            self._timer.cancel()
        self._charged = self._streams = None
        self._leave()
        if output is not None:
            output.usage, output.usage_by_role = self.usage, self.usage_by_role
        self.state.finish(output if error is None else None, error)

    def _let_go(self) -> None:
        """Hold nothing but what was asked and answered.

        Whatever was made inside the request keeps its context, and with it the request: a connection while it is
        idle, a timer that was cancelled for as long as it would have run.
        """
        self.context = self.driver.past_context  # the old one holds this request
        self._begin, self.roster = _over, NOBODY

    def _leave(self) -> None:
        self.driver.leave(self)
        if self.parent is not None:
            self.parent._children.discard(self)
        if self._admitted:
            self._admitted = False
            self.driver.admission.release(self.driver)

    def _cancel_from_anywhere(self) -> None:
        self.driver.call_from_anywhere(self.cancel)


def _over(part: object) -> NoReturn:
    raise ClosedError("the request has ended")
