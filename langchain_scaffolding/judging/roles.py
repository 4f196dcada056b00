"""Who plays the roles of a method, as the core's workers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

from langchain_scaffolding.judging.rewards import core_reward
from langchain_scaffolding.workers.worker import LangChainWorker
from scaffolding_core import InvalidRequestError, Worker
from scaffolding_core.adapting import SCORING_ROLES, RewardLike

__all__ = ["core_roles"]


def core_roles(roles: Mapping[Hashable, Any] | None) -> dict[Hashable, RewardLike]:
    """A worker for each role, or a reward for one that scores.

    Args:
        roles: a worker, or an address or mapping that names one; or a reward for a role that scores, tools for the
            role `tools`, the name of a sandbox for the role `code`, and a model or chain for any other; Any, since
            rewards have no common class.

    Raises:
        InvalidRequestError: no mapping, or somebody who cannot play the role.
    """
    if not isinstance(roles or {}, Mapping):
        raise InvalidRequestError(f"roles must map each role to who plays it, got {roles!r}")
    return {role: _player_of(role, player) for role, player in (roles or {}).items()}


def _player_of(role: Hashable, player: Any) -> RewardLike:
    if role == "tools" or isinstance(player, Worker | str | Mapping | list):
        return cast("RewardLike", player)  # the core makes a worker of it
    scores = core_reward(player) if role in SCORING_ROLES else None
    return scores or LangChainWorker(player)
