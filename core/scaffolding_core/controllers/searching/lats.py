"""Language agent tree search: MCTS with values of two kinds, and lessons from paths that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

from scaffolding_core.controller import Controller
from scaffolding_core.controllers.parts import checked_whole
from scaffolding_core.controllers.searching.ideas import Finder
from scaffolding_core.controllers.searching.prompts import REFLECT, PromptLike, checked_prompt
from scaffolding_core.controllers.searching.reflecting import Reflecting
from scaffolding_core.controllers.searching.tree_method import TreeMethod, TreeOptions
from scaffolding_core.search import Lats, TreeSearch
from scaffolding_core.tasks import GenerationTask

__all__ = ["LatsController"]


class LatsController(TreeMethod):
    """Searches as `MctsController` does; a step's value is its evaluation, and how many samples agree on it.

    On an answer that failed, by the `verifier`, its reward's verdict or a value below `enough`, the model
    reflects, and is told of that in all trials that begin later. `output.data["lessons"]` has what it said.

    Cost: at most `max_samples` samples, `width` trials of `branches` samples at the same time; as many evaluations
    as steps that differ, and one generation more for each reflection.

    Source: Zhou et al. 2023, arXiv 2310.04406. The value of a step stands in place of a simulation to the end, and
    tools are not called within a path: a step that calls some ends it.

    Args:
        generation_controller: this and all that is not below: as for `TreeMethod`; the same method reflects.
        judge_controller: the model that evaluates.
        self_evaluation: share of the evaluation in a value, 0 to 1; the rest is the share of samples that agree.
        reflections: at most.
        reflect: the prompt for one, as for `propose`.
        exploration: c of the bound.
        max_depth: steps of a path at most.
        options: the rest; eight trials run at once, and a value of 0.9 is `enough`, unless they say.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        judge_controller: Controller | None = None,
        *,
        self_evaluation: float = 0.5,
        reflections: int = 3,
        reflect: PromptLike = REFLECT,
        exploration: float = 1.0,
        max_depth: int = 8,
        **options: Unpack[TreeOptions],
    ) -> None:
        self.self_evaluation, self.exploration, self.max_depth = self_evaluation, exploration, max_depth
        self.reflections = checked_whole("reflections", reflections, 0)
        self.reflect = checked_prompt("reflect", reflect)
        options.setdefault("width", 8)
        options.setdefault("enough", 0.9)
        super().__init__(generation_controller, judge_controller, **options)

    def new_search(self, seed: int = 0) -> Lats:
        """A search that has not begun."""
        return Lats(self_evaluation=self.self_evaluation, exploration=self.exploration, max_depth=self.max_depth)

    def finder(self, task: GenerationTask, search: TreeSearch, options: Mapping[str, object]) -> Finder:
        """What finds the steps of a request."""
        assert isinstance(search, Lats)
        left = max(0, self.reflections - len(search.lessons))
        return Reflecting(steps=self.next_steps(task, options), prompt=self.reflect, enough=self.enough, left=left)
