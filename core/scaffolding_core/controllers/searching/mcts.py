"""Monte Carlo tree search over steps."""

from __future__ import annotations

import math
from typing import ClassVar, Unpack

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.searching.tree_method import TreeMethod, TreeOptions
from scaffolding_core.search import Mcts

__all__ = ["MctsController"]


class MctsController(TreeMethod):
    """Goes on where the mean value below is high, or little was tried, by upper confidence bounds.

    Trials that run at the same time spread over the tree by virtual loss; each goes on from a path of its own, and
    all that they find counts. The value of a path stands in place of a rollout to its end. A tree may be kept over
    turns: give `search=output.data["search"].rerooted(node)` to the next request.

    Cost: at most `max_samples` samples, `width` trials of `branches` samples at the same time; as many evaluations
    as steps that differ.

    Source: Kocsis and Szepesvári 2006 (UCT), with the evaluations of arXiv 2305.10601 for values.

    Args:
        generation_controller: this and all that is not below: as for `TreeMethod`.
        judge_controller: the model that evaluates.
        exploration: c of the bound; values are taken for 0 to 1, or scaled to it.
        max_depth: steps of a path at most.
        options: the rest; eight trials run at once unless `width` says.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        judge_controller: Controller | None = None,
        *,
        exploration: float = math.sqrt(2),
        max_depth: int = 8,
        **options: Unpack[TreeOptions],
    ) -> None:
        self.exploration, self.max_depth = exploration, max_depth
        options.setdefault("width", 8)
        super().__init__(generation_controller, judge_controller, **options)

    def new_search(self, seed: int = 0) -> Mcts:
        """A search that has not begun."""
        return Mcts(exploration=self.exploration, max_depth=self.max_depth)
