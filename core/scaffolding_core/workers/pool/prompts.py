"""What a pool reads in a task before it is sent: the beginnings of its prompt, and about how long it is."""

from __future__ import annotations

from scaffolding_core.tasks import Task

__all__ = ["beginnings", "estimated_tokens"]

_FIRST = 512
"""Characters of the shortest beginning that is worth a replica of its own; some 128 tokens."""

_CHARACTERS_PER_TOKEN = 4
_ANSWER = 512
"""Tokens of an answer for which nobody sets a limit."""


def beginnings(task: Task) -> list[int]:
    """Keys of a prompt's beginnings, longest first: the whole, and each of 512 characters times a power of 2."""
    text = _prompt(task)
    if not text:
        return []
    lengths = []
    length = _FIRST
    while length < len(text):
        lengths.append(length)
        length *= 2
    return [hash(text), *(hash(text[:length]) for length in reversed(lengths))]


def estimated_tokens(task: Task) -> int:
    """About how many tokens a task takes, its prompt and its answer."""
    most = getattr(task, "max_tokens", None)
    return len(_prompt(task)) // _CHARACTERS_PER_TOKEN + (most if isinstance(most, int) else _ANSWER)


def _prompt(task: Task) -> str:
    messages, begun = getattr(task, "messages", None), getattr(task, "answer_prefix", None) or ""
    if messages:
        return "\n".join(f"{message.role}: {message.content}" for message in messages) + f"\n{begun}"
    text = getattr(task, "input_str", None)
    if isinstance(text, str):
        return text + begun
    tokens = getattr(task, "input_tokens", None)
    return " ".join(map(str, tokens)) if tokens else ""
