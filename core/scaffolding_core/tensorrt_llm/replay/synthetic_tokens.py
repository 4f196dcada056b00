"""Token ids that stand for what a trace does not tell."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["RngFactory", "make_seeded_rng_factory", "random_token_ids", "unseeded_rng"]

RngFactory: TypeAlias = Callable[[tuple[int, ...]], random.Random]
"""Makes what a branch draws its tokens with, from the branch's path."""

_IDS = range(100, 30_001)
"""Ids that every vocabulary has, above those with a meaning of their own."""


def make_seeded_rng_factory(*seed_parts: object) -> RngFactory:
    """For replays that are to send the same tokens again: the same parts and branch give the same draws.

    Args:
        seed_parts: whatever tells one session from another; their `repr` counts.
    """

    def factory(branch_path: tuple[int, ...]) -> random.Random:
        key = "\0".join(repr(part) for part in (*seed_parts, tuple(branch_path)))
        return random.Random(hashlib.sha256(key.encode()).digest())

    return factory


def unseeded_rng(branch_path: tuple[int, ...]) -> random.Random:
    """For replays that are to send other tokens each time."""
    return random.Random()


def random_token_ids(length: int, rng: random.Random) -> list[int]:
    """So many token ids; none for a length below 1."""
    return rng.choices(_IDS, k=max(0, length))
