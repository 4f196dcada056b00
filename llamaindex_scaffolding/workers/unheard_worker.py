"""UnheardWorker: an LLM as a backend, whose callbacks are not told."""

from __future__ import annotations

from llama_index.core.llms import LLM

from llamaindex_scaffolding.instrumentation.unheard import unheard
from llamaindex_scaffolding.workers.worker import LlamaIndexWorker

__all__ = ["UnheardWorker"]


class UnheardWorker(LlamaIndexWorker):
    """As `LlamaIndexWorker`, but the LLM's callbacks are not told: the LLM around it tells, once, of all calls.

    Args:
        llm: any LLM; whatever changes in it holds from the next call on.
        max_concurrency: calls at once.
    """

    @property
    def _called(self) -> LLM:
        return unheard(self.llm)
