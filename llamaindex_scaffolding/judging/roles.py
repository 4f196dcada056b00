"""Who plays the roles of a method, as the core's workers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import cast

from llama_index.core.llms import LLM

from llamaindex_scaffolding.judging.rewards import Reward, core_reward
from llamaindex_scaffolding.workers.unheard_worker import UnheardWorker
from scaffolding_core import InvalidRequestError
from scaffolding_core.adapting import RewardLike

__all__ = ["core_roles"]


def core_roles(roles: Mapping[Hashable, Reward | LLM] | None) -> dict[Hashable, RewardLike]:
    """A worker for each role, or a reward for one that scores.

    Args:
        roles: a worker; or a reward for a role that scores, tools for the role `tools`, and an LLM for any other.

    Raises:
        InvalidRequestError: no mapping, nobody, or an evaluator that compares two answers.
    """
    if not isinstance(roles or {}, Mapping):
        raise InvalidRequestError(f"roles must map each role to who plays it, got {roles!r}")
    return {role: _player_of(role, player) for role, player in (roles or {}).items()}


def _player_of(role: Hashable, player: Reward | LLM) -> RewardLike:
    if isinstance(player, LLM):
        return UnheardWorker(player)
    if role == "tools":
        return cast("RewardLike", player)  # the core makes a worker of it
    reward = core_reward(player)
    if reward is None:
        raise InvalidRequestError(f"nobody plays the role {role!r}: give an LLM or a worker, or leave it out")
    return reward
