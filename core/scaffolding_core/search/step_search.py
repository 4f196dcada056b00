"""StepSearch: a search over the steps of one answer, each of which is drawn anew as often as it says."""

from __future__ import annotations

from abc import abstractmethod

from scaffolding_core.search.tree_search import TreeSearch, Trial

__all__ = ["StepSearch"]


class StepSearch(TreeSearch):
    """A search over the steps of one answer, each of which is drawn anew as often as it says."""

    @abstractmethod
    def samples(self, trial: Trial) -> int:
        """How many next steps to draw in a trial that runs."""

    @property
    def finished(self) -> list[int]:
        """The nodes at which an answer ends, by id, in the order of their places."""
        ended = [node for node in self.nodes.values() if node.id != self.root and self.ends(node)]
        return [node.id for node in sorted(ended, key=lambda node: node.place)]
