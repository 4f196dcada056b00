"""What a vote compares unless it is told otherwise: `auto`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from scaffolding_core.answers.boxed import last_box
from scaffolding_core.answers.code import Block, Code, blocks_in, looks_like_code
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.json_reply import json_reply, value_of
from scaffolding_core.answers.number import quantities
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.phrase import calculates, said_in, settled_in
from scaffolding_core.answers.phrases import SEARCHED, closes, says_something, without_code
from scaffolding_core.answers.refusal import refuses
from scaffolding_core.answers.sentences import sentences
from scaffolding_core.answers.stated import statements
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.tool_calls import ToolCalls
from scaffolding_core.answers.value import bare, value_key
from scaffolding_core.answers.verdict import verdict
from scaffolding_core.messages import AssistantMessage

__all__ = ["default_extractor", "read_text"]

_EMPTY_MARK = pattern(
    r"\\f?box(?:ed)?\s*\{\s*\}|<(answer|result|solution)>\s*</\1>|(?:####|\banswer\s?(?:is|:))[\s*_.:$]*$",
    re.IGNORECASE,
)
_LIST_LINE = pattern(r"\s{0,12}(?:[-*+•]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+\S")
_PAIR_LINE = pattern(r"\s{0,12}[\w\"'][\w \"'-]{0,40}:\s*\S")
_BACK = 4
_REMEMBERED = 256


class _Default(Extractor):
    costly = False

    def extract(self, message: AssistantMessage) -> Answer | None:
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        if message.tool_calls:
            return _CALLS.read(message)
        text = message.text
        # A vote meets the same few short answers again and again.
        return _remembered(text) if len(text) <= _REMEMBERED else read_text(text)


def read_text(text: str) -> Reading:
    """The answer in a text, and how it was read; see `default_extractor`."""
    spoken = without_thoughts(text)
    said = "" if spoken is None else spoken.strip()
    if not said or not says_something(said):
        return Reading(None)
    if len(said) > SEARCHED and not _deliberate(said[-SEARCHED:]).how:
        return Reading(said, "whole")
    return next(reading for step in _STEPS if (reading := step(said)) is not None)


def _json(said: str) -> Reading | None:
    found = json_reply(said)
    if found is None:
        return None
    key, value = found
    answer = said_in(value, working=calculates(said)) if key and isinstance(value, str) else value
    how = f"json:{key}" if key else "json"
    return Reading(answer, how) if answer not in (None, "") else Reading(None)


def _deliberate(said: str) -> Reading:
    """The last explicit mark of an answer: a box, unless a statement follows it, or a statement."""
    blocks = blocks_in(said)
    prose = without_code(said, blocks) if blocks else said
    box = last_box(prose)
    found = list(statements(prose))
    if len({statement.part for statement in found if statement.part and statement.phrase}) > 1:
        parts = [bare(statement.phrase) for statement in reversed(found) if statement.part and statement.phrase]
        return Reading("; ".join(parts), "stated")
    for statement in found:
        if box is not None and statement.start < box.end:
            break
        after = next((block for block in blocks if not prose[statement.end : block.start].strip()), None)
        if after is not None and not statement.phrase and after.start >= statement.end:
            return _of_block(after, "stated")
        if statement.phrase and says_something(statement.phrase):
            answer = value_of(said_in(statement.phrase, working=calculates(prose)))
            following = any(block.start >= statement.end for block in blocks)
            if not following or not isinstance(answer, str) or value_key(answer) is not None:
                return Reading(answer, "stated")
    if box is not None and box.content and says_something(box.content):
        return Reading(box.content, "boxed")
    return Reading(None)


def _marked(said: str) -> Reading | None:
    found = _deliberate(said[-SEARCHED:])
    return found if found.how else None


def _refused(said: str) -> Reading | None:
    return Reading(None, REFUSAL) if refuses(said) else None


def _unfinished(said: str) -> Reading | None:
    """Nothing, where a mark of an answer has none behind it."""
    return Reading(None) if _EMPTY_MARK.search(said) else None


def _code(said: str) -> Reading | None:
    blocks = [block for block in blocks_in(said) if block.content.strip()]
    if blocks:
        return _of_block(blocks[0], "code") if len(blocks) == 1 else _of_blocks(blocks)
    if said[0] == said[-1] == "`" and looks_like_code(said.strip("`")):
        return Reading(Code(said.strip("`")), "code")
    return Reading(Code(said), "code") if looks_like_code(said) else None


def _of_block(block: Block, how: str) -> Reading:
    content = block.content.strip("\n")
    value = value_of(content.strip())
    if not isinstance(value, str):
        return Reading(value, "json")
    if how == "code" and value_key(content.strip()) is None:
        return Reading(Code(content), how)
    if (
        block.language in ("", "text", "txt", "plaintext", "markdown", "md", "math", "latex")
        and "\n" not in content
    ):
        said = content.strip()
        return Reading(Code(said) if looks_like_code(said) else said_in(said), how)
    return Reading(Code(content), how)


def _of_blocks(blocks: list[Block]) -> Reading:
    return Reading(Code("\n\n".join(block.content.strip("\n") for block in blocks)), "code")


def _verdict(said: str) -> Reading | None:
    found = verdict(said)
    return Reading(found, "yes or no") if found else None


def _listed(said: str) -> Reading | None:
    """The whole text, where it is a list or a record: its last line is no more the answer than the others."""
    lines = [line for line in said.splitlines() if line.strip()]
    body = lines[1:] if lines[0].rstrip().endswith(":") else lines
    if len(body) < 2 or calculates(said):
        return None
    if all(line.lstrip().startswith("|") for line in lines):
        return Reading(said, "whole")
    if all(map(_LIST_LINE.match, body)):
        return Reading("\n".join(line.strip() for line in body), "list")
    return Reading(said, "whole") if all(map(_PAIR_LINE.match, body)) else None


def _concluded(said: str) -> Reading | None:
    """What the last sentence comes down to; of a text that works something out, the last that comes down to it."""
    kept = [each for each in sentences(said[-SEARCHED:]) if says_something(each) and not closes(each)]
    if not kept:
        return None
    working = calculates(said) or _weighs_numbers(kept)
    if len(kept) == 1 or working or _concludes(kept):
        for sentence in reversed(kept[-_BACK:] if working else kept[-1:]):
            before = said[: said.rfind(sentence)] if working else None
            found = settled_in(sentence, working=before)
            if found is not None:
                return Reading(found, "last sentence")
            if any(sign.isdecimal() for sign in sentence):
                return None  # it says more than one thing
    return None


def _weighs_numbers(kept: list[str]) -> bool:
    """Whether the last sentence draws a conclusion from several numbers."""
    return bool(_CONCLUDING.match(kept[-1])) and len(quantities("\n".join(kept[:-1])[-1_000:])) > 1


def _concludes(kept: list[str]) -> bool:
    """Whether the last sentence draws a conclusion, or stands alone as one."""
    return bool(_CONCLUDING.match(kept[-1])) or value_key(bare(kept[-1])) is not None


def _whole(said: str) -> Reading:
    return Reading(said, "whole")


_CONCLUDING = pattern(
    r"[\s*_]*(?:so|therefore|thus|hence|finally|consequently|in conclusion|in total|altogether|overall|"
    r"as a result|it (?:is|was)|"
    r"that (?:is|makes|leaves)|i (?:would )?"
    r"(?:choose|pick|select)|the (?:final|correct|total)|因此|所以|故|∴)",
    re.IGNORECASE,
)
_STEPS: tuple[Callable[[str], Reading | None], ...] = (
    _json, _marked, _unfinished, _refused, _code, _verdict, _listed, _concluded, _whole,
)  # fmt: skip
_CALLS = ToolCalls()
_remembered = functools.lru_cache(maxsize=4096)(read_text)
_DEFAULT = _Default()


def default_extractor() -> Extractor:
    r"""What a vote compares unless it is told otherwise: the most deliberate statement of an answer there is.

    Only what is known to be the answer is taken out of a text; when unsure, the whole text is the answer. Thoughts
    are left out, and where they are not closed nothing was said. In this order:

    - for a message that calls tools, the calls; one with an invalid call abstains;
    - JSON, bare or in a fence, by its answer's key (`answer`, `final_answer`, `result`, `choice`, ...), else as a
      value;
    - the last `\boxed{}`, or what follows the last "the answer is" or `####`, in any of twenty languages,
      whichever comes last, reduced to its quantity, letter, yes or no, day, list or formula where it has one;
    - nothing for a refusal, or for marks with nothing in them;
    - code between fences, or code that is all there is;
    - the yes or no, true or false that the text begins with;
    - what the last sentence comes down to, where it says what something is, or the text works something out;
    - the whole text.

    Of a longer text, the last 20,000 characters are searched.
    """
    return _DEFAULT
