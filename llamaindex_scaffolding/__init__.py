"""Inference-time compute wherever a LlamaIndex user has an LLM."""

from __future__ import annotations

from scaffolding_core import MissingExtraError

try:
    import llama_index.core  # noqa: F401  # whether it is there
except ImportError as error:
    raise MissingExtraError("llamaindex_scaffolding", "llamaindex") from error

import llamaindex_scaffolding.workers.tool  # noqa: F401  # it registers LlamaIndex's tools
from llamaindex_scaffolding.judging.support import EvaluatorSupport, SourceSupport, UnsupportedAnswerError
from llamaindex_scaffolding.llm.llm import ScaffoldingLLM
from llamaindex_scaffolding.query_engine.context_order import RotatedContext, ShuffledContext
from llamaindex_scaffolding.query_engine.query_engine import ScaffoldingQueryEngine
from llamaindex_scaffolding.reading import ReActStep
from llamaindex_scaffolding.sampled_workflow import SampledWorkflow
from llamaindex_scaffolding.translation.candidates import SampleEndEvent, SampleInProgressEvent
from llamaindex_scaffolding.workers.worker import LlamaIndexWorker
from llamaindex_scaffolding.workflow import run_method
from llamaindex_scaffolding.wrappers import with_best_of_n, with_chain_of_thought, with_majority_vote

__all__ = [
    "EvaluatorSupport",
    "LlamaIndexWorker",
    "ReActStep",
    "RotatedContext",
    "SampleEndEvent",
    "SampleInProgressEvent",
    "SampledWorkflow",
    "ScaffoldingLLM",
    "ScaffoldingQueryEngine",
    "ShuffledContext",
    "SourceSupport",
    "UnsupportedAnswerError",
    "run_method",
    "with_best_of_n",
    "with_chain_of_thought",
    "with_majority_vote",
]
