"""Tree of thoughts: the best steps of each level, or the best step first and back."""

from __future__ import annotations

from typing import ClassVar, Literal, Unpack

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.searching.tree_method import TreeMethod, TreeOptions
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.search import BreadthFirst, DepthFirst

__all__ = ["TreeOfThoughtsController"]


class TreeOfThoughtsController(TreeMethod):
    """Searches over thoughts: finds next steps, evaluates each, and goes on from the best of a level, or depth
    first.

    Breadth first, the `keep` best paths of each level go on; `output.data["search"].kept` tells those of the last.
    Depth first, the best step goes on until its path ends, and steps whose value is not above `threshold` are not
    gone on with.

    Cost: breadth first, branches + keep · branches · (max_depth - 1) samples where each step is one, and one
    sample for each path that goes on where they are proposed; a level at the same time. As many evaluations as
    steps that differ. Depth first, as many as `max_samples` allows.

    Source: Yao et al. 2023, arXiv 2305.10601. Votes are among the steps of one path rather than of a whole level;
    a vote of a level where one path is kept, as in the paper. The prompts are general; give those of your domain.

    Args:
        generation_controller: this and all that is not below: as for `TreeMethod`.
        judge_controller: the model that evaluates.
        order: `bfs`, breadth first, or `dfs`, depth first.
        keep: paths of each level that go on; breadth first.
        threshold: depth first; None goes on with all steps.
        max_depth: steps of a path at most.
        options: the rest; all trials of a level run at once, and depth first one after another, unless `width`
            says.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        judge_controller: Controller | None = None,
        *,
        order: Literal["bfs", "dfs"] = "bfs",
        keep: int = 5,
        threshold: float | None = None,
        max_depth: int = 4,
        **options: Unpack[TreeOptions],
    ) -> None:
        if order not in ("bfs", "dfs"):
            raise InvalidRequestError(f"order must be 'bfs' or 'dfs', got {order!r}")
        self.order, self.keep, self.threshold, self.max_depth = order, keep, threshold, max_depth
        if order == "dfs":
            options.setdefault("width", 1)
        super().__init__(generation_controller, judge_controller, **options)

    def new_search(self, seed: int = 0) -> BreadthFirst | DepthFirst:
        """A search that has not begun."""
        if self.order == "bfs":
            return BreadthFirst(keep=self.keep, max_depth=self.max_depth)
        return DepthFirst(threshold=self.threshold, max_depth=self.max_depth)
