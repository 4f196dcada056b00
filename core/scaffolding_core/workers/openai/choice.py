"""Choice: one answer as it grows, and the events that it grows by."""

from __future__ import annotations

import codecs
import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from scaffolding_core.errors import IncompleteResponseError
from scaffolding_core.messages import AssistantMessage, TokenLogprob
from scaffolding_core.tasks import Delta, GenerationTask, Scope
from scaffolding_core.workers.openai.prompt_logprobs import (
    PROMPT_LOGPROBS,
    ScoredPrompt,
    read_prompt_logprobs,
    without_prompt,
)
from scaffolding_core.workers.openai.tool_call_pieces import ToolCallPieces
from scaffolding_core.workers.openai.wire_numbers import Scored, read_logprobs

__all__ = ["Choice", "read_chunk"]

# Any: JSON from outside; each field is checked where it is read.
Json: TypeAlias = dict[str, Any]

_decode = json.JSONDecoder().decode  # sooner than json.loads, which first finds out how the bytes are encoded

_STOP_REASONS = ("stop_reason", "matched_stop")
"""Where servers tell at which stop a text ended; None, or a token, where it ended by itself."""

_COMPLETE = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call", "eos", "stop_sequence"})


class Choice:
    """One answer as it grows.

    Args:
        scope: hears of each piece.

    Attributes:
        finish_reason: None until the server says it.
        complete: the server said why it ended, and that it is whole.
        begun: the server has sent something of it.
        mixed: what came was of several answers.
        pieces: how many pieces came, about one a token.
    """

    def __init__(self, scope: Scope | None) -> None:
        self.finish_reason: str | None = None
        self.complete = False
        self.begun = False
        self.mixed = False
        self.pieces = 0
        self._scope = scope
        self._told = 0  # pieces
        self._id: object = None  # of the answer that it belongs to
        self._event: Json | None = None  # the last that wrote
        self._openings = 0  # pieces with a role and no text
        self._unmarked = False  # whether there is text without a role
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._logprobs: list[Scored] = []
        self._prompt: ScoredPrompt = []
        self._token_ids: list[int] = []
        self._calls: ToolCallPieces | None = None
        self._stop_reason: object = None
        self._stop_told = False

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    def add(self, choice: Json, event: Json, *, missing: bool) -> None:
        """Take one piece, or a whole answer from a server that does not stream.

        Args:
            choice: the piece.
            event: what it came with; has the id of the answer that it belongs to, if it has one.
            missing: others that were asked for have not begun: they may come under this one's index.

        Raises:
            ValueError: it is of another answer.
            TypeError, AttributeError, LookupError: it has another shape.
        """
        self.begun = True
        part = choice.get("delta") or choice.get("message") or choice
        text = part.get("content") if part is not choice else part.get("text")
        text = _text(text) if text else ""
        reasoning = part.get("reasoning_content") or part.get("reasoning")
        reasoning = _text(reasoning) if reasoning else ""
        calls = part.get("tool_calls")
        wrote = bool(text or reasoning or calls)
        finish_reason = choice.get("finish_reason")
        if missing:
            self._look_for_another(part.get("role"), wrote, finish_reason)
        if self.finish_reason is not None:
            if wrote:
                self._refuse("it goes on after its end")
            return
        if wrote:
            if event is self._event:
                self._refuse("two of them are written at once")
            self._event = event
        answer = event.get("id")
        if answer != self._id:
            if self._id:
                self._refuse("it is of another answer")
            self._id = answer
        if text or reasoning:
            self._text.append(text)
            self._reasoning.append(reasoning)
            self.pieces += 1
            if self._scope is not None and self._scope.listening:
                self._scope.emit(Delta(text, reasoning))
        if calls:
            self._calls = self._calls or ToolCallPieces()
            self._calls.add(calls)
            self.pieces += len(calls)
        if choice.get("logprobs"):
            self._logprobs += read_logprobs(choice["logprobs"])
        if choice.get(PROMPT_LOGPROBS):
            self.add_prompt(choice[PROMPT_LOGPROBS])
        ids = choice.get("token_ids")
        if ids:
            self._token_ids += ids
            self.pieces += 0 if wrote else len(ids)
        for name in _STOP_REASONS:
            if choice.get(name) is not None:
                self._stop_reason = choice[name]
        if finish_reason:
            self._stop_told = any(name in choice for name in _STOP_REASONS)
            self._look_for_stopping_word(event)
            self.finish_reason = str(finish_reason)
            self.complete = self.finish_reason in _COMPLETE

    def _look_for_stopping_word(self, event: Json) -> None:
        """As llama.cpp tells it, beside the one choice that ends."""
        beside = event.get("__verbose")
        if isinstance(beside, dict) and "stop_type" in beside and len(event.get("choices", ())) == 1:
            self._stop_told = True
            self._stop_reason = beside.get("stopping_word") if beside["stop_type"] == "word" else None

    def tell(self) -> None:
        """Tell how much is written, which may end it; one that is whole is not to be stopped."""
        if self._scope is not None and self.pieces > self._told and not self.complete:
            self._told = self.pieces
            self._scope.wrote(self.pieces)

    def _look_for_another(self, role: object, wrote: bool, finish_reason: object) -> None:
        """Two that end, or two that open with a role where the text has none, are two choices under one index."""
        if finish_reason and self.finish_reason is not None:
            self._refuse("two of them end")
        if wrote:
            self._unmarked = self._unmarked or not role
        elif role and not finish_reason:
            self._openings += 1
        if self._openings > 1 and self._unmarked:
            self._refuse("two of them begin")

    def _refuse(self, why: str) -> None:
        self.complete, self.mixed = False, True
        raise ValueError(f"a choice is mixed with another: {why}")

    def add_prompt(self, logprobs: Any) -> None:
        """Take the log probabilities of the prompt's tokens.

        Raises:
            TypeError, LookupError, AttributeError: they have another shape.
        """
        self._prompt = read_prompt_logprobs(logprobs)

    def fill(self, task: GenerationTask) -> None:
        """Hand what is there to the task."""
        prompt, scored = self._prompt, self._logprobs
        if scored and task.echo and task.text_prompt is not None:
            prompt, scored = without_prompt(scored, task.text_prompt)
        beyond = {PROMPT_LOGPROBS: prompt or None, "stop_reason": self._stop_reason}
        told = {name: value for name, value in beyond.items() if value is not None}
        if self._stop_told and task.stop:
            told["stop_reason"] = self._stop_reason
        if told:
            task.customized_result_fields = told
        logprobs = [own for _, own in scored if own is not None]
        task.said = AssistantMessage(
            self.text,
            "".join(self._reasoning) or None,
            self._calls.whole() if self._calls else None,
            finish_reason=self.finish_reason,
            logprobs=logprobs or None,
            output_tokens=self._token_ids or _ids(logprobs, len(scored)),
        )


