"""Bandit: learns which of several arms earns most, while it uses them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Self

from scaffolding_core.errors import InvalidRequestError

__all__ = ["Arm", "Bandit"]


@dataclass(slots=True)
class Arm:
    """What is known of an arm.

    Attributes:
        told: how often it was told what the arm earned.
        reward: earned in all, each time from 0 to 1.
        tokens: spent in all.
    """

    told: int = 0
    reward: float = 0.0
    tokens: int = 0

    def draw(self, source: Random, price: float) -> float:
        """What it may earn, drawn as it is believed: by a Beta distribution, less what it spends at that price."""
        spent = price * self.tokens / self.told if self.told else 0.0
        return source.betavariate(1 + self.reward, 1 + self.told - self.reward) - spent


class Bandit:
    """Learns which of several arms earns most, while it uses them: Thompson sampling over Beta distributions.

    Each arm is chosen as often as it is believed to be the best, so that arms which earn less are tried ever more
    seldom. An arm that nobody knows yet may be anything; new ones may come at any time.

    This is a method's only memory: a method is a pure function of its inputs and of what its yields gave back, and
    keeps nothing over requests. So what is learnt is a value of its own, which the user makes, gives to the
    method, saves with `to_dict` and loads with `from_dict`, and the method changes it at two moments alone: when a
    request begins (`choose`) and when it has its reward (`tell`). What is chosen depends on what was learnt and on
    the number of choices until then, and on the request's seed, and on nothing else. A recorded request thus
    replays with the bandit as it was when the request began; requests that ran at the same time replay if they
    begin and end in the same order.

    It may be used by several threads and loops at once.

    Source: Thompson 1933, Biometrika 25; Agrawal and Goyal 2012, arXiv 1111.1797. Rewards between 0 and 1 count as
    parts of a success.

    Args:
        arms: what is known so far, by name.
        choices: made so far.
    """

    def __init__(self, arms: Mapping[str, Arm] | None = None, choices: int = 0) -> None:
        self._arms = {name: replace(arm) for name, arm in (arms or {}).items()}
        self._choices = choices
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, ...]:
        with self._lock:
            return type(self), (self._arms, self._choices)

    @property
    def arms(self) -> dict[str, Arm]:
        """What is known of each arm that was ever told of."""
        with self._lock:
            return {name: replace(arm) for name, arm in self._arms.items()}

    def choose(
        self, names: Iterable[str], *, prices: Mapping[str, float] | None = None, seed: int | None = None
    ) -> str:
        """The arm to use.

        Args:
            names: of the arms that there are.
            prices: of a token of each, in rewards; 0 for those left out.
            seed: of the request.
        """
        with self._lock:
            source = Random(f"{seed}/{self._choices}")
            self._choices += 1
            drawn = {
                name: self._arms.get(name, Arm()).draw(source, (prices or {}).get(name, 0.0)) for name in names
            }
        return max(drawn, key=drawn.__getitem__)

    def tell(self, name: str, reward: float, tokens: int = 0) -> None:
        """Learn what an arm earned.

        Args:
            name: of the arm.
            reward: from 0 to 1.
            tokens: that it spent for it.

        Raises:
            InvalidRequestError: a reward out of that range, or a negative number of tokens.
        """
        if not 0 <= reward <= 1:
            raise InvalidRequestError(
                f"a bandit learns from rewards from 0 to 1, got {reward!r}: take another reward"
            )
        if tokens < 0:
            raise InvalidRequestError(f"an arm spends at least 0 tokens, got {tokens!r}")
        with self._lock:
            arm = self._arms.setdefault(name, Arm())
            arm.told, arm.reward, arm.tokens = arm.told + 1, arm.reward + reward, arm.tokens + tokens

    def to_dict(self) -> dict[str, object]:
        """All that it has learnt, fit for JSON."""
        with self._lock:
            return {"choices": self._choices, "arms": {name: asdict(arm) for name, arm in self._arms.items()}}

    @classmethod
    def from_dict(cls, learnt: Mapping[str, object]) -> Self:
        """A bandit that has learnt what `to_dict` gave.

        Raises:
            InvalidRequestError: it is something else.
        """
        try:
            arms, choices = learnt["arms"], learnt["choices"]
            if not isinstance(arms, Mapping) or not isinstance(choices, int):
                raise TypeError("arms must be a mapping, and choices a whole number")
            return cls({name: Arm(**arm) for name, arm in arms.items()}, choices)
        except (KeyError, TypeError) as error:
            raise InvalidRequestError(f"this is not what a bandit's to_dict() gives: {error}") from error
