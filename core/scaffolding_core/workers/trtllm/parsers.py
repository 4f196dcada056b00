"""Thoughts and tool calls told apart from text, by TensorRT-LLM's own parsers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import ToolCall
from scaffolding_core.tasks import ChatTask, Delta, GenerationTask
from scaffolding_core.workers.trtllm.llm_api import found, takes
from scaffolding_core.workers.trtllm.tool_choice import allowed_calls, offered_tools

__all__ = ["LiveReasoning", "Parsers"]

_numbers = itertools.count()


class Parsers:
    """The parsers of a model; what they make nothing of stays text.

    Args:
        reasoning: name of the parser of thoughts; None where there is none.
        tools: name of the parser of tool calls; None where there is none.

    Raises:
        InvalidRequestError: TensorRT-LLM has no parser of that name.
        MissingExtraError: TensorRT-LLM is not installed.
    """

    def __init__(self, reasoning: str | None, tools: str | None) -> None:
        self._reasoning = reasoning
        self._tools = tools
        self._raw_thoughts = reasoning is not None and _needs_raw(self._reasoning_parser(ChatTask()))
        self._raw_calls = tools is not None and _needs_raw(self._tool_parser())

    @property
    def takes_tools(self) -> bool:
        """Whether calls of tools can be read."""
        return self._tools is not None

    def needs_special_tokens(self, task: GenerationTask) -> bool:
        """Whether the special tokens must stand in the answer for it to be read."""
        return isinstance(task, ChatTask) and (self._raw_thoughts or (self._raw_calls and _may_call(task)))

    def live(self, task: GenerationTask) -> LiveReasoning:
        """What tells the thoughts of a task's answer from its text while it is written."""
        thinks = self._reasoning is not None and isinstance(task, ChatTask)
        return LiveReasoning(self._reasoning_parser(task) if thinks else None)

    def told_apart(self, text: str, task: GenerationTask) -> tuple[str, str | None, list[ToolCall] | None]:
        """The text of an answer, its thoughts and its tool calls."""
        reasoning, calls = None, None
        if self._reasoning is not None and isinstance(task, ChatTask):
            parsed = self._reasoning_parser(task).parse(text)
            text, reasoning = parsed.content or "", parsed.reasoning_content or None
        if self._tools is not None and isinstance(task, ChatTask) and _may_call(task):
            text, calls = self._calls(text, task)
        return text, reasoning, calls

    def _calls(self, text: str, task: ChatTask) -> tuple[str, list[ToolCall] | None]:
        tool = found("ChatCompletionToolsParam", module="tensorrt_llm.serve.openai_protocol")
        try:
            parsed = self._tool_parser().detect_and_parse(text, [tool(**each) for each in offered_tools(task)])
        except Exception:  # what the model wrote is no call
            return text, None
        calls = [ToolCall(f"call-{next(_numbers)}", each.name, each.parameters) for each in parsed.calls]
        return (parsed.normal_text, allowed_calls(task, calls)) if calls else (text, None)

    # Any: objects of TensorRT-LLM.
    def _reasoning_parser(self, task: GenerationTask) -> Any:
        factory = found("ReasoningParserFactory", module="tensorrt_llm.llmapi.reasoning_parser")
        create, named = factory.create_reasoning_parser, "chat_template_kwargs"
        return _made(create, self._reasoning, **{named: task.chat_template_kwargs} if takes(create, named) else {})

    def _tool_parser(self) -> Any:
        factory = found("ToolParserFactory", module="tensorrt_llm.serve.tool_parser.tool_parser_factory")
        return _made(factory.create_tool_parser, self._tools)


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


def _may_call(task: ChatTask) -> bool:
    return bool(offered_tools(task))


def _needs_raw(parser: object) -> bool:
    return bool(getattr(parser, "needs_raw_special_tokens", False))


def _made(create: Callable[..., Any], *given: object, **options: object) -> Any:
    try:
        return create(*given, **options)
    except ValueError as error:
        raise InvalidRequestError(f"TensorRT-LLM has no such parser: {error}") from error
