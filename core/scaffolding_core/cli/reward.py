"""What `--reward` says."""

from __future__ import annotations

import importlib
import json
import sys
from typing import cast

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.rewards import REWARDS, RewardLike

__all__ = ["REWARD_HELP", "said_reward"]

REWARD_HELP = (
    f"Of methods that judge: {', '.join(REWARDS).replace('_', '-')}, with parameters as JSON: "
    """'{"kind": "exact", "reference": "42"}'; the address of a reward model; or MODULE:FUNCTION, called with """
    "prompt and answer."
)


def said_reward(given: str) -> RewardLike:
    """The reward: a name or an address as it is, JSON as what it says, or what a module holds.

    Raises:
        InvalidRequestError: broken JSON, or a module without that function.
    """
    if given.lstrip().startswith("{"):
        try:
            return cast("RewardLike", json.loads(given))
        except ValueError as error:
            raise InvalidRequestError(f"--reward must be JSON where it begins with a brace: {error}") from error
    return given if ":" not in given or "://" in given else _function(given)


def _function(name: str) -> RewardLike:
    module, _, attribute = name.partition(":")
    sys.path.insert(0, "")  # as `python -m` does, so that a file of the current folder is found
    try:
        function: RewardLike = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidRequestError(f"--reward must be MODULE:FUNCTION; {name!r} is not there: {error}") from error
    if not callable(function):
        raise InvalidRequestError(f"--reward must be MODULE:FUNCTION; {name!r} is no function")
    return function
