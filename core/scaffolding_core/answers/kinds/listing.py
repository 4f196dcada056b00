"""Lists: several answers in one."""

from __future__ import annotations

import re
from collections.abc import Hashable

from scaffolding_core.answers.code import blocks_in
from scaffolding_core.answers.equivalence import KeyEquivalence
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.json_reply import json_reply
from scaffolding_core.answers.normalised import Normalised
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.phrases import SEARCHED, phrases
from scaffolding_core.answers.refusal import refuses
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.value import bare, items_of
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage

__all__ = ["ListItems", "SameItems"]

_ITEM = pattern(r"[ \t]{0,12}(?:[-*+•]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])[ \t]+(\S.*)")
_BRACKETS = pattern(r"\\?[\[({](.*?)\\?[\])}]", re.DOTALL)
_INTRODUCED = pattern(r".*?(?:\b(?:are|is|were|was|include)\b|:)\s*(?=\S)", re.DOTALL)


class ListItems(Extractor):
    """The items of a list: of an array in JSON, of the last lines with bullets or numbers, or between commas."""

    costly = False

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The items; None if nothing was said, or for a refusal."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The items, read as `json`, `list`, or as the phrase that holds them is marked."""
        said = (without_thoughts(message.text) or "").strip()
        reply = json_reply(said) if said else None
        if reply is not None and isinstance(reply[1], list):
            return Reading(reply[1], f"json:{reply[0]}" if reply[0] else "json")
        lines = _last_list(said)
        if lines:
            return Reading(lines, "list")
        for phrase, how in phrases(said):
            if how == "last sentence" and refuses(said):
                return Reading(None, REFUSAL)
            if isinstance(phrase, str) and (items := _items(phrase, how)):
                return Reading(items, how)
        return Reading(None)


class SameItems(KeyEquivalence):
    """Lists are the same if their items are, one by one, as `Normalised` has them.

    Args:
        unordered: in any order.

    Raises:
        InvalidRequestError: `unordered` is neither True nor False.
    """

    costly = False

    def __init__(self, *, unordered: bool = False) -> None:
        if not isinstance(unordered, bool):
            raise InvalidRequestError(f"unordered must be True or False, got {unordered!r}")
        self.unordered = unordered
        self._items = Normalised()

    def key(self, answer: Answer) -> Hashable:
        """The keys of the items."""
        if not isinstance(answer, list):
            return self._items.key(answer)
        keys = [self._items.key(item) for item in answer]
        return tuple(sorted(keys, key=repr)) if self.unordered else tuple(keys)


def _last_list(said: str) -> list[str]:
    """The items of the last lines, two at least, that all are marked as items."""
    blocks = blocks_in(said[-SEARCHED:])
    lines = [line for line in (blocks[-1].content if blocks else said[-SEARCHED:]).splitlines() if line.strip()]
    items: list[str] = []
    for line in reversed(lines):
        found = _ITEM.fullmatch(line)
        if found is None:
            if items:
                break
            continue
        items.append(bare(found[1]))
    return items[::-1] if len(items) > 1 else []


def _items(phrase: str, how: str) -> list[str]:
    if how == "last sentence" and (introduced := _INTRODUCED.match(phrase)):
        phrase = phrase[introduced.end() :]
    said = bare(phrase)
    if inside := _BRACKETS.fullmatch(said):
        said = inside[1]
    return [bare(item) for item in items_of(said) if item.strip()]
