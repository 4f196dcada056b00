"""What a model thought before it spoke, where a server leaves it in the text."""

from __future__ import annotations

import re

from scaffolding_core.answers.pattern import pattern

__all__ = ["behind_thoughts", "without_thoughts"]

_NAMES = r"(?:antml:|seed:)?(?:think(?:ing)?|thoughts?|reasoning|scratchpad|analysis)"
_MARKS = (
    rf"<{_NAMES}>|\[think(?:ing)?\]|◁{_NAMES}▷|<\|{_NAMES}\|>|"
    r"<\|(?:start|begin)_(?:of_)?th(?:ink(?:ing)?|ought)\|>"
)
# In the midst of a line they are spoken of.
_OPENING = pattern(
    rf"(?:\A|\n|>|\|)[ \t]*(?:{_MARKS}|<\|channel\|?>\s?(?:analysis|commentary|thought)|<unused94>)", re.IGNORECASE
)
_CLOSING = pattern(
    rf"(?<!`)(?:</{_NAMES}>|\[/think(?:ing)?\]|◁/{_NAMES}▷|<\|/{_NAMES}\|>|<\|end_(?:of_)?th(?:ink(?:ing)?|ought)\|>"
    r"|<\|channel\|>\s?final\s?<\|message\|>|<channel\|>|<unused95>)|(?=<answer>)",
    re.IGNORECASE,
)
_TOKENS = pattern(
    r"<\|[a-z_0-9]{2,30}\|>|</?s>|<(?:end|start)_of_turn>(?:model)?|<(?:eos|bos|pad)>", re.IGNORECASE
)
# The channels of gpt-oss, where a server drops their marks and keeps their names.
_FINAL_CHANNEL = pattern(
    r"\s*(?:analysis\S.*?assistantfinal|here(?:'s| is) my thought process:.*?here(?:'s| is) my response:)",
    re.DOTALL | re.IGNORECASE,
)
_HEAD, _TAIL = 4_096, 100_000


def without_thoughts(text: str) -> str | None:
    """What is said behind the last thought, without the model's own tokens.

    Args:
        text: see `behind_thoughts`.
    """
    said = behind_thoughts(text)
    return _TOKENS.sub("", said) if said is not None and "<" in said else said


def behind_thoughts(text: str) -> str | None:
    """What is said behind the last thought; None where a thought is not closed, so that nothing was said.

    Of a text of more than 100,000 characters, thoughts are looked for where they begin, in the first 4,096, and
    where they end, in the last 100,000.
    """
    if len(text) <= _TAIL:
        return _spoken(text)
    end = _spoken(text[-_TAIL:])
    if end is None or len(end) < _TAIL:
        return end
    return None if _OPENING.search(text, 0, _HEAD) else text


def _spoken(text: str) -> str | None:
    if "<" not in text and "[" not in text and "◁" not in text:
        flat = _FINAL_CHANNEL.match(text) if text.lstrip()[:4].lower() in ("anal", "here") else None
        return text[flat.end() :] if flat else text
    closed = 0
    for found in _CLOSING.finditer(text):
        closed = found.end()
    if _OPENING.search(text, closed):
        return None
    return text[closed:]
