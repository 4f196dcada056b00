"""Branch: one generator that is being driven."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from scaffolding_core.controller import (
    CancelRace,
    Outcome,
    ParallelProcess,
    Race,
    Steps,
    checked_generator,
    method_error,
)
from scaffolding_core.driver.call import Call
from scaffolding_core.errors import ControllerError
from scaffolding_core.messages import Usage
from scaffolding_core.results import Candidate, CandidateEvent, DecisionEvent
from scaffolding_core.tasks import Task

if TYPE_CHECKING:
    from scaffolding_core.driver.driver import Driver
    from scaffolding_core.driver.request import Request

__all__ = ["Branch", "Child", "RaceRun"]

AT_ONCE = 1000
"""How often a method may go on, and how much a race may draw, before the rest of the loop has its turn."""


class RaceRun:
    """A race that has begun: what runs of it, and what is finished and not handed back."""

    __slots__ = (
        "cancelled",
        "exhausted",
        "failure",
        "handed",
        "hands_over",
        "live",
        "outcomes",
        "owner",
        "pausing",
        "race",
        "started",
    )

    def __init__(self, race: Race, owner: Branch) -> None:
        self.race = race
        self.owner = owner
        self.hands_over = race.failures == "values"  # outcomes go to a waiting owner as they are
        self.started = 0
        self.handed = 0
        self.exhausted = False
        self.cancelled = False
        self.failure: BaseException | None = None  # for which its rest is cut
        self.pausing = False  # it has drawn much at once, and draws on in its turn
        self.live: dict[int, Child] = {}
        self.outcomes: deque[Outcome] = deque()

    @property
    def request(self) -> Request:
        """The owner's, as an item of the driver."""
        return self.owner.request

    def advance(self) -> Branch | None:
        """Draw on, where there was too much to draw at once and the owner still waits."""
        self.pausing = False
        return None if self.owner.closing else self.owner.go_on(self)


