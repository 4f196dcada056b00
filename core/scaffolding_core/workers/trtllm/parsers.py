"""Thoughts and tool calls told apart from text, by TensorRT-LLM's own parsers."""

from __future__ import annotations

import itertools
from typing import Any

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import ToolCall
from scaffolding_core.tasks import ChatTask, Delta
from scaffolding_core.workers.trtllm.llm_api import found

__all__ = ["LiveReasoning", "Parsers"]

_numbers = itertools.count()


class Parsers:
    """The parsers of a model.

    Args:
        reasoning: name of the parser of thoughts; None where there is none.
        tools: name of the parser of tool calls; None where there is none.

    Raises:
        InvalidRequestError: TensorRT-LLM has no parser of that name.
        MissingExtraError: TensorRT-LLM is not installed.
    """

    def __init__(self, reasoning: str | None, tools: str | None) -> None:
        self.reasoning = reasoning
        self.tools = tools
        if reasoning is not None:
            self.reasoning_parser()
        if tools is not None:
            self._tool_parser()

    def reasoning_parser(self) -> Any:  # Any: one of TensorRT-LLM's
        """A parser of the thoughts of one answer."""
        factory = found("ReasoningParserFactory", module="tensorrt_llm.llmapi.reasoning_parser")
        return _made(factory.create_reasoning_parser, self.reasoning)

    def _tool_parser(self) -> Any:  # Any: as above
        factory = found("ToolParserFactory", module="tensorrt_llm.serve.tool_parser.tool_parser_factory")
        return _made(factory.create_tool_parser, self.tools)

    def told_apart(self, text: str, task: object) -> tuple[str, str | None, list[ToolCall] | None]:
        """The text of an answer, its thoughts and its tool calls."""
        reasoning = None
        if self.reasoning is not None and isinstance(task, ChatTask):
            parsed = self.reasoning_parser().parse(text)
            text, reasoning = parsed.content or "", parsed.reasoning_content or None
        if self.tools is None or not isinstance(task, ChatTask) or not task.tools or task.tool_choice == "none":
            return text, reasoning, None
        tool = found("ChatCompletionToolsParam", module="tensorrt_llm.serve.openai_protocol")
        try:
            parsed = self._tool_parser().detect_and_parse(text, [tool(**each) for each in task.tools_to_dict()])
        except Exception:  # what the model wrote is no call: it stays text
            return text, reasoning, None
        calls = [ToolCall(f"call-{next(_numbers)}", each.name, each.parameters) for each in parsed.calls]
        return (parsed.normal_text, reasoning, calls) if calls else (text, reasoning, None)


class LiveReasoning:
    """Tells thoughts from text while they are written.

    Args:
        parser: of one answer; None takes all for text.
    """

    def __init__(self, parser: Any) -> None:  # Any: one of TensorRT-LLM's
        self._parser = parser

    def delta(self, text: str, *, last: bool) -> Delta:
        """What a further piece of text is."""
        if self._parser is None:
            return Delta(text)
        parts = [self._parser.parse_delta(text)] if text else []
        if last and hasattr(self._parser, "finish"):
            parts.append(self._parser.finish())
        return Delta(
            "".join(part.content or "" for part in parts), "".join(part.reasoning_content or "" for part in parts)
        )


def _made(create: Any, name: str | None) -> Any:
    try:
        return create(name)
    except ValueError as error:
        raise InvalidRequestError(f"TensorRT-LLM has no such parser: {error}") from error
