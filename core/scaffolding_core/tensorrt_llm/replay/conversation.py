"""Conversations: the token ids of a replayed trace's messages."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from scaffolding_core.tensorrt_llm.execution_trace import TraceEvent
from scaffolding_core.tensorrt_llm.replay.synthetic_tokens import random_token_ids

__all__ = ["Conversation", "SystemTokens"]


@dataclass
class Conversation:
    """The messages of one conversation.

    Attributes:
        messages: the token ids of each.
        system_tokens: how many of them are the system message's.
        last_prompt: the prompt of its last call.
    """

    messages: list[list[int]] = field(default_factory=list)
    system_tokens: int = 0
    last_prompt: list[int] = field(default_factory=list)

    @property
    def tokens(self) -> list[int]:
        """All its token ids."""
        return [token for message in self.messages for token in message]

    def put(self, index: int | None, tokens: list[int]) -> None:
        """Put a message at its index; at the end, where it has none or that is beyond."""
        if index is not None and index < len(self.messages):
            self.messages[index] = tokens
        else:
            self.messages.append(tokens)

    def prompt(self, length: int, rng: random.Random) -> list[int]:
        """The token ids of the next call's prompt; its last message is made longer up to the recorded length."""
        missing = random_token_ids(length - sum(map(len, self.messages)), rng)
        if missing:
            self.messages[-1:] = [[*(self.messages[-1] if self.messages else ()), *missing]]
        self.last_prompt = self.tokens
        return self.last_prompt


class SystemTokens:
    """The token ids of system messages: those of one text begin alike, so that a server finds them in its cache.

    Args:
        known: token ids by the text's identity; replays that share it share what the server keeps.
    """

    def __init__(self, known: dict[str, list[int]]) -> None:
        self._known = known

    def of(self, event: TraceEvent, rng: random.Random) -> list[int]:
        """As many as the event tells."""
        known = self._known.setdefault(event.system_prompt_id or f"conv:{event.conversation_id}", [])
        length = event.tokens or 0
        known.extend(random_token_ids(length - len(known), rng))
        return known[:length]
