"""Evaluators of LangChain, LangSmith and openevals, as judges."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from langchain_core.runnables import Runnable
from langsmith.evaluation import RunEvaluator, run_evaluator
from langsmith.schemas import Example, Run

from langchain_scaffolding.judging.judge import Judge
from langchain_scaffolding.tracing.inner_runs import inside
from langchain_scaffolding.translation.inputs import asked
from langchain_scaffolding.translation.results import text_of
from scaffolding_core import InvalidRequestError, RewardTask
from scaffolding_core.adapting import call_function, run_either

__all__ = ["evaluator_judge"]

_COMPARING = ("evaluate_string_pairs", "aevaluate_string_pairs", "compare_runs", "evaluate_agent_trajectory")
"""Methods of evaluators that score no answer by itself."""

_NAMES = frozenset({"run", "example", "inputs", "outputs", "reference_outputs", "attachments"})
"""What LangSmith gives an evaluator, by name."""


def evaluator_judge(evaluator: Any, reference: object) -> Judge | None:  # Any: evaluators have no common class
    """A judge that asks an evaluator; None if it is none.

    Raises:
        InvalidRequestError: an evaluator that cannot score one answer by itself, or none without a reference.
    """
    evaluator = _of_langsmith(evaluator)
    if _has(evaluator, "evaluate_strings"):
        _check_reference(evaluator, reference, needed=bool(getattr(evaluator, "requires_reference", False)))
        return _StringJudge(evaluator, reference)
    if any(_has(evaluator, name) for name in _COMPARING) or _takes_several(_parameters(evaluator)):
        raise InvalidRequestError(
            f"{type(evaluator).__name__} compares answers or judges a trajectory, and a reward scores one answer: "
            "give an evaluator of single answers"
        )
    if _has(evaluator, "evaluate_run"):
        asks = getattr(evaluator, "__wrapped__", None) or getattr(evaluator, "evaluate_run", None)
        _check_reference(evaluator, reference, needed="example" in _required(asks))
        return _RunJudge(evaluator, reference)
    if isinstance(evaluator, Runnable) or not _is_named(evaluator):
        return None
    _check_reference(
        evaluator, reference, needed=not _required(evaluator).isdisjoint({"reference_outputs", "example"})
    )
    return _NamedJudge(evaluator, reference)


class _StringJudge(Judge):
    def __init__(self, evaluator: Any, reference: object) -> None:
        self.evaluator = evaluator
        self.reference = reference

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        given: dict[str, Any] = {"prediction": answer}
        if getattr(self.evaluator, "requires_input", True):  # one that does not warns of it
            given["input"] = prompt
        if self.reference is not None and getattr(self.evaluator, "requires_reference", True):
            given["reference"] = self.reference
        forms = (getattr(self.evaluator, name, None) for name in ("evaluate_strings", "aevaluate_strings"))
        with inside(task):
            return await run_either(*forms, **given)


class _RunJudge(Judge):
    def __init__(self, evaluator: Any, reference: object) -> None:
        self.evaluator = evaluator
        self.reference = reference

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        blocking, own = (getattr(self.evaluator, name, None) for name in ("evaluate_run", "aevaluate_run"))
        if getattr(own, "__func__", None) is RunEvaluator.aevaluate_run:
            own = None  # it calls the other, with an argument that older ones do not take
        with inside(task):
            return await run_either(blocking, own, _run(task, prompt, answer), _example(prompt, self.reference))


class _NamedJudge(Judge):
    """Asks a function that takes any of LangSmith's names, in any order."""

    def __init__(self, evaluator: Callable[..., Any], reference: object) -> None:
        self.evaluator = evaluator
        self.reference = reference

    async def _ask(self, task: RewardTask, prompt: str, answer: str) -> Any:
        takes = _parameters(self.evaluator)
        wanted = takes.keys() & _NAMES
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values()):
            wanted |= {"inputs", "outputs", "reference_outputs"}
        given = {name: self._value(name, takes.get(name), task, prompt, answer) for name in wanted}
        with inside(task):
            return await call_function(self.evaluator, **given)

    def _value(
        self, name: str, parameter: inspect.Parameter | None, task: RewardTask, prompt: str, answer: str
    ) -> object:
        match name:
            case "run":
                return _run(task, prompt, answer)
            case "example":
                return _example(prompt, self.reference)
            case "inputs":
                return _fitting(parameter, _asked(prompt), prompt, "input")
            case "outputs":
                result = _result(task)
                if not isinstance(result, Mapping):
                    return _fitting(parameter, answer, answer, "output")
                is_whole = answer == text_of(result)  # else a part of it was named
                return _fitting(parameter, result, answer, "output", otherwise=result if is_whole else answer)
            case "reference_outputs":
                return _fitting(parameter, self.reference, self.reference, "output")
            case _:
                return {}


