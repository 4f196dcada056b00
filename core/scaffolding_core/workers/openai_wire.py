"""OpenAI's wire format: a task as a request body, and an answer's pieces as a task's results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from scaffolding_core.errors import IncompleteResponseError, InvalidRequestError, UnsupportedParameterError
from scaffolding_core.messages import AssistantMessage, TokenLogprob, ToolCall, Usage
from scaffolding_core.tasks import ChatTask, Delta, GenerationTask, Scope

__all__ = ["Choice", "read_chunk", "read_usage", "request_body", "route"]

# Any: JSON from outside; each field is checked where it is read.
Json: TypeAlias = dict[str, Any]

_BOTH = frozenset(
    {
        "max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "stop", "seed", "user",
        "logit_bias",
    }
)  # fmt: skip
_CHAT = frozenset({"response_format", "tool_choice", "parallel_tool_calls", "reasoning_effort"})
_COMPLETION = frozenset({"echo", "suffix"})
_COMPLETE = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call", "eos", "stop_sequence"})


def route(task: GenerationTask) -> str:
    """The route that answers a task."""
    return "/chat/completions" if isinstance(task, ChatTask) else "/completions"


def request_body(task: GenerationTask, accepts: Mapping[str, str], worker: str) -> Json:
    """The body of a task's request, without the model.

    Args:
        task: what to ask.
        accepts: parameters beyond OpenAI's that the server takes, and their names on the wire.
        worker: name of the worker, for errors.

    Raises:
        UnsupportedParameterError: a parameter is set that would not be honoured.
        InvalidRequestError: no prompt.
    """
    chat = isinstance(task, ChatTask)
    body: Json = {"stream": True, "stream_options": {"include_usage": True}}
    for name, value in task.sampling().items():
        if name in _BOTH or name in (_CHAT if chat else _COMPLETION):
            body[name] = value
        elif name == "num_logprobs":
            body |= {"logprobs": True, "top_logprobs": value} if chat else {"logprobs": value}
        elif name == "extra_body":
            body.update(cast("Json", value))
        elif name in accepts:
            body[accepts[name]] = value
        elif name != "n" or value != 1:
            raise UnsupportedParameterError(_unsupported(name, worker, chat))
    return body | (_chat_prompt(task) if isinstance(task, ChatTask) else _prompt(task))


def _unsupported(name: str, worker: str, chat: bool) -> str:
    if name in ("n", "best_of"):
        return f"{worker} does not take {name!r}: sample with MajorityVoteController or BestOfNController instead"
    if name in (_COMPLETION if chat else _CHAT):
        other = "a text prompt" if chat else "a chat"
        return f"{worker} takes {name!r} only with {other}: leave it out here"
    return (
        f"{worker} does not know that its server takes {name!r}: if it does, say so with "
        f"accepts={{'{name}'}}, or send it with extra_body"
    )


def _chat_prompt(task: ChatTask) -> Json:
    if not task.messages:
        raise InvalidRequestError("a chat task needs at least one message")
    prompt: Json = {"messages": [message.to_dict() for message in task.messages]}
    if task.tools:
        prompt["tools"] = task.tools_to_dict()
    return prompt


def _prompt(task: GenerationTask) -> Json:
    prompt = task.input_str if task.input_str is not None else task.input_tokens
    if prompt is None:
        raise InvalidRequestError("a generation task needs input_str or input_tokens")
    return {"prompt": prompt if isinstance(prompt, str) else list(prompt)}


class Choice:
    """One answer as it grows.

    Args:
        scope: hears of each piece.

    Attributes:
        finish_reason: None until the server says it.
        complete: the server said why it ended, and that it is whole.
        begun: the server has sent something of it.
        pieces: how many pieces came, about one a token.
        cut: nobody wants it any more.
    """

    def __init__(self, scope: Scope | None) -> None:
        self.finish_reason: str | None = None
        self.complete = False
        self.begun = False
        self.pieces = 0
        self.cut = False
        self._scope = scope
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._token_ids: list[int] = []
        self._calls: dict[int, list[str]] = {}

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    def add(self, choice: Json) -> None:
        """Take one piece, or a whole answer from a server that does not stream."""
        self.begun = True
        part = choice.get("delta") or choice.get("message") or choice
        text = part.get("content") if part is not choice else part.get("text")
        text = _text(text) if text else ""
        reasoning = part.get("reasoning_content") or part.get("reasoning")
        reasoning = _text(reasoning) if reasoning else ""
        if text or reasoning:
            self._text.append(text)
            self._reasoning.append(reasoning)
            self.pieces += 1
            if self._scope is not None and self._scope.listening:
                self._scope.emit(Delta(text, reasoning))
        for call in part.get("tool_calls") or ():
            self._add_call(call)
        if choice.get("logprobs"):
            self._logprobs += _logprobs(choice["logprobs"])
        self._token_ids += choice.get("token_ids") or ()
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])
            self.complete = self.finish_reason in _COMPLETE
        elif self._scope is not None:  # one that is whole is not to be stopped
            self._scope.wrote(self.pieces)

    def fill(self, task: GenerationTask) -> None:
        """Hand what is there to the task."""
        task.said = AssistantMessage(
            self.text,
            "".join(self._reasoning) or None,
            [ToolCall(*call) for _, call in sorted(self._calls.items())] or None,
            finish_reason=self.finish_reason,
            logprobs=self._logprobs or None,
            output_tokens=self._token_ids or None,
        )

    def _add_call(self, piece: Json) -> None:
        call = self._calls.setdefault(int(piece.get("index") or 0), ["", "", ""])
        function = piece.get("function") or {}
        call[0] = piece.get("id") or call[0]
        call[1] = function.get("name") or call[1]
        call[2] += function.get("arguments") or ""
        self.pieces += 1


def read_chunk(data: bytes, choices: list[Choice]) -> Json:
    """Read one event into the choices; returns it, for its usage or its error.

    Raises:
        IncompleteResponseError: it is no JSON object of the right shape.
    """
    try:
        chunk: Json = json.loads(data)
        for choice in chunk.get("choices") or ():
            choices[int(choice.get("index") or 0)].add(choice)
    except (ValueError, AttributeError, TypeError, IndexError, KeyError) as error:
        shown = data[:80].decode("utf-8", "replace")
        raise IncompleteResponseError(f"the server sent what is no answer: {shown!r}") from error
    return chunk


def read_usage(usage: Json) -> Usage | None:
    """The server's count of one request; None if it is none: the answer is good without."""
    try:
        prompt = usage.get("prompt_tokens_details") or {}
        completion = usage.get("completion_tokens_details") or {}
        return Usage(
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            completion_tokens=int(usage.get("completion_tokens") or 0),
            cached_tokens=int(prompt.get("cached_tokens") or 0),
            reasoning_tokens=int(completion.get("reasoning_tokens") or 0),
        )
    except (AttributeError, TypeError, ValueError):
        return None


def _text(content: object) -> str:
    """A text, or one in parts, as some servers send it."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError(f"text was due, not {content!r}")
    return "".join(part["text"] for part in content if part["type"] == "text")


def _logprobs(given: Json) -> list[TokenLogprob]:
    if isinstance(given.get("content"), list):  # as chats have them
        return [
            TokenLogprob(
                str(entry.get("token", "")),
                float(entry["logprob"]),
                tuple((str(top["token"]), float(top["logprob"])) for top in entry.get("top_logprobs") or ()),
            )
            for entry in given["content"]
        ]
    tokens, logprobs = given.get("tokens") or (), given.get("token_logprobs") or ()
    tops = given.get("top_logprobs") or [{}] * len(tokens)
    return [
        TokenLogprob(str(token), float(logprob), tuple((top or {}).items()))
        for token, logprob, top in zip(tokens, logprobs, tops, strict=False)
        if logprob is not None
    ]
