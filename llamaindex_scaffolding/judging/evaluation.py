"""evaluated: one of LlamaIndex's evaluators on one answer, in the way the caller calls."""

from __future__ import annotations

from typing import cast

from llama_index.core.base.response.schema import Response
from llama_index.core.evaluation import BaseEvaluator, EvaluationResult

from scaffolding_core import WorkerError
from scaffolding_core.adapting import run_either

__all__ = ["evaluated"]


async def evaluated(evaluator: BaseEvaluator, query: str, answer: Response | str) -> EvaluationResult:
    """The evaluator's result: on a response with its source nodes as contexts, or on a bare text without.

    Raises:
        WorkerError: the evaluator says itself that its result is none.
    """
    way = "evaluate" if isinstance(answer, str) else "evaluate_response"
    forms = getattr(evaluator, way), getattr(evaluator, f"a{way}")
    result = cast("EvaluationResult", await run_either(*forms, query=query, response=answer))
    if result.invalid_result:
        raise WorkerError(f"the evaluator gave no valid result: {result.invalid_reason or repr(result)}")
    return result
