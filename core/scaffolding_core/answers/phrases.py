"""Phrases: the places in a text where its answer may stand, the most deliberate first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from scaffolding_core.answers.boxed import last_box
from scaffolding_core.answers.code import Block, blocks_in
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.json_reply import json_reply
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.refusal import refuses
from scaffolding_core.answers.sentences import sentences
from scaffolding_core.answers.stated import statements
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.messages import AssistantMessage, JsonValue

__all__ = ["SEARCHED", "InPhrases", "closes", "phrases", "says_something", "without_code"]

SEARCHED = 20_000
"""Characters at the end of a text that an answer is looked for in."""

_SOMETHING = pattern(r"[^\W_]|[^\x00-\x7f‐-⁞\s、-〟]")
_CLOSING = pattern(
    r"[(*_\s]*(?:let me know|i hope|hope (?:this|that)|feel free|please (?:let|note|feel)|is there anything|"
    r"if you (?:have|need|want|would)|would you like|do you (?:want|need)|confidence\b|"
    r"\(?see (?:also )?(?:eq|equation|fig|figure|table|section|step)|note(?: that)?:|this (?:was|"
    r"is) problem|thank you|"
    r"good luck|happy to help|q\.?e\.?d|end of|done\b|check(?:ing)?\b|verif(?:y|ying|ication)\b)",
    re.IGNORECASE,
)
_LOOKED_AT = 8
_LONGEST = 1_000


def says_something(text: str) -> bool:
    """Whether a text has more than punctuation and marks."""
    return bool(_SOMETHING.search(text[:SEARCHED]))


def closes(sentence: str) -> bool:
    """Whether a sentence takes leave, or speaks of the answer, rather than answering."""
    return bool(_CLOSING.match(sentence))


def without_code(text: str, blocks: list[Block]) -> str:
    """The text with blanks in place of code, where nothing is looked for; places stay what they were."""
    parts: list[str] = []
    start = 0
    for block in blocks:
        parts += [text[start : block.start], re.sub(r"[^\n]", " ", text[block.start : block.end])]
        start = block.end
    return "".join([*parts, text[start:]])


def phrases(said: str) -> Iterator[tuple[JsonValue, str]]:
    """What may be the answer, and how it would be read: marked as the answer, or a sentence, from the last on.

    Args:
        said: a text without thoughts.
    """
    if reply := json_reply(said):
        key, value = reply
        short = value[-_LONGEST:] if isinstance(value, str) else value
        yield short, f"json:{key}" if key else "json"
    said = said[-SEARCHED:]
    prose = without_code(said, blocks_in(said))
    box = last_box(prose)
    marked = [(statement.start, statement.phrase, "stated") for statement in statements(prose)]
    if box is not None:
        marked = [mark for mark in marked if mark[0] > box.end] + [(box.start, box.content, "boxed")]
    for _, phrase, how in marked:
        if says_something(phrase):
            yield phrase[:_LONGEST], how
    for sentence in reversed(sentences(prose)[-_LOOKED_AT:]):
        if says_something(sentence) and not closes(sentence):
            yield sentence[-_LONGEST:], "last sentence"


class InPhrases(Extractor):
    """What a function finds in the first phrase in which it finds anything.

    Args:
        find: takes a phrase and how it was marked; gives the answer, or None for none.
    """

    costly = False

    def __init__(self, find: Callable[[JsonValue, str], Answer | None]) -> None:
        self._find = find

    def extract(self, message: AssistantMessage) -> Answer | None:
        """What was found."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """What was found, and how its phrase was marked."""
        said = without_thoughts(message.text)
        if not said:
            return Reading(None)
        for phrase, how in phrases(said):
            if how == "last sentence" and refuses(said):
                break
            found = self._find(phrase, how)
            if found is not None:
                return Reading(found, how)
        return Reading(None, REFUSAL if refuses(said) else "")
