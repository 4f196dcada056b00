"""AbMcts: adaptive branching Monte Carlo tree search, by `treequest`."""

from __future__ import annotations

import functools
import random
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scaffolding_core.errors import InvalidRequestError, MissingExtraError
from scaffolding_core.search.tree_search import Node, Thought, TreeSearch, Trial

if TYPE_CHECKING:
    from treequest import ABMCTSA

__all__ = ["AbMcts"]

_ACTION = "answer"
_drawing = threading.Lock()


class AbMcts(TreeSearch):
    """At each node decides by Thompson sampling whether to go wider, with a new child, or deeper, below one.

    A trial finds one thought. A node may be asked for any number of times, and nothing ends its path, so the
    search is never done. Every thought that is told counts, at its node and at all above it. Values go from 0 to
    1.

    Its draws depend on the seed, the number of the trial and what was told before it. They are made in numpy's
    global state, which is put back as it was.

    Source: Inoue et al. 2025, arXiv 2503.04412; its variant A with Gaussian posteriors, as the package `treequest`
    has it.

    Args:
        seed: of the draws.

    Raises:
        MissingExtraError: the extra `treequest` is not installed.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(max_depth=sys.maxsize)
        self.seed = seed
        self._state = _algorithm().init_tree()
        self._theirs: dict[int, str] = {}  # the names that trials have there

    @property
    def done(self) -> bool:
        """Never: a better one may always come."""
        return False

    def tell(self, trial: Trial, thoughts: Sequence[Thought] = ()) -> list[Node]:
        """What a trial found: one thought, or nothing where it failed.

        Returns:
            The new node; none where the trial was told before.

        Raises:
            InvalidRequestError: several thoughts, or a value that is not between 0 and 1.
        """
        if len(thoughts) > 1:
            raise InvalidRequestError(f"a trial of AbMcts finds one thought, got {len(thoughts)}")
        for thought in thoughts:
            if not 0 <= thought.value <= 1:
                raise InvalidRequestError(f"AbMcts needs values between 0 and 1, got {thought.value!r}")
        return super().tell(trial, thoughts)

    def _next(self) -> int:
        import numpy as np

        seed = random.Random(f"{self.seed}/{self._asked}").getrandbits(32)
        with _drawing:
            before = np.random.get_state()
            np.random.seed(seed)
            try:
                self._state, (trial,) = _algorithm().ask_batch(self._state, 1, [_ACTION])
            finally:
                np.random.set_state(before)
        self._theirs[self._asked] = trial.trial_id
        return trial.node_to_expand + 1  # their root is -1, and both count in the order told

    def _grow(self, trial: Trial, parent: Node, children: Sequence[Node]) -> None:
        theirs = self._theirs.pop(trial.id)
        for child in children:
            self._state = _algorithm().tell(self._state, theirs, (child.step, child.value))

    def _take_back(self, node: Node) -> None:
        """It may be asked for anyway."""


@functools.cache
def _algorithm() -> ABMCTSA[str]:
    try:
        from treequest import ABMCTSA
    except ImportError as error:
        raise MissingExtraError("AbMcts", "treequest") from error
    return ABMCTSA()
