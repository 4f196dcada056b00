"""Keywords: what a call of another library's model was given, by whom it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaffolding_core.adapting.checks import checked_answers, refusal_of
from scaffolding_core.controller import Controller
from scaffolding_core.driver.order import ANSWER_OPTIONS, REQUEST_OPTIONS
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tasks import SAMPLING_PARAMETERS, ChatTask, GenerationTask

__all__ = ["Keywords", "as_asked", "split"]

_OF_METHODS = ANSWER_OPTIONS | {"sample_num"}
"""Names that mean an option of the method, whatever method it is."""
_OF_ANSWERS = {
    "allow_parallel_tool_calls",
    "ls_structured_output_format",
    "parallel_tool_calls",
    "response_format",
    "strict",
    "tool_choice",
    "tool_required",
    "tools",
}
"""Names that say which form an answer has, or which tools it may call, in calls of either library."""


@dataclass(frozen=True, slots=True)
class Keywords:
    """The keywords of a call, each in one place.

    Args:
        options: of the request and of the method.
        sampling: parameters of sampling.
        rest: all others, for the model that is wrapped.
    """

    options: dict[str, Any]
    sampling: dict[str, Any]
    rest: dict[str, Any]


def split(llm: ScaffoldingLlm, method: str | Controller, given: Mapping[str, Any]) -> Keywords:
    """The keywords of a call, by whom they are for; an option of methods goes to no wrapped model.

    Args:
        llm: runs the method.
        method: as it was given.
        given: the keywords; `answers` of any kind that the method may take.

    Raises:
        InvalidRequestError: samples, answers, or a way to read them, that the method does not take.
    """
    keywords = Keywords({}, {}, {})
    for name, value in given.items():
        if name == "answers":
            keywords.options[name] = checked_answers(method, llm.prototype_controller, value)
        elif name in REQUEST_OPTIONS or llm.takes(name):
            keywords.options[name] = value
        elif name in _OF_METHODS:
            raise refusal_of(method, name)
        else:
            (keywords.sampling if name in SAMPLING_PARAMETERS else keywords.rest)[name] = value
    return keywords


def as_asked(task: GenerationTask, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A caller's keywords for the wrapped model, as far as they fit what a method asks with them.

    What is asked beside the answer gets none that are for the answer; tools that were called stay known.
    """
    if not task.aside:
        return given
    kept = {"tools"} if isinstance(task, ChatTask) and task.has_calls else set()
    return {name: value for name, value in given.items() if name not in _OF_ANSWERS - kept}
