"""Who plays the roles that a method names: put together and checked before anything runs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from scaffolding_core.controller import Controller, roles_of
from scaffolding_core.controllers import NativeGenerationController, NativeRewardController, ToolLoopController
from scaffolding_core.controllers.roles import SCORING_ROLES
from scaffolding_core.errors import InvalidRequestError, MissingWorkerError
from scaffolding_core.worker import Worker
from scaffolding_core.workers.reward import RewardFunction, reward_worker
from scaffolding_core.workers.tools import ToolsWorker

__all__ = ["GENERATION", "check_roles", "workers_by_role"]

GENERATION = NativeGenerationController.WorkerTag.GENERATION
REWARD = NativeRewardController.WorkerTag.REWARD
TOOLS = ToolLoopController.WorkerTag.TOOLS


def workers_by_role(
    reward: RewardFunction | Worker | None, roles: Mapping[Hashable, RewardFunction | Worker]
) -> dict[Hashable, Worker]:
    """The worker of each role beside generation.

    Args:
        reward: that of the role `reward`; None where it is among the others, or nobody plays it.
        roles: a worker for each role; or a function of prompt and answer for one that scores, and a list of
            functions, servers and other tools for the role `tools`.

    Raises:
        InvalidRequestError: a role that is given twice, or to what cannot play it.
    """
    given = dict(roles)
    if GENERATION in given:
        raise InvalidRequestError("the model itself plays the role 'generation': leave it out of roles")
    if reward is not None and REWARD in given:
        raise InvalidRequestError("the role 'reward' is given twice: leave it out of reward or of roles")
    if reward is not None:
        given[REWARD] = reward
    return {role: _worker_of(role, player) for role, player in given.items()}


def check_roles(method: Controller, named: str, workers: Mapping[Hashable, Worker]) -> None:
    """Check that somebody plays each role that a method needs beside generation.

    Args:
        method: with all its parts.
        named: what its user calls it.
        workers: by role.

    Raises:
        MissingWorkerError: nobody plays one of them.
    """
    for role in sorted(roles_of(method) - workers.keys() - {GENERATION}, key=str):
        name = getattr(role, "value", role)
        shorter = "reward=, or " if role == REWARD else ""
        raise MissingWorkerError(
            f"{named} needs a worker for the role {name!r}: pass {shorter}roles={{{name!r}: ...}}"
        )


def _worker_of(role: Hashable, player: RewardFunction | Worker) -> Worker:
    if not isinstance(player, type) and callable(getattr(player, "run_task", None)):
        return player  # type: ignore[return-value]  # or one of TensorRT-LLM's kind
    if role == TOOLS:
        return ToolsWorker(player if isinstance(player, list | tuple) else [player])  # type: ignore[list-item]  # it checks
    if role in SCORING_ROLES and callable(player):
        return reward_worker(player)
    raise InvalidRequestError(
        f"the role {getattr(role, 'value', role)!r} needs a worker, got {type(player).__name__}"
    )