def _asked(prompt: str) -> object:
    """What the chain was asked: its input where that is data, else the prompt."""
    given = asked.get()
    return given if isinstance(given, Mapping) else prompt


_TAKES_DATA = frozenset({"dict", "Dict", "Mapping"})
_AS_IT_IS = object()


def _fitting(
    parameter: inspect.Parameter | None, value: object, text: object, name: str, otherwise: object = _AS_IT_IS
) -> object:
    """A value as an evaluator's parameter says that it takes it: as text, as data, or else as it is."""
    words = _words(parameter)
    if "str" in words:
        return text
    if value is not None and not words.isdisjoint(_TAKES_DATA):
        return _as_data(value, name)
    return value if otherwise is _AS_IT_IS else otherwise


def _words(parameter: inspect.Parameter | None) -> set[str]:
    """The words of what a parameter says that it takes."""
    return set(re.findall(r"\w+", _kind(parameter)))


def _kind(parameter: inspect.Parameter | None) -> str:
    if parameter is None or parameter.annotation is parameter.empty:
        return ""
    return inspect.formatannotation(parameter.annotation)


def _as_data(value: object, name: str) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {name: value}


def _result(task: RewardTask) -> object:
    return task.response.original if task.response is not None else None


def _run(task: RewardTask, prompt: str, answer: str) -> Run:
    result = _result(task)
    return Run(
        id=uuid4(),
        trace_id=uuid4(),
        name="sample",
        run_type="chain",
        start_time=datetime.now(UTC),
        inputs=_as_data(_asked(prompt), "input"),
        outputs=_as_data(result if isinstance(result, Mapping) else answer, "output"),
    )


def _example(prompt: str, reference: object) -> Example:
    outputs = _as_data(reference, "output") if reference is not None else None
    return Example(id=uuid4(), inputs=_as_data(_asked(prompt), "input"), outputs=outputs)


def _of_langsmith(evaluator: Any) -> Any:
    """The evaluator itself, out of LangSmith's wrapper around one of LangChain's, or in the wrapper it is due."""
    takes = list(_parameters(evaluator).values())
    if len(_required(evaluator)) == 2 and "Run" in _words(takes[0]):  # a run and its example
        return run_evaluator(evaluator)
    inner = getattr(evaluator, "evaluator", None)
    return inner if _has(evaluator, "as_run_evaluator") and _has(inner, "evaluate_strings") else evaluator


def _check_reference(evaluator: object, reference: object, *, needed: bool) -> None:
    if needed and reference is None:
        name = getattr(evaluator, "__name__", type(evaluator).__name__)
        raise InvalidRequestError(
            f"{name} compares answers with a reference: give it one, by evaluator_reward(evaluator, reference=...)"
        )


def _is_named(function: object) -> bool:
    names = _parameters(function).keys()
    return bool(names & {"outputs", "run"}) and _required(function) <= _NAMES


def _takes_several(takes: Mapping[str, inspect.Parameter]) -> bool:
    """Whether it takes the results of several answers at once, as LangSmith's comparing evaluators do."""
    return "runs" in takes or re.match(r"\W?[Ll]ist\[dict\b", _kind(takes.get("outputs"))) is not None


def _has(evaluator: object, name: str) -> bool:
    return any(callable(getattr(evaluator, form, None)) for form in (name, f"a{name}"))


def _required(function: object) -> frozenset[str]:
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return frozenset(
        name
        for name, parameter in _parameters(function).items()
        if parameter.default is parameter.empty and parameter.kind not in optional
    )


def _parameters(function: object) -> Mapping[str, inspect.Parameter]:
    if not callable(function):
        return {}
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # a built-in one has no signature
        return {}
