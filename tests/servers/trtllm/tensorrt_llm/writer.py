"""What the stand-in's model writes: given answers in turn, what a guide asks for, or words of the prompt."""

import json
import random
import re
from re import _constants as parts
from typing import Any

from tensorrt_llm.sampling_params import SamplingParams


class Writer:
    """Writes an answer for each sequence.

    Args:
        answers: taken in turn, over all requests; none leaves it to the prompt.
    """

    def __init__(self, answers: list[str]) -> None:
        self.answers = answers
        self._turn = 0

    def write(self, prompt: str, params: SamplingParams, index: int) -> str:
        guide = params.guided_decoding
        if guide is not None:
            return guided(guide)
        if self.answers:
            self._turn += 1
            return self.answers[(self._turn - 1) % len(self.answers)]
        seed = 0 if params.greedy else (params.seed or 0) + index
        words = re.findall(r"\w+", prompt) or ["nothing"]
        return " " + " ".join(random.Random(f"{prompt}{seed}").choices(words, k=24)) + "."


def guided(guide: Any) -> str:
    if guide.regex:
        return matching(re._parser.parse(guide.regex))
    schema = json.loads(guide.json) if isinstance(guide.json, str) else guide.json
    return json.dumps(instance(schema if schema is not None else {"type": "object"}))


def instance(schema: dict[str, Any]) -> Any:
    """The smallest value that a schema takes."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: instance(part) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [instance(schema["items"])] * schema.get("minItems", 1)
        case "integer":
            return 7
        case "number":
            return 7.5
        case "boolean":
            return True
    return "seven"


def matching(parsed: Any) -> str:
    """A short text that a regular expression takes whole."""
    text = ""
    for kind, value in parsed:
        if kind is parts.LITERAL:
            text += chr(value)
        elif kind is parts.IN:
            text += _member(value)
        elif kind in (parts.MAX_REPEAT, parts.MIN_REPEAT):
            text += matching(value[2]) * max(value[0], min(1, value[1]))
        elif kind is parts.SUBPATTERN:
            text += matching(value[-1])
        elif kind is parts.BRANCH:
            text += matching(value[1][0])
        elif kind is parts.ANY:
            text += "x"
    return text


def _member(members: Any) -> str:
    kind, value = members[0]
    if kind is parts.RANGE:
        return chr(value[0])
    if kind is parts.CATEGORY:
        return {parts.CATEGORY_DIGIT: "7", parts.CATEGORY_SPACE: " "}.get(value, "w")
    return chr(value)
