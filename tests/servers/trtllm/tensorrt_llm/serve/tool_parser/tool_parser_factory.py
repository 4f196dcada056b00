"""Tool calls told apart from text: `<tool_call>` around a JSON object, as Qwen3 writes them."""

import json
import re
from typing import Any

from pydantic import BaseModel

_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


class ToolCallItem(BaseModel):
    tool_index: int
    name: str | None = None
    parameters: str


class StreamingParseResult(BaseModel):
    normal_text: str = ""
    calls: list[ToolCallItem] = []


class _Qwen3:
    def detect_and_parse(self, text: str, tools: list[Any]) -> StreamingParseResult:
        calls = []
        for written in _CALL.findall(text):
            call = json.loads(written)
            calls.append(
                ToolCallItem(tool_index=-1, name=call["name"], parameters=json.dumps(call.get("arguments", {})))
            )
        return StreamingParseResult(normal_text=text.partition("<tool_call>")[0].strip(), calls=calls)


class _KimiK2(_Qwen3):
    needs_raw_special_tokens = True


class ToolParserFactory:
    parsers = {"qwen3": _Qwen3, "kimi_k2": _KimiK2}

    @staticmethod
    def create_tool_parser(tool_parser: str) -> _Qwen3:
        try:
            return ToolParserFactory.parsers[tool_parser.lower()]()
        except KeyError as error:
            raise ValueError(
                f"Invalid tool_parser: {tool_parser}\nSupported parsers: {list(ToolParserFactory.parsers)}"
            ) from error
