"""ScaffoldingOutput and ScaffoldingResult, as TensorRT-LLM's programs read and write them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import fields
from typing import Any, cast

import scaffolding_core.results as core
from scaffolding_core.messages import Content
from scaffolding_core.results import Event, RequestState, TokenEvent
from scaffolding_core.tensorrt_llm.message import AssistantMessage

__all__ = ["ScaffoldingOutput", "ScaffoldingResult"]


class ScaffoldingOutput(core.ScaffoldingOutput):
    """The result of a method; its text may be set. Iterated over with `async for`, it hands out itself, once.

    Args:
        text: of the answer.
        token_ids: of the answer, where they are known.
        data: whatever a controller adds.
        told: what else the core's output tells.

    Attributes:
        given: the output of a program's own that this stands for.
    """

    given: Any = None  # Any: whatever has a text

    def __init__(
        self,
        text: Content | None = None,
        token_ids: list[int] | None = None,
        data: Mapping[str, object] | None = None,
        **told: Any,  # each has its type in the core
    ) -> None:
        message = told.pop("message", None) or AssistantMessage(text)
        core.ScaffoldingOutput.__init__(self, message, token_ids, data, **told)

    @classmethod
    def of(cls, returned: object) -> ScaffoldingOutput:  # type: ignore[override]  # of whatever a program returns
        """What a controller's `generate` has returned, as an output: nothing, a text and what has one are, too.

        Raises:
            TypeError: it is none of these.
        """
        if isinstance(returned, cls):
            return returned
        if isinstance(returned, core.ScaffoldingOutput):
            return cls(**{field.name: getattr(returned, field.name) for field in fields(returned)})
        if returned is None or isinstance(returned, str):
            return cls(returned)
        if hasattr(returned, "text"):
            new = cls(returned.text, getattr(returned, "token_ids", None))
            new.given = returned
            return new
        raise TypeError(f"got {type(returned).__name__}")

    @property
    def text(self) -> str:
        """The text of the answer; empty where there is none."""
        return self.message.text

    @text.setter
    def text(self, text: str) -> None:
        self.message = AssistantMessage(text)

    @property
    def output_str(self) -> str:
        """The text, by its older name."""
        return self.text

    @property
    def outputs(self) -> list[ScaffoldingOutput]:
        """Itself, for programs that look for it in a result."""
        return [self]

    async def __aiter__(self) -> AsyncIterator[ScaffoldingOutput]:
        yield self


class ScaffoldingResult(core.ScaffoldingResult):
    """A request that runs, or has run.

    Iterate over it, `for` or `async for`: it hands out itself each time that there is more to read in
    `outputs[0].text`, which happens before the end where a controller streams, and once at the end.

    Args:
        state: of the request.
        task_collections: the controller's, if results are to show them.
    """

    __slots__ = ("_collections", "_output", "_shows_it")

    def __init__(self, state: RequestState, task_collections: Mapping[str, object] | None = None) -> None:
        super().__init__(state)
        self._collections = task_collections
        self._output: ScaffoldingOutput | None = None
        self._shows_it = False

    @property
    def id(self) -> str:  # type: ignore[override]  # a text there
        """The request's, unique in this process."""
        return str(self.state.id)

    @property
    def task_collections(self) -> Mapping[str, object] | None:
        """The controller's, by name; None unless `enable_output_task_collection()` asked for them."""
        return self._collections

    def set_task_collections(self, task_collections: Mapping[str, object]) -> None:
        """Show these."""
        self._collections = task_collections

    def set_output(self, output: ScaffoldingOutput | None) -> None:
        """End the request with this output, unless it has ended."""
        self.state.finish(ScaffoldingOutput.of(output))

    @property
    def cur_output(self) -> Any:  # Any: a program may return an output of its own
        """The output; while the request runs or hands itself out, what was last handed out of it, if anything."""
        if self.state.output is None or self._shows_it:
            return self._output
        output = cast("ScaffoldingOutput", self.state.output)
        return output if output.given is None else output.given

    @property
    def output(self) -> ScaffoldingOutput:
        """The whole output.

        Raises:
            RuntimeError: it still runs.
            ScaffoldingError: it failed.
        """
        return cast("ScaffoldingOutput", super().output)

    @property
    def outputs(self) -> list[Any]:  # Any: as above
        """The output in a list of one; while the request runs, what there is of it so far.

        Raises:
            ScaffoldingError: it failed.
        """
        self.state.raise_error()
        return [] if self.cur_output is None else [self.cur_output]

    @property
    def finished(self) -> bool:
        """Whether it has finished, either way."""
        return self.state.done

    def __iter__(self) -> Iterator[ScaffoldingResult]:  # type: ignore[override]  # it hands out itself
        if not self.state.done:
            for event in self.state.events():
                yield from self._news(event)
        self.state.raise_error()
        yield self

    async def __aiter__(self) -> AsyncIterator[ScaffoldingResult]:  # type: ignore[override]  # as above
        if not self.state.done:
            async for event in self.state.events():
                for result in self._news(event):
                    yield result
        self.state.raise_error()
        yield self

    def _news(self, event: Event) -> Iterator[ScaffoldingResult]:
        for output in event.originals if isinstance(event, TokenEvent) else ():
            if isinstance(output, ScaffoldingOutput):
                self._output, self._shows_it = output, True
                try:
                    yield self
                finally:
                    self._shows_it = False
