"""Hints: what a request knows of itself that lets its server plan, in the words of each server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.results import Hints
from scaffolding_core.tasks import ChatTask, GenerationTask
from scaffolding_core.workers.hints import agent_hierarchy, scheduler_priority
from scaffolding_core.workers.openai.known_servers import KnownServer

__all__ = ["HINTS", "TRUNCATION", "Hinting", "chosen_hints"]

# Any: whatever JSON holds.
Json: TypeAlias = dict[str, Any]


TRUNCATION = "truncation"
"""The hint that comes last: with the end of a request, its chats are of no use any more."""

HINTS = ("priority", "agent_hierarchy", "osl", "speculative_prefill", TRUNCATION)
"""What a worker may tell its server besides what is asked."""


def chosen_hints(given: bool | Iterable[str]) -> frozenset[str]:
    """The hints that a worker gives.

    Args:
        given: their names; True for all but the truncation, which takes from later requests what they might find.

    Raises:
        InvalidRequestError: a name that is none.
    """
    if isinstance(given, bool):
        return frozenset(HINTS) - {TRUNCATION} if given else frozenset()
    names = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for name in names:
        if name not in HINTS:
            raise InvalidRequestError(f"hints must be True, or some of {', '.join(HINTS)}; got {name!r}")
    return frozenset(names)


class _Wire(NamedTuple):
    """Where a hint goes in a request, and as what."""

    path: tuple[str, ...]
    value: Callable[[Any], object] = lambda known: known


_DYNAMO = ("nvext", "agent_hints")
_WIRES: Mapping[str, Mapping[str, _Wire]] = {
    "trtllm-serve": {
        "priority": _Wire(("priority",), scheduler_priority),
        "agent_hierarchy": _Wire(("agent_hierarchy",)),
    },
    "vllm": {"priority": _Wire(("priority",), lambda priority: -priority)},
    "dynamo": {name: _Wire((*_DYNAMO, name)) for name in ("priority", "osl", "speculative_prefill")},
}
"""The hints that each server takes.

Source: the request models of trtllm-serve (a priority between 0 and 1, 0.5 for most); vLLM's `priority`, lower is
sooner; `nvext.agent_hints` of NVIDIA Dynamo.
"""


_FIRST = secrets.randbits(30)
"""Added to the numbers of requests: each process counts its own, and its server is that of others, too."""


class Hinting:
    """The hints of one exchange, over all its attempts.

    Args:
        task: what is asked.
        names: of the hints to give.
        body: of its request: what stands in it is the caller's, and goes first.
        server: what kind of server it is; None if nobody knows, and then nothing is sent.
        refused: fields that the server has refused.

    Attributes:
        fields: to send.
        dropped: what is known besides, and why it is not sent.
        untaken: fields that the server may have refused in this exchange.
    """

    def __init__(
        self,
        task: GenerationTask,
        names: frozenset[str],
        body: Json,
        server: KnownServer | None,
        refused: Iterable[str],
    ) -> None:
        self.fields: Json = {}
        self.dropped: dict[str, str] = {}
        self.untaken: set[str] = set()
        chat, refused = isinstance(task, ChatTask), set(refused)
        for name, known in _known(task, body).items():
            if name not in names:
                continue
            wire = _WIRES.get(server.name, {}).get(name) if server is not None else None
            if server is None:
                self.dropped[name] = "nobody knows what the server takes"
            elif wire is None:
                self.dropped[name] = f"{server.name} does not take it"
            elif name in server.chats_only and not chat:
                self.dropped[name] = f"{server.name} takes it only with a chat"
            elif wire.path[0] in body:
                self.dropped[name] = "the caller sends another"
            elif wire.path[0] in refused:
                self.dropped[name] = "the server refused it"
            else:
                _put(self.fields, wire.path, wire.value(known))

    def told(self, choices: int) -> Hints:
        """What the server is told, where it is asked for so many choices."""
        return Hints({**self.fields, **({"n": choices} if choices > 1 else {})}, dict(self.dropped))

    def give_up(self, words: str) -> bool:
        """Send no longer what a refusal names, or nothing if it names none; returns whether that is less.

        Args:
            words: of the refusal.
        """
        named = {name for name in self.fields if name in words} or set(self.fields)
        for name in named:
            del self.fields[name]
            self.dropped[name] = "the server refused it"
        self.untaken |= named
        return bool(named)


def _known(task: GenerationTask, body: Json) -> Json:
    """What a task knows of its request, by name."""
    scope, known = task.scope, {}
    priority = getattr(scope, "priority", 0)
    if priority:
        known["priority"] = priority
    if scope is not None:
        (root, number), *branches = agent_hierarchy(task, scope)
        known["agent_hierarchy"] = [[root, _FIRST + number], *map(list, branches)]
    if isinstance(body.get("max_tokens"), int):
        known["osl"] = body["max_tokens"]
    if isinstance(task, ChatTask) and task.tools and task.group is None:
        known["speculative_prefill"] = True  # the next turn brings what the tools say
    return known


def _put(fields: Json, path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        fields = fields.setdefault(name, {})
    fields[path[-1]] = value
