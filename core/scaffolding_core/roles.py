"""Who plays the roles that a method names: put together and checked before anything runs."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from scaffolding_core.controller import Controller, roles_of
from scaffolding_core.controllers import (
    NativeGenerationController,
    NativeRewardController,
    PanelController,
    ToolLoopController,
)
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
_TAKES_TURNS = re.compile(r"generation\.\d+")
"""Roles whose workers take turns at the samples with the model itself, in the order of their numbers."""

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays the roles beside generation.

    Attributes:
        workers: by role.
        rewards: what scores where the role itself has no worker, by role: a reward that asks others, or nobody.
        opened: those of the workers that were made for it, for whoever assembles it to close.
        panel: the roles of those workers that take turns at the samples with the one that generates.
    """

    workers: Mapping[Hashable, Worker]
    rewards: Mapping[Hashable, Controller]
    opened: tuple[Worker, ...]
    panel: Sequence[str] = ()

    def plays(self, method: Controller) -> Controller:
        """The method, with a reward where a part scores by a role that has no worker, and a panel that samples."""
        return cast("Controller", _replaced(method, self._player)) if self.rewards or self.panel else method

    def _player(self, part: Controller) -> Controller:
        """What stands for a part of a method: itself, unless it asks for a role that is played otherwise."""
        if type(part) is NativeRewardController:
            return next((self.rewards[role] for role in part.needs if role in self.rewards), part)
        if self.panel and isinstance(part, NativeGenerationController) and GENERATION in part.needs:
            return PanelController({GENERATION.value: part, **{role: part.of_role(role) for role in self.panel}})
        return part


def cast_of(reward: RewardLike | None, roles: Mapping[Hashable, RewardLike]) -> Cast:
    """Who plays each role beside generation.

    Args:
        reward: that of the role `reward`; None where it is among the others, or nobody plays it.
        roles: a worker for each role, or what names one, see `WorkerLike`; or a reward for one that scores, a list
            of functions, servers and other tools for the role `tools`, and the name of a sandbox for the role
            `code`. A reward that needs `code` asks a sandbox of its own, where nobody is given for it.
            Those of the roles `generation.1`, `generation.2` and so on take turns at the samples with the model
            itself; see `PanelController`.

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
        sorted(
            (role for role in workers if isinstance(role, str) and _TAKES_TURNS.fullmatch(role)),
            key=lambda role: int(role.rpartition(".")[2]),
        ),
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


def _replaced(part: object, player: Callable[[Controller], Controller]) -> object:
    """A part of a method, with what stands for each of its parts; itself where that is they themselves."""
    if isinstance(part, Controller):
        playing = player(part)
        if playing is not part:
            return playing
        changed = _changed(vars(part), player)
        if not changed:
            return part
        new = object.__new__(type(part))
        vars(new).update({**vars(part), **changed})
        return new
    if type(part) is list:
        items = [_replaced(item, player) for item in part]
        return items if any(map(operator.is_not, items, part)) else part
    if type(part) is dict:
        return {**part, **changed} if (changed := _changed(part, player)) else part
    return part


def _changed(parts: Mapping[K, object], player: Callable[[Controller], Controller]) -> dict[K, object]:
    replaced = {name: _replaced(part, player) for name, part in parts.items()}
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
