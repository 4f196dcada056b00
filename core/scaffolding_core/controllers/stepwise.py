"""stepwise: a method whose generations are looked at while they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeGuard, TypeVar

from scaffolding_core.controller import Steps, Yielded
from scaffolding_core.messages import TokenLogprob
from scaffolding_core.tasks import GenerationTask, in_steps

__all__ = ["Watch", "stepwise"]

T = TypeVar("T")

Watch: TypeAlias = Callable[[Sequence[TokenLogprob]], bool]
"""Takes the tokens that were written since the last look; whether the generation is to be cut."""


def stepwise(method: Steps[T], step: int, watch: Watch) -> Steps[T]:
    """Run a method, and look at each generation that it waits for alone after every few tokens.

    One that is cut is aborted at the backend; the method gets what was written, and the finish reason `cancelled`.

    Args:
        method: what it yields otherwise goes its way.
        step: tokens between two looks.
        watch: looks.
    """
    go_on, reply = method.send, None
    while True:
        try:
            yielded: Yielded = go_on(reply)
        except StopIteration as stop:
            end: T = stop.value
            return end
        try:
            reply = (yield from _written(yielded, step, watch)) if _is_lone(yielded) else (yield yielded)
            go_on = method.send
        except GeneratorExit:
            method.close()
            raise
        except BaseException as error:
            go_on, reply = method.throw, error


def _is_lone(yielded: Yielded) -> TypeGuard[Sequence[GenerationTask]]:
    if not isinstance(yielded, Sequence) or len(yielded) != 1:
        return False
    return isinstance(yielded[0], GenerationTask) and not yielded[0].goes_on


def _written(tasks: Sequence[GenerationTask], step: int, watch: Watch) -> Steps[Sequence[GenerationTask]]:
    (task,) = tasks
    stream, seen = in_steps(task, step), 0
    try:
        while not stream.end_flag:
            yield [stream]
            tokens = stream.logprobs or []
            stream.cancel_flag = watch(tokens[seen:]) and not stream.end_flag
            seen = len(tokens)
    finally:
        task.take_results(stream)
        task.usage, task.error = stream.usage, stream.error
    return tasks
