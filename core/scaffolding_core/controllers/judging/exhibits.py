"""What a judge is shown: texts of others, each between marks that none of them can hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, Content, RoleMessage, UserMessage
from scaffolding_core.tasks import RewardTask

__all__ = ["Exhibit", "answer_text", "marked", "prompt_text", "shortened", "with_pictures"]


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A text that a judge is shown.

    Args:
        name: what it is, such as `answer`.
        text: of it.
    """

    name: str
    text: str


def marked(exhibits: Sequence[Exhibit]) -> str:
    """The texts, each between marks with a token made of it and of those before, so that none can tell its own.

    Judgements of several answers to one prompt begin alike up to the answer, which a backend need read once.
    """
    digest = hashlib.blake2b(digest_size=6)
    return "\n\n".join(_marked(each, digest) for each in exhibits)


def _marked(exhibit: Exhibit, digest: hashlib.blake2b) -> str:
    digest.update(f"{exhibit.name}\0{exhibit.text}\0".encode(errors="surrogatepass"))
    token = digest.hexdigest()
    return f"<{exhibit.name} {token}>\n{exhibit.text}\n</{exhibit.name} {token}>"


def prompt_text(task: RewardTask, *, thoughts: bool) -> str:
    """The prompt of an answer, a chat as who says what; empty where there is none.

    Raises:
        InvalidRequestError: it is there as token ids alone.
    """
    if task.messages is None:
        if task.input_str is None and task.input_tokens is not None:
            raise InvalidRequestError(
                "a judge reads text: give the prompt as text or messages, not token ids alone"
            )
        return task.input_str or ""
    if len(task.messages) == 1 and isinstance(task.messages[0], UserMessage):
        return _said(task.messages[0], thoughts=thoughts)
    return "\n\n".join(f"{each.role}:\n{_said(each, thoughts=thoughts)}" for each in task.messages)


def with_pictures(text: str, task: RewardTask) -> Content:
    """A text behind which follows what the user shows in a prompt beside texts, such as pictures, in its order."""
    said = [message.content for message in task.messages or () if isinstance(message, UserMessage)]
    parts = [part for content in said if not isinstance(content, str) for part in content]
    shown = [part for part in parts if part.get("type") not in ("text", None)]
    return [{"type": "text", "text": text}, *shown] if shown else text


def answer_text(answer: AssistantMessage | None, *, thoughts: bool) -> str:
    """An answer with its tool calls."""
    said = "" if answer is None else _said(answer, thoughts=thoughts)
    return said or "(nothing)"


def shortened(text: str, longest: int) -> str:
    """The text, cut in the middle where it has more characters than that."""
    left_out = len(text) - longest
    if left_out <= 0:
        return text
    head = (longest + 1) // 2
    return f"{text[:head]}\n[... {left_out} characters left out ...]\n{text[len(text) - longest + head :]}"


def _said(message: RoleMessage, *, thoughts: bool) -> str:
    return "\n".join(part for part in _parts(message, thoughts=thoughts) if part)


def _parts(message: RoleMessage, *, thoughts: bool) -> Iterator[str]:
    text = message.text
    if isinstance(message, AssistantMessage):
        if thoughts:
            yield message.reasoning or ""
        else:
            text = (without_thoughts(text) or "").strip()
    yield text
    if not isinstance(message.content, str | None):
        yield from (f"[{part.get('type')}]" for part in message.content if part.get("type") != "text")
    if isinstance(message, AssistantMessage):
        yield from (f"[calls {call.name} with {call.arguments}]" for call in message.tool_calls or ())
