"""Controller: a method, as a generator that yields work and never touches a backend, a thread or a loop."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, TypeVar

from scaffolding_core.errors import ControllerError, InvalidRequestError, original_error
from scaffolding_core.results import Candidate, DecisionEvent, ScaffoldingOutput
from scaffolding_core.tasks import SAMPLING_PARAMETERS, GenerationTask, Prompt, Task, task_from_prompt

if TYPE_CHECKING:
    from scaffolding_core.capabilities import Capabilities
    from scaffolding_core.messages import Usage

__all__ = [
    "CancelRace",
    "Controller",
    "Outcome",
    "ParallelProcess",
    "Race",
    "Steps",
    "Yielded",
    "checked_generator",
    "method_error",
    "parts_of",
    "roles_of",
]

T = TypeVar("T")


class ParallelProcess:
    """Yield it to run sub-controllers at the same time; resumes with their return values, in order.

    Args:
        controllers: one for each branch.
        tasks_list: the tasks of each.
        kwargs_list: the options of each; none where left out.

    Raises:
        InvalidRequestError: lists of different lengths.
    """

    def __init__(
        self,
        controllers: Sequence[Controller],
        tasks_list: Sequence[list[Task]],
        kwargs_list: Sequence[Mapping[str, object]] | None = None,
    ) -> None:
        options = [{}] * len(controllers) if kwargs_list is None else kwargs_list
        if not len(controllers) == len(tasks_list) == len(options):
            raise InvalidRequestError(
                "ParallelProcess needs as many task lists and option dicts as controllers, got "
                f"{len(controllers)} controllers, {len(tasks_list)} task lists, {len(options)} option dicts"
            )
        self.sub_gens: list[Steps[object]] = [
            controller.process(tasks, **kwargs)
            for controller, tasks, kwargs in zip(controllers, tasks_list, options, strict=True)
        ]

    @classmethod
    def from_generators(cls, generators: Iterable[Steps[object]]) -> Self:
        """Run generators that stand already."""
        new = cls((), (), ())
        new.sub_gens = list(generators)
        return new


@dataclass(slots=True)
class Outcome:
    """A branch of a race that ended.

    Attributes:
        index: of the branch, in the order drawn.
        value: the task itself, finished, or what the generator returned; None if it failed or was cut.
        error: why it failed, where it did.
        usage: what it cost.
        cut: stopped before it ended, because the race was cancelled.
        answered: whether a worker had answered anything in it; else it failed with the first that it asked.
    """

    index: int
    value: Any = None  # Any: what a branch returns is known only to whoever drew it
    error: BaseException | None = None
    usage: Usage | None = None
    cut: bool = False
    answered: bool = False


class Race:
    """Yield it again and again to get its branches one by one, each as it finishes.

    Each `yield race` resumes with the next finished branch as an `Outcome`, or with None when there is no
    more. `yield race.cancel()` stops the rest, at the backend too.

    Args:
        branches: tasks, or generators such as `controller.process(...)`; drawn lazily, when they start.
        ahead: how many may be started and not yet handed back; None for all. It may be changed between
            yields; at 0 nothing more is started, and what runs is still handed back.
        failures: `raise` throws the first failure at the yield, once the rest is cut; `values` hands
            failures back as outcomes.
        all_needed: no branch is cut because others have ended, so that a worker need not be ready for it.

    Raises:
        InvalidRequestError: a negative `ahead`.
    """

    __slots__ = ("ahead", "all_needed", "branches", "failures", "news", "run")

    def __init__(
        self,
        branches: Iterable[Task | Steps[Any]],
        *,
        ahead: int | None = None,
        failures: Literal["raise", "values"] = "raise",
        all_needed: bool = False,
    ) -> None:
        if ahead is not None and ahead < 0:
            raise InvalidRequestError(f"ahead of a race must be at least 0, or None for all, got {ahead!r}")
        self.branches = iter(branches)
        self.ahead = ahead
        self.failures = failures
        self.all_needed = all_needed
        self.news: Candidate | None = None
        self.run: object = None  # what the driver keeps of it

    def tell(self, candidate: Candidate) -> None:
        """Tell whoever listens of a finished sample, with the next yield of the race or its cancel."""
        self.news = candidate

    def cancel(self) -> CancelRace:
        """Yield it to stop the race; resumes with every branch not handed back, in index order.

        Each is finished, failed, or marked `cut`.
        """
        return CancelRace(self)


@dataclass(frozen=True, slots=True)
class CancelRace:
    """The wish to stop a race."""

    race: Race


Yielded: TypeAlias = Sequence[Task] | ParallelProcess | Race | CancelRace | Candidate | DecisionEvent
# Any: what a yield resumes with depends on what was yielded, and a generator has one type for both.
Steps: TypeAlias = Generator[Any, Any, T]
"""A running method: yields `Yielded`, returns T."""


class Controller:
    """A method. Subclass it and override `process`.

    What `process` may yield, and what the yield resumes with:

    - a list of tasks: run them at the same time; the same list, all finished;
    - a `ParallelProcess`: run sub-controllers at the same time; their return values;
    - a `Race`: its next finished branch; `race.cancel()`: what it had not handed back;
    - a `Candidate` or a `DecisionEvent`: tell whoever listens; resumes at once with None.

    A failure is thrown in at the yield, as the typed error: catch it to retry, fall back or go on. A method
    is a pure function of its inputs and of what its yields gave back: no clock, no randomness but from the
    tasks' `seed`, no state that outlives the request.

    Attributes:
        streams_answer: what its only branch writes is the answer, so that text can be shown as it comes.
        stateless: `process` changes nothing on `self`, so that requests may share one instance. Holds for
            the class that says it, not for its subclasses.
        votes_on_fields: each field of a structure is voted on by itself, so `answers` are a kind for each.
    """

    streams_answer: bool = False
    stateless: ClassVar[bool] = False
    votes_on_fields: ClassVar[bool] = False

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The roles that its own tasks ask for, beside those of its parts, and what each must be able to do.

        A role is the tag of a worker. Who puts the method together with its workers asks for it.
        """
        return {}

    def check_parts(self) -> None:
        """Refuse parts that it cannot work with; asked before it runs, when all roles are played.

        Raises:
            InvalidRequestError: names the part, and what would serve.
        """

    def process(self, tasks: list[Any], *args: Any, **options: Any) -> Steps[Any]:
        """Run the method on tasks; afterwards `tasks[0]` holds the chosen result.

        Returns a `ScaffoldingOutput` where the method has more to tell than the tasks hold.
        """
        raise ControllerError(f"{type(self).__name__} must override process()")

    def generate(self, prompt: Prompt, **options: object) -> Steps[ScaffoldingOutput]:
        """Run the method on a prompt, as a generator; sampling parameters may be among the options."""
        task = task_from_prompt(prompt)
        for name in SAMPLING_PARAMETERS & options.keys():
            setattr(task, name, options.pop(name))
        return self.run(task, options)

    def run(self, task: GenerationTask, options: Mapping[str, object]) -> Steps[ScaffoldingOutput]:
        """Run the method on one task; returns its output, whatever `process` returned."""
        value = yield from checked_generator(self.process([task], **options))
        if isinstance(value, ScaffoldingOutput):
            return value
        return ScaffoldingOutput(task.message(), method=type(self).__name__)

    def as_task(self, task: GenerationTask) -> GenerationTask | None:
        """The prepared task, if all that `process` does is to prepare one task and yield it; else None.

        It lets a method race copies of it, which spares a generator for each sample. It may be another task
        than the one given, which the caller gives up.
        """
        return None

    def clone(self) -> Self:
        """A copy for one request: its own containers and sub-controllers, all else shared."""
        parts = {name: _own(part) for name, part in vars(self).items()}
        if "stateless" in vars(type(self)) and self.stateless and parts == vars(self):
            return self
        new = object.__new__(type(self))
        vars(new).update(parts)
        return new


