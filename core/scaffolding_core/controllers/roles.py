"""Roles: a method names what it needs, and whoever assembles it gives a worker for each."""

from __future__ import annotations

from collections.abc import Hashable

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.native_chat import NativeChatController
from scaffolding_core.controllers.native_reward import NativeRewardController

__all__ = ["SCORING_ROLES", "part_for", "scores"]

SCORING_ROLES = frozenset({"reward", "process_reward"})
"""The roles whose workers score answers; the workers of all others answer."""


def scores(role: Hashable) -> bool:
    """Whether the workers of a role score answers: `reward`, and `reward.2` where a method has several."""
    return str(getattr(role, "value", role)).partition(".")[0] in SCORING_ROLES


def part_for(role: Hashable) -> Controller:
    """What a method is given for a role: it scores where the role does, and else generates, in one chat turn."""
    return NativeRewardController(role=role) if scores(role) else NativeChatController(role=role)
