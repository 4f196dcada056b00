"""ServerFacts: what was learned of a server, for all workers of this process that use it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping

from scaffolding_core.workers.http.asked_once import AskedOnce
from scaffolding_core.workers.openai.known_servers import KnownServer
from scaffolding_core.workers.openai.model_list import ListedModels
from scaffolding_core.workers.openai.truncations import TRUNCATIONS, Truncation

__all__ = ["ServerFacts", "facts_of"]


class ServerFacts:
    """What was learned of a server.

    Attributes:
        models: that it lists.
        slot_window: the context window of each of llama.cpp's slots.
        kind: what kind of server it is, if that is known.
        together: most choices that it takes a request for; None as long as no request was for too many.
        refuses: fields of hints that it has refused.
        truncations: where it may truncate its KV cache; none if it is known not to.
    """

    def __init__(self) -> None:
        self.models = AskedOnce[ListedModels]()
        self.slot_window = AskedOnce[int | None]()
        self.kind: KnownServer | None = None
        self.together: int | None = None
        self.refuses: set[str] = set()
        self.truncations: tuple[Truncation, ...] = TRUNCATIONS
        self._given = 1

    def gave(self, choices: int) -> None:
        """It has answered one request with so many choices."""
        self._given = max(self._given, choices)

    def gives_only(self, choices: int, asked: int) -> None:
        """It was asked for more choices than it gives; one that has given as many before has another reason."""
        if asked > self._given:
            self.together = max(choices, self._given)


_known: weakref.WeakValueDictionary[object, ServerFacts] = weakref.WeakValueDictionary()


def facts_of(base_url: str, headers: Mapping[str, str]) -> ServerFacts:
    """The facts of the server at an address, as long as somebody holds them; other headers may reach another."""
    return _known.setdefault((base_url, frozenset(headers.items())), ServerFacts())
