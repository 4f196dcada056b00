"""Choice: one answer as it grows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from scaffolding_core.errors import BackendTimeoutError, IncompleteResponseError, WorkerError
from scaffolding_core.messages import AssistantMessage, TokenLogprob
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.trtllm.llm_api import Output, Tokenizer
from scaffolding_core.workers.trtllm.logprobs import token_logprobs
from scaffolding_core.workers.trtllm.parsers import LiveReasoning, Parsers

__all__ = ["ENDED", "Choice", "Reading"]

ENDED = frozenset({"stop", "length"})
"""The finish reasons of answers that are whole."""

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"
"""What a character is decoded to whose bytes have not all come."""


class Reading:
    """How the answers of a worker's LLM are read.

    Args:
        tokenizer: of the model; None where there is none.
        decodes: the engine gives no text, since it has no tokenizer itself.
        parsers: of thoughts and tool calls.
    """

    def __init__(self, tokenizer: Tokenizer | None, parsers: Parsers, *, decodes: bool) -> None:
        self.parsers = parsers
        self._tokenizer = tokenizer
        self._decodes = decodes
        self.text_of: Callable[[int], str] = functools.lru_cache(1 << 16)(self._text_of)

    def text(self, output: Output) -> str:
        """The text of an answer so far."""
        if self._decodes and self._tokenizer is not None:
            return self._tokenizer.decode(output.token_ids, skip_special_tokens=True)
        return output.text

    def _text_of(self, token: int) -> str:
        return str(token) if self._tokenizer is None else self._tokenizer.decode([token])


class Choice:
    """One answer as it grows.

    Args:
        task: it is for.
        reading: how it is read.

    Attributes:
        tokens: how many it has.
    """

    def __init__(self, task: GenerationTask, reading: Reading) -> None:
        self.tokens = 0
        self._task = task
        self._reading = reading
        self._output: Output | None = None
        self._logprobs: list[TokenLogprob] = []
        self._shown = ""
        self._told = 0  # tokens
        self._live: LiveReasoning | None = None
        self._stops = _texts(task.stop)

    def take(self, output: Output) -> None:
        """Take what there is of it now."""
        self._output = output
        self.tokens = len(output.token_ids or ())
        wanted = self._task.num_logprobs
        if wanted is None or not output.logprobs:
            return
        known = len(self._logprobs)
        self._logprobs += token_logprobs(
            output.token_ids[known:], output.logprobs[known:], wanted, self._reading.text_of
        )
        del self._logprobs[self.tokens :]  # the last may have been a stop, which is taken back

    def tell(self, *, last: bool) -> None:
        """Tell whoever listens what is new, and how much is written."""
        scope = self._task.scope
        if scope is None or self._output is None:
            return
        if scope.listening:
            text = self._reading.text(self._output)
            settled = text if last else text[: len(text) - _open_end(text, self._stops)]
            if settled.startswith(self._shown):
                news, self._shown = settled[len(self._shown) :], settled
                delta = self._reasoning().delta(news, last=last)
                if self._reading.parsers.may_call(self._task):  # what may be a call is no text, until it is read
                    delta = replace(delta, text=(self._task.output_str or "") if last else "")
                if delta.text or delta.reasoning:
                    scope.emit(replace(delta, token_ids=self._output.token_ids[self._told :]))
                    self._told = self.tokens
        if not last:
            scope.wrote(self.tokens)

    def fill(self, finish_reason: str | None) -> None:
        """Hand what is there to the task."""
        task, output = self._task, self._output
        if output is None:
            task.said = AssistantMessage("", finish_reason=finish_reason)
            return
        text, reasoning, calls = self._reading.parsers.told_apart(self._reading.text(output), task)
        task.said = AssistantMessage(
            None if task.skip_detokenizer else text,
            reasoning,
            calls,
            finish_reason="tool_calls" if calls and finish_reason == "stop" else finish_reason,
            logprobs=list(self._logprobs) or None,
            output_tokens=list(output.token_ids),
        )
        fields = _further(output, stops=bool(self._stops) and finish_reason == "stop")
        if fields:
            task.customized_result_fields = {**(task.customized_result_fields or {}), **fields}

    def finish_reason(self, most: int | None, *, untold_is_whole: bool) -> str:
        """Why an answer that is over has ended.

        Args:
            most: tokens that it might have.
            untold_is_whole: of several answers, all of which are whole, the engine may tell it of the last alone.

        Raises:
            WorkerError: it is not whole.
        """
        told = None if self._output is None else self._output.finish_reason
        if told is None and self._output is not None and untold_is_whole:
            return "length" if most is not None and self.tokens >= most else "stop"
        if told is not None and told in ENDED:
            return told
        raise _unfinished(told)

    def _reasoning(self) -> LiveReasoning:
        if self._live is None:
            self._live = self._reading.parsers.live(self._task)
        return self._live


def _unfinished(told: str | None) -> WorkerError:
    if told == "timeout":
        return BackendTimeoutError("TensorRT-LLM gave the answer up, its own time for it was over: ask for less")
    return IncompleteResponseError(f"TensorRT-LLM ended the answer with {told!r}: it is not whole")


def _further(output: Output, *, stops: bool) -> Mapping[str, object]:
    """What else is told of an answer; that it ended at no stop is told where there were some."""
    told = {name: getattr(output, name, None) for name in ("stop_reason", "generation_logits")}
    return {name: value for name, value in told.items() if value is not None or (stops and name == "stop_reason")}


def _texts(stop: str | Sequence[str] | None) -> list[str]:
    return [stop] if isinstance(stop, str) else list(stop or ())


def _open_end(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end may be taken back: of a stop that has begun, or of half a character."""
    if text.endswith(_UNFINISHED):
        return len(text) - len(text.rstrip(_UNFINISHED))
    return max((size for stop in stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0)
