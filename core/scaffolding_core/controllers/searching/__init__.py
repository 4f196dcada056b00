"""Methods that search a tree of steps."""

from scaffolding_core.controllers.searching.best_first import BestFirstController
from scaffolding_core.controllers.searching.mcts import MctsController
from scaffolding_core.controllers.searching.tree_of_thoughts import TreeOfThoughtsController

__all__ = ["BestFirstController", "MctsController", "TreeOfThoughtsController"]