def checked_generator(generator: object) -> Steps[Any]:
    """The generator of a branch, if it is one.

    Raises:
        ControllerError: it is something else.
    """
    if isinstance(generator, GeneratorType):
        return generator
    hint = "wrap it in a function that says 'yield from'"
    if isinstance(generator, CoroutineType | AsyncGeneratorType):
        hint = "write 'def process', not 'async def process'"
        if isinstance(generator, CoroutineType):
            generator.close()
    elif not isinstance(generator, Iterator):
        hint = "process() must say 'yield' at least once"
    raise ControllerError(f"a branch must be a generator, got {type(generator).__name__}: {hint}")


def method_error(raised: BaseException) -> BaseException:
    """What a method raised; a `ControllerError` whose cause it is, if it would end more than the request.

    No generator and no future takes a StopIteration, and SystemExit and the like end the loop that runs all.
    """
    cause = original_error(raised)
    if isinstance(cause, StopIteration):
        error = ControllerError("the method let a StopIteration out: give next() a default, or catch it")
    elif isinstance(cause, Exception):
        return raised
    else:
        error = ControllerError(f"the method raised {type(cause).__name__}: raise an Exception instead")
    error.__cause__ = cause
    return error


def parts_of(method: Controller) -> Iterator[Controller]:
    """A method and the methods that it is made of."""
    yield method
    for part in _controllers_in([*vars(method).values()]):
        yield from parts_of(part)


def roles_of(method: Controller) -> frozenset[Hashable]:
    """The roles that a method and all its parts need a worker for, as far as they tell."""
    return frozenset(role for part in parts_of(method) for role in part.needs)


def _controllers_in(part: object) -> Iterator[Controller]:
    if isinstance(part, Controller):
        yield part
    elif isinstance(part, list | dict):
        for item in part.values() if isinstance(part, dict) else part:
            yield from _controllers_in(item)


def _own(part: Any) -> Any:
    if isinstance(part, Controller):
        return part.clone()
    if type(part) is list:
        return [_own(item) for item in part]
    if type(part) is dict:
        return {key: _own(item) for key, item in part.items()}
    if isinstance(part, list | dict | set | deque):
        return copy.copy(part)
    return part
