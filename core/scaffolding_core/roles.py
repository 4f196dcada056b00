"""Who plays the roles that a method names: put together and checked before anything runs."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from scaffolding_core.controller import Controller, roles_of
from scaffolding_core.controllers import NativeGenerationController, NativeRewardController, ToolLoopController
from scaffolding_core.controllers.roles import scores
from scaffolding_core.errors import InvalidRequestError, MissingWorkerError
from scaffolding_core.rewards import RewardLike, resolve_reward
from scaffolding_core.worker import Worker
from scaffolding_core.workers.named import is_named_worker, named_sandbox, named_server, named_worker
from scaffolding_core.workers.tools import ToolsWorker

__all__ = ["CODE", "GENERATION", "JUDGE", "Cast", "cast_of", "check_names", "check_roles", "sandbox"]

GENERATION = NativeGenerationController.WorkerTag.GENERATION
REWARD = NativeRewardController.WorkerTag.REWARD
TOOLS = ToolLoopController.WorkerTag.TOOLS
JUDGE = "judge"
"""What generates judges too, where nobody is given for it and it answers any prompt."""
CODE = "code"

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays the roles beside generation.

    Attributes:
        workers: by role.
        rewards: what scores where the role itself has no worker, by role: a reward that asks others, or nobody.
        opened: those of the workers that were made for it, for whoever assembles it to close.
    """

    workers: Mapping[Hashable, Worker]
    rewards: Mapping[Hashable, Controller]
    opened: tuple[Worker, ...]

    def plays(self, method: Controller) -> Controller:
        """The method, with its rewards where its parts score by a role that has no worker."""
        return cast("Controller", _replaced(method, self.rewards)) if self.rewards else method


def cast_of(reward: RewardLike | None, roles: Mapping[Hashable, RewardLike]) -> Cast:
    """Who plays each role beside generation.

    Args:
        reward: that of the role `reward`; None where it is among the others, or nobody plays it.
        roles: a worker for each role, or what names one, see `WorkerLike`; or a reward for one that scores, a list
            of functions, servers and other tools for the role `tools`, and the name of a sandbox for the role
            `code`. A reward that needs `code` asks a sandbox of its own, where nobody is given for it.

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
    scorers = {role: resolve_reward(player, role=role) for role, player in given.items() if scores(role)}
    players = {role: _worker_of(role, player) for role, player in given.items() if role not in scorers}
    workers = {role: worker for role, (worker, _) in players.items()}
    opened = [worker for scorer in scorers.values() for worker in scorer.opened]
    opened += [own for _, own in players.values() if own is not None]
    for scorer in scorers.values():
        workers |= scorer.workers
        if CODE in roles_of(scorer.controller) - workers.keys():
            workers[CODE] = sandbox()
            opened.append(workers[CODE])
    return Cast(
        workers,
        {role: scorer.controller for role, scorer in scorers.items() if role not in scorer.workers},
        tuple(opened),
    )


def sandbox() -> Worker:
    """What runs code that models write, where no worker is given for it.

    Raises:
        MissingExtraError: it is not installed.
    """
    return named_sandbox({})


def check_roles(method: Controller, named: str, played: Set[Hashable]) -> None:
    """Check that somebody plays each role that a method needs beside generation.

    Args:
        method: with all its parts.
        named: what its user calls it.
        played: the roles that somebody plays.

    Raises:
        MissingWorkerError: nobody plays one of them.
    """
    for role in sorted(roles_of(method) - played - {GENERATION}, key=str):
        name = getattr(role, "value", role)
        shorter = "reward=, or " if role == REWARD else ""
        raise MissingWorkerError(
            f"{named} needs a worker for the role {name!r}: pass {shorter}roles={{{name!r}: ...}}"
        )


def check_names(method: Controller, named: str, given: Set[Hashable]) -> None:
    """Check that no role which somebody plays unasked was meant by a name that nearly is its own.

    Args:
        method: with all its parts.
        named: what its user calls it.
        given: the roles that its user gives somebody for.

    Raises:
        InvalidRequestError: a role has nearly such a name, and the method asks nobody by it.
    """
    asked = roles_of(method)
    for role in (asked & {JUDGE, CODE}) - given:
        for name in given - asked:
            if isinstance(name, str) and get_close_matches(str(role), [name.lower()], cutoff=0.75):
                raise InvalidRequestError(f"{named} has no role {name!r}: did you mean {role!r}?")


def _replaced(part: object, rewards: Mapping[Hashable, Controller]) -> object:
    """A part of a method, with the rewards in place of what asks their roles; itself where it asks none."""
    if type(part) is NativeRewardController:
        return next((rewards[role] for role in part.needs if role in rewards), part)
    if isinstance(part, Controller):
        changed = _changed(vars(part), rewards)
        if not changed:
            return part
        new = object.__new__(type(part))
        vars(new).update({**vars(part), **changed})
        return new
    if type(part) is list:
        items = [_replaced(item, rewards) for item in part]
        return items if any(map(operator.is_not, items, part)) else part
    if type(part) is dict:
        return {**part, **changed} if (changed := _changed(part, rewards)) else part
    return part


def _changed(parts: Mapping[K, object], rewards: Mapping[Hashable, Controller]) -> dict[K, object]:
    replaced = {name: _replaced(part, rewards) for name, part in parts.items()}
    return {name: part for name, part in replaced.items() if part is not parts[name]}


def _worker_of(role: Hashable, player: Any) -> tuple[Worker, Worker | None]:  # Any: of no common class
    """Who plays a role, and what of it was made here."""
    if not isinstance(player, type) and callable(getattr(player, "run_task", None)):
        return player, None  # or one of TensorRT-LLM's kind
    if role == TOOLS:
        return _tools_of(player if isinstance(player, list | tuple) else [player])
    if not is_named_worker(player):
        name = getattr(role, "value", role)
        raise InvalidRequestError(f"the role {name!r} needs a worker, got {type(player).__name__}")
    worker = named_sandbox(player) if role == CODE else named_worker(player)
    return worker, worker


def _tools_of(tools: Sequence[object]) -> tuple[Worker, Worker | None]:
    """Functions and other tools, together with the servers that are named."""
    named = [tool for tool in tools if isinstance(tool, str | Mapping)]
    if not named:
        return ToolsWorker(tools), None
    from scaffolding_core.workers.mcp import MCPWorker  # it loads slowly

    servers = MCPWorker([named_server(server) for server in named])
    others = [tool for tool in tools if not isinstance(tool, str | Mapping)]
    return (ToolsWorker([*others, servers]) if others else servers), servers