def _ids(logprobs: Sequence[TokenLogprob], tokens: int) -> list[int] | None:
    """The ids of the tokens that have a log probability, if these are all tokens and all have ids."""
    ids = [own.token_id for own in logprobs if own.token_id is not None]
    return ids if ids and len(ids) == tokens else None


def read_chunk(data: bytes, choices: list[Choice]) -> Json:
    """Read one event into the choices; returns it, for its usage or its error.

    Raises:
        IncompleteResponseError: it is no JSON object of the right shape, or not what was due.
    """
    try:
        chunk: Json = _decode(data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogatepass"))
        listed = chunk.get("choices") or []
        counted = len(listed) > 1 and _are_indistinct(listed)
        for place, choice in enumerate(listed):
            index = place if counted else _checked(choice.get("index"))
            missing = len(choices) > 1 and not all(each.begun for each in choices)
            choices[index].add(choice, chunk, missing=missing)
            if chunk.get(PROMPT_LOGPROBS):  # as vLLM's chats have them, for all
                choices[index].add_prompt(chunk[PROMPT_LOGPROBS])
    except (ValueError, AttributeError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        raise IncompleteResponseError("the server sent what is no answer") from error
    return chunk


def _are_indistinct(listed: list[Json]) -> bool:
    """Whether whole choices all have the same index."""
    whole = all(choice.get("finish_reason") for choice in listed)
    return whole and len({choice.get("index") for choice in listed}) == 1


def _checked(index: object) -> int:
    if type(index) is int and index >= 0:  # and no bool
        return index
    if index is None:
        return 0
    raise ValueError(f"no index of a choice: {index!r}")


def _text(content: object) -> str:
    """A text, or one in parts, as some servers send it."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError(f"text was due, not {content!r}")
    return "".join(part["text"] for part in content if part["type"] == "text")
