"""RotatedContext, ShuffledContext: each sample reads the retrieved nodes in an order of its own."""

from __future__ import annotations

import random
from contextvars import ContextVar

from llama_index.core.bridge.pydantic import Field
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle

__all__ = ["RotatedContext", "ShuffledContext", "sample_index"]

sample_index: ContextVar[int] = ContextVar("sample_index", default=0)
"""Index of the sample of a `ScaffoldingQueryEngine` that runs in this context; 0 outside of one."""


class RotatedContext(BaseNodePostprocessor):
    """Rotates the nodes by the sample's index: sample 1 begins with the second node, and so on.

    Models attend most to what comes first and last (Liu et al. 2023, arXiv 2307.03172), so samples that read
    the same nodes in other orders err in other ways, and a vote over them gains (permutation
    self-consistency, Tang et al. 2023, arXiv 2310.07712). The first sample, and a query that nobody samples,
    has the order of the retriever.
    """

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "RotatedContext"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        first = sample_index.get() % max(1, len(nodes))
        return nodes[first:] + nodes[:first]


class ShuffledContext(BaseNodePostprocessor):
    """Shuffles the nodes by the sample's index, the same way each time; see `RotatedContext` for why.

    The first sample, and a query that nobody samples, has the order of the retriever.
    """

    seed: int = Field(default=0, description="Another seed gives other orders.")

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "ShuffledContext"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        index = sample_index.get()
        return random.Random(f"{self.seed}/{index}").sample(nodes, len(nodes)) if index else nodes