class Branch:
    """One generator that is being driven; it waits for one thing at a time."""

    __slots__ = (
        "answered",
        "children",
        "closing",
        "cut_off",
        "done",
        "driver",
        "error",
        "failure",
        "generator",
        "index",
        "live",
        "parent",
        "path",
        "pending",
        "race",
        "races",
        "reply",
        "request",
        "spawned",
        "throw",
        "usage",
        "value",
        "waiting",
    )

    def __init__(
        self,
        request: Request,
        parent: Branch | None,
        generator: Steps[Any],
        index: int = 0,
        path: int | None = None,
        race: RaceRun | None = None,
    ) -> None:
        self.request = request
        self.driver: Driver = request.driver
        self.parent = parent
        self.generator = generator
        self.index = index
        self.path = path
        self.race = race
        self.value: Any = None
        self.error: BaseException | None = None
        self.usage: Usage | None = None
        self.answered = False  # anything in it, by a worker
        self.closing = False
        self.cut_off = False
        self.done = False
        self.live = 0  # children that run, those of races included
        self.spawned = 0  # children so far, for paths that never repeat
        self.races: list[RaceRun] = []
        self.waiting: RaceRun | None = None
        self.children: Sequence[Child] = ()  # of the list or ParallelProcess that is waited for
        self.pending = 0
        self.failure: BaseException | None = None
        self.reply: object = None
        self.throw: BaseException | None = None

    @property
    def branch(self) -> tuple[int, ...]:
        """Its path: `()` for the request's own generator."""
        path: list[int] = []
        branch: Branch | None = self
        while branch is not None:
            if branch.path is not None:
                path.append(branch.path)
            branch = branch.parent
        return tuple(reversed(path))

    def launch(self) -> None:
        """Start it, in a turn of its own."""
        self.driver.post(self)

    def advance(self) -> Branch | None:
        """Resume the generator until it waits or ends; returns the parent if that can go on now."""
        if self.done:
            return None
        if self.closing:
            return self._close()
        for _ in range(AT_ONCE):
            error, self.throw = self.throw, None
            reply, self.reply = self.reply, None
            try:
                yielded = self.generator.send(reply) if error is None else self.generator.throw(error)
            except StopIteration as stop:
                return self._end(stop.value, None)
            except KeyboardInterrupt:
                raise
            except BaseException as raised:
                return self._end(None, method_error(raised))
            begin = _BEGIN.get(type(yielded)) or _beginning(yielded)
            try:
                if not begin(self, yielded):
                    return None
            except Exception as refusal:
                self.throw = refusal
        self._pause()
        return None

    def _pause(self) -> None:
        """Let the rest of the loop have its turn; a method that gets nowhere does not outlive its time."""
        if not self.reply:
            try:
                self.request.refuse_if_expired()
            except Exception as refusal:
                self.reply, self.throw = None, refusal
        self.driver.post_behind(self)

    def cut(self) -> None:
        """Stop it and all below it; it reports to its parent once they have unwound."""
        if not self.closing and not self.done:
            self.closing = self.cut_off = True
            self.driver.post(self)

    def stop_calls(self, error: Callable[[], BaseException], *, computing: bool = False) -> None:
        """Let every call below it fail, each with an error of its own.

        Args:
            error: makes one.
            computing: those too that no worker runs.
        """
        running = [*self.children, *(racer for run in self.races for racer in run.live.values())]
        for child in running:
            if isinstance(child, Branch):
                child.stop_calls(error, computing=computing)
            elif computing or child.task.needs_worker:
                child.stop(error())

    def child_done(self, child: Child) -> Branch | None:
        """A child has ended; returns this branch if it can go on now."""
        self.live -= 1
        if child.usage is not None:
            self._charge(child.usage)
        if not self.answered:
            self.answered = child.answered
        run = child.race
        if run is not None:
            del run.live[child.index]
            if run is self.waiting and run.hands_over and not (run.cancelled or run.outcomes or self.closing):
                run.handed += 1
                self.waiting, self.reply = None, _outcome(child)
                return self
            run.outcomes.append(_outcome(child))
        elif not self.closing:
            self.pending -= 1
            if child.error is not None and self.failure is None:
                self._fail_siblings(child.error)
        if self.closing:
            return self if self.live == 0 else None
        if run is None:
            return self._collect() if self.pending == 0 and self.waiting is None else None
        return self.go_on(run)

    def go_on(self, run: RaceRun) -> Branch | None:
        """Start more of a race; returns this branch if it waits for that race and can go on now."""
        if run is not self.waiting:
            return None
        try:
            return self if self._hand_back(run) else None
        except Exception as refusal:  # of what the race drew next
            self.throw = refusal
            return self

    # What the generator yields: each starts it, and returns True if the generator can be resumed at once.

    def _refuse(self, yielded: object) -> bool:
        raise ControllerError(
            "a method may yield a list of tasks, a ParallelProcess, a Race, race.cancel(), a Candidate or a "
            f"DecisionEvent, got {type(yielded).__name__}"
        )

    def _begin_tasks(self, tasks: list[Any]) -> bool:
        if len(tasks) > 1 and len(set(map(id, tasks))) < len(tasks):
            raise ControllerError("a list that a method yields must hold each task only once")
        for task in tasks:
            if not isinstance(task, Task):
                raise ControllerError(f"a list that a method yields must hold tasks, got {type(task).__name__}")
        self.reply = tasks
        if len(tasks) == 1:  # it has no siblings to be told from: its path is that of its branch
            calls = [Call(self.request, self, tasks[0], 0, None, None)]
        else:
            calls = [Call(self.request, self, task, i, self._next_path(), None) for i, task in enumerate(tasks)]
        self.children = calls
        self.pending = len(calls)
        self.live += len(calls)
        for call in calls:
            call.launch()
        return not tasks

    def _begin_parallel(self, process: ParallelProcess) -> bool:
        for generator in process.sub_gens:
            checked_generator(generator)
        self.request.refuse_if_expired()
        self.reply = process
        self.children = [
            Branch(self.request, self, generator, index, self._next_path())
            for index, generator in enumerate(process.sub_gens)
        ]
        self.pending = len(self.children)
        self.live += self.pending
        for child in self.children:
            child.launch()
        if not self.children:
            self.reply = []
        return not self.children

    def _begin_race(self, race: Race) -> bool:
        run = race.run
        if not isinstance(run, RaceRun) or run.owner is not self:
            run = self._run_of(race)
        if race.news is not None:
            if self.request.state.listened_to:
                self._tell_candidate(race.news)
            race.news = None
        return run.cancelled or self._hand_back(run)

    def _begin_cancel(self, cancel: CancelRace) -> bool:
        run = self._run_of(cancel.race)
        if cancel.race.news is not None:
            self._tell_candidate(cancel.race.news)
        run.cancelled = True
        for child in list(run.live.values()):
            child.cut()
        return self._hand_back(run)

    def _tell_candidate(self, candidate: Candidate) -> bool:
        if self.request.state.listened_to:
            self.request.state.push(CandidateEvent(self.branch, candidate))
        return True

    def _tell_decision(self, news: DecisionEvent) -> bool:
        if self.request.state.listened_to:
            self.request.state.push(DecisionEvent(self.branch, news.candidate, news.stopped))
        return True

    # Lists and ParallelProcess.

    def _fail_siblings(self, error: BaseException) -> None:
        self.failure = error
        if not self.request.expired:  # then all are being cut already, each to fail in its own right
            for child in self.children:
                child.cut()

    def _collect(self) -> Branch:
        if self.failure is not None:
            self.throw, self.failure = self.failure, None
            self.reply = None
        elif isinstance(self.reply, ParallelProcess):
            self.reply = [child.value for child in self.children]
        self.children = ()
        return self

    # Races.

    def _run_of(self, race: Race) -> RaceRun:
        if race.run is None:
            race.run = RaceRun(race, self)
            self.races.append(race.run)
        run = race.run
        if not isinstance(run, RaceRun) or run.owner is not self:
            raise ControllerError("a race belongs to the branch that first yielded it")
        return run

    def _hand_back(self, run: RaceRun) -> bool:
        """Set the reply to a `yield race` or `yield race.cancel()`, if there is one yet."""
        self.waiting = None
        if run.cancelled:
            if not run.live:
                self.reply = sorted(run.outcomes, key=lambda outcome: outcome.index)
                run.handed += len(run.outcomes)
                run.outcomes.clear()
                return True
        elif self._failed(run):
            if not run.live:
                run.cancelled = True
                run.outcomes.clear()
                self.throw = run.failure
                return True
        else:
            self._refill(run)
            if run.outcomes:
                run.handed += 1
                self.reply = run.outcomes.popleft()
                return True
            if not run.live and not run.pausing:
                return True
        self.waiting = run
        return False

    def _failed(self, run: RaceRun) -> bool:
        """Whether a race that raises has a failure, for which its rest is cut, once."""
        if run.failure is None and not run.hands_over:
            run.failure = next((outcome.error for outcome in run.outcomes if outcome.error is not None), None)
            if run.failure is not None:
                for child in list(run.live.values()):
                    child.cut()
        return run.failure is not None

    def _refill(self, run: RaceRun) -> None:
        if run.exhausted or run.pausing:
            return
        request, branches, ahead = self.request, run.race.branches, run.race.ahead
        room = AT_ONCE if ahead is None else ahead - (run.started - run.handed)
        for _ in range(min(room, AT_ONCE)):
            if request.expired:
                if not run.live and not run.outcomes:
                    request.refuse_if_expired()
                return
            item = next(branches, _NO_MORE)
            if item is _NO_MORE:
                run.exhausted = True
                return
            index, path = run.started, self.spawned
            child: Child = (
                Call(request, self, item, index, path, run)
                if isinstance(item, Task)
                else Branch(request, self, checked_generator(item), index, path, run)
            )
            run.live[index] = child
            run.started, self.spawned = index + 1, path + 1
            self.live += 1
            child.launch()
        if room >= AT_ONCE:
            run.pausing = True
            self.driver.post_behind(run)

    # The end.

    def _end(self, value: object, error: BaseException | None) -> Branch | None:
        self.value, self.error = value, error
        if self.live:
            return self._close()
        return self._report()

    def _close(self) -> Branch | None:
        """End it, leaf before root: the generator is closed once nothing below it runs."""
        self.closing = True
        if self.live:
            for child in self.children:
                child.cut()
            for run in self.races:
                for racer in list(run.live.values()):
                    racer.cut()
            return None
        try:
            self.generator.close()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.error = self.error or method_error(error)
        return self._report()

    def _report(self) -> Branch | None:
        self.done = True
        for run in self.races:
            run.outcomes.clear()
            run.race.branches, run.race.run = iter(()), _ENDED  # else they would keep each other, and all samples
        self.races.clear()
        self.children = ()
        self.reply = self.waiting = None
        parent = self.parent
        if parent is None:
            self.request.finish(self)
            return None
        return parent.child_done(self)

    def _charge(self, usage: Usage) -> None:
        if self.usage is None:
            self.usage = Usage()
        self.usage.add(usage)

    def _next_path(self) -> int:
        path = self.spawned
        self.spawned += 1
        return path


Child: TypeAlias = Branch | Call

_NO_MORE = object()

_ENDED = object()
"""What is left of a race whose branch has ended."""

_BEGIN: dict[type, Callable[[Branch, Any], bool]] = {
    Race: Branch._begin_race,
    list: Branch._begin_tasks,
    Candidate: Branch._tell_candidate,
    CancelRace: Branch._begin_cancel,
    ParallelProcess: Branch._begin_parallel,
    DecisionEvent: Branch._tell_decision,
}
"""How each kind of yield begins."""


def _beginning(yielded: object) -> Callable[[Branch, Any], bool]:
    """How a yield of a subclass of these kinds begins."""
    return next((begin for kind, begin in _BEGIN.items() if isinstance(yielded, kind)), Branch._refuse)


def _outcome(child: Child) -> Outcome:
    if child.error is not None:
        return Outcome(child.index, None, child.error, child.usage, answered=child.answered)
    return Outcome(child.index, child.value, None, child.usage, child.cut_off)
