"""Thoughts told apart from text."""

from dataclasses import dataclass


@dataclass
class ReasoningParserResult:
    content: str = ""
    reasoning_content: str = ""


class _Tags:
    """Thoughts end with `</think>`, and begin with `<think>` or at once."""

    def __init__(self, at_start: bool) -> None:
        self._at_start = at_start
        self._seen = ""
        self._told = ReasoningParserResult()

    def parse(self, text: str) -> ReasoningParserResult:
        if not self._at_start:
            if "<think>" not in text:
                return ReasoningParserResult(content=text)
            text = text.partition("<think>")[2]
        thoughts, _, content = text.partition("</think>")
        return ReasoningParserResult(content=content, reasoning_content=thoughts)

    def parse_delta(self, delta_text: str) -> ReasoningParserResult:
        self._seen += delta_text
        settled = self._seen[: len(self._seen) - _open_tag(self._seen)]
        return self._news(settled)

    def finish(self) -> ReasoningParserResult:
        return self._news(self._seen)

    def _news(self, text: str) -> ReasoningParserResult:
        now, told = self.parse(text), self._told
        self._told = now
        return ReasoningParserResult(
            now.content[len(told.content) :], now.reasoning_content[len(told.reasoning_content) :]
        )


def _open_tag(text: str) -> int:
    """Characters at the end that may become a tag."""
    lengths = [size for tag in ("<think>", "</think>") for size in range(1, len(tag)) if text.endswith(tag[:size])]
    return max(lengths, default=0)


class ReasoningParserFactory:
    parsers = {"deepseek-r1": True, "qwen3": False}

    @staticmethod
    def create_reasoning_parser(reasoning_parser: str, chat_template_kwargs: dict | None = None) -> _Tags:
        name = reasoning_parser.lower()
        if name not in ReasoningParserFactory.parsers:
            raise ValueError(
                f"Invalid reasoning parser: {reasoning_parser}\n"
                f"Supported parsers: {list(ReasoningParserFactory.parsers)}"
            )
        return _Tags(ReasoningParserFactory.parsers[name])
