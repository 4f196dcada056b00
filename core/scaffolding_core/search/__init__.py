"""Tree searches as values: asked for trials and told their results, they touch nothing else.

A search is asked for nodes to expand, and told the thoughts that were found there, in any order, as often as it
likes. It is plain data: copied, pickled and resumed at any point.
"""

from __future__ import annotations

from scaffolding_core.search.ab_mcts import AbMcts
from scaffolding_core.search.beam import Beam
from scaffolding_core.search.best_first import BestFirst
from scaffolding_core.search.breadth_first import BreadthFirst
from scaffolding_core.search.depth_first import DepthFirst
from scaffolding_core.search.dvts import Dvts
from scaffolding_core.search.lats import Lats
from scaffolding_core.search.mcts import Mcts
from scaffolding_core.search.particle_gibbs import ParticleGibbs
from scaffolding_core.search.particles import Particles
from scaffolding_core.search.step_search import StepSearch
from scaffolding_core.search.tree_search import ROOT, Node, Thought, TreeSearch, Trial

__all__ = [
    "ROOT",
    "AbMcts",
    "Beam",
    "BestFirst",
    "BreadthFirst",
    "DepthFirst",
    "Dvts",
    "Lats",
    "Mcts",
    "Node",
    "ParticleGibbs",
    "Particles",
    "StepSearch",
    "Thought",
    "TreeSearch",
    "Trial",
]
