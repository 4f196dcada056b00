"""FunctionTool: a Python function as a tool."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
from collections.abc import Callable
from typing import Any

from scaffolding_core.answers.json_text import read_arguments
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import ToolDescription
from scaffolding_core.messages.tools import lawful_name
from scaffolding_core.tasks import MCPCallTask
from scaffolding_core.threads import run_in_thread
from scaffolding_core.workers.function import is_async
from scaffolding_core.workers.tools.answer import ToolAnswer
from scaffolding_core.workers.tools.fitting import what_is_wrong

__all__ = ["FunctionTool"]

_NAMELESS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class FunctionTool:
    """A Python function that a model may call.

    The arguments are validated by the function's annotations, as pydantic does. A function that raises has
    failed, and the model reads the error's type and text. An async function runs on the event loop, any other in
    a thread of its own.

    Args:
        function: to call, with arguments by name.
        name: for the model; the function's own unless said. Characters that OpenAI refuses become `_`.
        description: for the model; the function's docstring unless said.
        changes: whether a call changes things; None where nobody knows.

    Raises:
        InvalidRequestError: no function, or one with parameters that have no name or no type that JSON can hold.
    """

    def __init__(
        self,
        function: Callable[..., object],
        *,
        name: str | None = None,
        description: str | None = None,
        changes: bool | None = None,
    ) -> None:
        if not callable(function) or isinstance(function, type):
            holds_no_key = isinstance(function, str | type)
            shown = repr(function) if holds_no_key else type(function).__name__
            raise InvalidRequestError(f"a tool must be a function, an MCPWorker or a tool object, got {shown}")
        self.function = function
        own_name = getattr(function, "__name__", None) or getattr(
            getattr(function, "func", None), "__name__", None
        )
        self.name = lawful_name(str(name or own_name or type(function).__name__))
        self._arguments = _type_of_arguments(function, self.name)
        from pydantic import PydanticUserError, TypeAdapter  # it loads slowly
        from pydantic.errors import PydanticUndefinedAnnotation

        try:
            self._validator = TypeAdapter(self._arguments)
            schema = self._validator.json_schema()
        except (PydanticUserError, PydanticUndefinedAnnotation) as error:
            told = str(error).splitlines()[0]
            raise InvalidRequestError(f"the tool {self.name!r} takes what JSON cannot hold: {told}") from error
        del schema["title"]
        told = description if description is not None else inspect.getdoc(function) or ""
        self.description = ToolDescription(self.name, told, schema, changes)

    async def tools(self) -> list[ToolDescription]:
        """Its description."""
        return [self.description]

    async def answer(self, task: MCPCallTask) -> ToolAnswer:
        """Call the function; arguments that do not fit, and an error that it raises, are the answer too."""
        from pydantic import ValidationError

        try:
            given = self._validator.validate_python(read_arguments(task.args))
        except ValidationError as error:
            return ToolAnswer(what_is_wrong(error), failed=True)
        except ValueError as error:
            return ToolAnswer(str(error), failed=True)
        arguments = {f.name: getattr(given, f.name) for f in dataclasses.fields(given)}
        try:
            if is_async(self.function):
                returned = await self.function(**arguments)  # type: ignore[misc]  # it is a coroutine
            else:
                returned = await run_in_thread(self.function, **arguments)
                if inspect.isawaitable(returned):
                    returned = await returned
        except Exception as error:
            return ToolAnswer(f"{type(error).__name__}: {error}", failed=True)
        return _answer_of(returned)


def _type_of_arguments(function: Callable[..., object], name: str) -> type[Any]:  # Any: a dataclass made here
    """A dataclass with a field for each parameter."""
    try:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
    except (NameError, TypeError, ValueError) as error:
        raise InvalidRequestError(f"the parameters of the tool {name!r} cannot be read: {error}") from error
    fields = []
    for parameter in parameters:
        if parameter.kind in _NAMELESS:
            raise InvalidRequestError(
                f"the tool {name!r} must take its arguments by name, and {parameter} has none"
            )
        kind = Any if parameter.annotation is parameter.empty else parameter.annotation
        fields.append((parameter.name, kind, _field(parameter.default)))
    made = dataclasses.make_dataclass("Arguments", fields, kw_only=True)
    made.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]  # pydantic looks for it
    return made


def _field(default: object) -> Any:  # Any: what dataclasses say that a field is
    if default is inspect.Parameter.empty:
        return dataclasses.field()
    if type(default).__hash__ is None:  # it can be changed, and a dataclass refuses it
        return dataclasses.field(default_factory=lambda: copy.copy(default))
    return dataclasses.field(default=default)


def _answer_of(returned: object) -> ToolAnswer:
    if isinstance(returned, ToolAnswer):
        return returned
    if isinstance(returned, str):
        return ToolAnswer(returned)
    from pydantic_core import to_json  # it loads slowly

    try:
        text = to_json(returned, serialize_unknown=True, inf_nan_mode="strings").decode()
        structured = json.loads(text)
    except ValueError:  # bytes that are no text, half a character, a number of very many digits
        return ToolAnswer(str(returned))
    return ToolAnswer(text, structured=structured if isinstance(structured, dict | list) else None)
