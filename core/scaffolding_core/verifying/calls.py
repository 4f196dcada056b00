"""same_calls: an answer passes if it calls the tools that it should, with the arguments that it should."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from scaffolding_core.answers import Answers
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, ToolCall
from scaffolding_core.verifying.same_answer import SameAnswer

__all__ = ["same_calls"]


def same_calls(
    reference: Sequence[Mapping[str, object]], only: Sequence[str] | None = None, ignore: Sequence[str] = ()
) -> SameAnswer:
    """An answer passes if it makes the same calls, in any order.

    Args:
        reference: the right calls, each `{"name": ..., "arguments": {...}}`; arguments may be JSON text, too.
        only: names of the arguments that count; None for all.
        ignore: names of arguments that do not.

    Raises:
        InvalidRequestError: calls or names that are none.
    """
    answers = Answers("calls", only=only, ignore=ignore)
    try:
        calls = [ToolCall("", str(call["name"]), _as_json(call.get("arguments", {}))) for call in reference]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"calls must be a list of {{'name': ..., 'arguments': {{...}}}}, got {reference!r}"
        ) from error
    return SameAnswer(answers.extractor.extract(AssistantMessage(tool_calls=calls)), answers)


def _as_json(arguments: object) -> str:
    if not isinstance(arguments, str):
        return json.dumps(arguments)
    json.loads(arguments)  # refuses what is none
    return arguments
