"""OpenAI's wire format: a task as a request body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from scaffolding_core.errors import InvalidRequestError, UnsupportedParameterError
from scaffolding_core.messages import AssistantMessage, RoleMessage
from scaffolding_core.tasks import ChatTask, GenerationTask
from scaffolding_core.workers.openai.known_servers import KnownServer
from scaffolding_core.workers.openai.prompt_logprobs import PROMPT_LOGPROBS

__all__ = ["request_body", "route", "unstreamed"]

# Any: whatever JSON holds.
Json: TypeAlias = dict[str, Any]

_BOTH = frozenset(
    {
        "max_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "stop", "seed", "user",
        "logit_bias",
    }
)  # fmt: skip
_CHAT = frozenset({"response_format", "tool_choice", "parallel_tool_calls", "reasoning_effort"})
_COMPLETION = frozenset({"echo", "suffix"})
_OPPOSITES = frozenset({"detokenize"})
"""Names on the wire that say the opposite of the parameter."""


def route(task: GenerationTask) -> str:
    """The route that answers a task."""
    return "/chat/completions" if isinstance(task, ChatTask) else "/completions"


def request_body(
    task: GenerationTask, accepts: Mapping[str, str], worker: str, server: KnownServer | None = None
) -> Json:
    """The body of a task's request, without the model.

    Args:
        task: what to ask.
        accepts: parameters beyond OpenAI's that the caller says the server takes, and their names on the wire.
        worker: name of the worker, for errors.
        server: what kind of server it is, if that is known.

    Raises:
        UnsupportedParameterError: a parameter is set that would not be honoured.
        InvalidRequestError: no prompt.
    """
    chat = isinstance(task, ChatTask)
    takes = accepts if server is None else {**server.takes, **accepts}
    body: Json = {"stream": True, "stream_options": {"include_usage": True}}
    for name, value in task.sampling().items():
        if server is not None:
            _check_taken(name, server, worker, chat)
        if name in _BOTH or name in (_CHAT if chat else _COMPLETION):
            body[name] = value
        elif name == "num_logprobs":
            likeliest = value or (server.fewest_logprobs if server is not None else 0)
            body |= {"logprobs": True, "top_logprobs": likeliest} if chat else {"logprobs": likeliest}
        elif name == "extra_body":
            body.update(cast("Json", value))
        elif name in takes:
            body[takes[name]] = not value if takes[name] in _OPPOSITES else value
        elif name != "n" or value != 1:
            raise UnsupportedParameterError(_unsupported(name, worker, chat, server))
    if server is not None and task.stop:
        body = {**server.tells_stops, **body}
    if body.get(PROMPT_LOGPROBS) is not None:  # vLLM tells them only where it does not stream
        body = unstreamed(body)
    if not isinstance(task, ChatTask):
        return body | _prompt(task)
    continues = server.continues if server is not None and task.answer_prefix else None
    if continues is None:
        return body | _chat_prompt(task, task.turns)
    begun = AssistantMessage(task.answer_prefix)
    return body | _chat_prompt(task, [*task.messages, begun]) | _merged(body, continues)


def unstreamed(body: Json) -> Json:
    """The body of a request whose answer comes whole."""
    whole = dict(body)
    whole.pop("stream", None)
    whole.pop("stream_options", None)
    return whole


def _check_taken(name: str, server: KnownServer, worker: str, chat: bool) -> None:
    if name in server.ignores:
        raise UnsupportedParameterError(f"{server.name}, the server of {worker}, ignores {name!r}: leave it out")
    if name in (server.texts_only if chat else server.chats_only):
        raise UnsupportedParameterError(_elsewhere(name, server.name, chat))


def _unsupported(name: str, worker: str, chat: bool, server: KnownServer | None) -> str:
    if name in ("n", "best_of"):
        return f"{worker} does not take {name!r}: sample with MajorityVoteController or BestOfNController instead"
    if name in (_COMPLETION if chat else _CHAT):
        return _elsewhere(name, worker, chat)
    if server is not None and server.strict:
        return f"{server.name} does not take {name!r}: leave it out"
    return (
        f"{worker} does not know that its server takes {name!r}: if it does, say so with "
        f"accepts={{'{name}'}}, or send it with extra_body"
    )


def _elsewhere(name: str, who: str, chat: bool) -> str:
    other = "a text prompt, a GenerationTask" if chat else "a chat, a ChatTask"
    return f"{who} takes {name!r} only with {other}: leave it out here"


def _chat_prompt(task: ChatTask, messages: Sequence[RoleMessage]) -> Json:
    if not task.messages:
        raise InvalidRequestError("a chat task needs at least one message")
    prompt: Json = {"messages": [message.to_dict() for message in messages]}
    if task.tools:
        prompt["tools"] = task.tools_to_dict()
    return prompt


def _prompt(task: GenerationTask) -> Json:
    text = task.text_prompt
    prompt = text if text is not None else task.input_tokens
    if prompt is None:
        raise InvalidRequestError("a generation task needs input_str or input_tokens")
    return {"prompt": prompt if isinstance(prompt, str) else list(prompt)}


def _merged(body: Json, fields: Mapping[str, object]) -> Json:
    """The fields, each with what the body has of it where both are objects."""
    return {
        name: {**body[name], **value} if isinstance(value, Mapping) and name in body else value
        for name, value in fields.items()
    }
