"""Servers that are known, by how their answers and lists of models look, and what each does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.workers.parameters import (
    DYNAMO_PARAMETERS,
    LLAMA_CPP_PARAMETERS,
    TRTLLM_PARAMETERS,
    VLLM_PARAMETERS,
)

__all__ = ["KNOWN_SERVERS", "KnownServer", "known_server", "recognised"]


@dataclass(frozen=True, slots=True)
class KnownServer:
    """What a kind of server does.

    Args:
        name: of the kind.
        drops_plain: it stops a request that is not streamed, too, when its client goes.
        counts_along: it tells the usage with each piece of a stream, where `continuous_usage_stats` asks for it.
        shares_prompts: what it has read of a prompt serves other requests that run beside.
        repeats_greedy: it answers several times at once where all answers would be one.
        ignores: parameters that it takes without a word and does not honour, or never takes.
        takes: parameters beyond OpenAI's, and their names on the wire.
        chats_only: parameters and hints that it takes only with a chat.
        texts_only: parameters that it takes only with a text prompt.
        continues: what has it go on with a chat's last message, an answer that is begun; None where nothing does.
        tells_stops: what has it tell at which stop a text ended, where it does not do so anyhow.
        strict: it refuses whatever it does not know.
        fewest_logprobs: likeliest tokens of each place to ask for at least, where log probabilities are wanted.
    """

    name: str
    drops_plain: bool = True
    counts_along: bool = True
    shares_prompts: bool = True
    repeats_greedy: bool = True
    ignores: tuple[str, ...] = ()
    takes: Mapping[str, str] = field(default_factory=dict)
    chats_only: frozenset[str] = frozenset()
    texts_only: frozenset[str] = frozenset()
    continues: Mapping[str, object] | None = None
    tells_stops: Mapping[str, object] = field(default_factory=dict)
    strict: bool = False
    fewest_logprobs: int = 0


_ALL = (
    KnownServer(
        "vllm", takes=VLLM_PARAMETERS, continues={"continue_final_message": True, "add_generation_prompt": False}
    ),
    KnownServer("sglang", continues={"continue_final_message": True}),
    KnownServer("dynamo", drops_plain=False, counts_along=False, takes=DYNAMO_PARAMETERS),
    KnownServer(
        "trtllm-serve",
        repeats_greedy=False,
        ignores=("suffix",),
        takes=TRTLLM_PARAMETERS,
        chats_only=frozenset({"cache_salt", "chat_template_kwargs", "agent_hierarchy"}),
        texts_only=frozenset({"return_context_logits", "skip_detokenizer"}),
        continues={
            "add_generation_prompt": False,
            "chat_template_kwargs": {"continue_final_message": True},  # which its template is called with
        },
        strict=True,
    ),
    KnownServer(
        "llama.cpp",
        drops_plain=False,
        counts_along=False,
        shares_prompts=False,
        ignores=("echo", "suffix"),
        takes=LLAMA_CPP_PARAMETERS,
        continues={},  # it always does
        tells_stops={"verbose": True},
        fewest_logprobs=1,  # it takes 0 for no log probabilities at all
    ),
)

KNOWN_SERVERS: Mapping[str, KnownServer] = {server.name: server for server in _ALL}

_OWNERS = {"vllm": "vllm", "sglang": "sglang", "tensorrt_llm": "trtllm-serve", "llamacpp": "llama.cpp"}
"""Who owns the models that a server lists, by its own words."""

_MARKS = {
    "disaggregated_params": "trtllm-serve",
    "avg_decoded_tokens_per_iter": "trtllm-serve",
    "matched_stop": "sglang",
    "timings": "llama.cpp",
    "kv_transfer_params": "vllm",
    "token_ids": "vllm",  # trtllm-serve has them too
}
"""Fields of an answer, or of its choices, by which a server is known; of several, the first decides."""


def known_server(name: str) -> KnownServer:
    """The server of a name.

    Raises:
        InvalidRequestError: none has it.
    """
    if name not in KNOWN_SERVERS:
        raise InvalidRequestError(f"server must be one of {', '.join(KNOWN_SERVERS)}, or left out; got {name!r}")
    return KNOWN_SERVERS[name]


def recognised(told: object) -> KnownServer | None:
    """The server that has told this: a piece of an answer, or an entry of its list of models."""
    if not isinstance(told, dict):
        return None
    owner, choices = told.get("owned_by"), told.get("choices")
    if isinstance(owner, str) and owner in _OWNERS:
        return KNOWN_SERVERS[_OWNERS[owner]]
    choice = choices[0] if isinstance(choices, list) and choices else None
    fields = {*told, *choice} if isinstance(choice, dict) else set(told)
    return next((KNOWN_SERVERS[name] for mark, name in _MARKS.items() if mark in fields), None)
