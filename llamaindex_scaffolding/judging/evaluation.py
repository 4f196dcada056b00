"""evaluated: one of LlamaIndex's evaluators on one answer, in the way the caller calls."""

from __future__ import annotations

from llama_index.core.base.response.schema import Response
from llama_index.core.evaluation import BaseEvaluator, EvaluationResult

from scaffolding_core.adapting import called_synchronously, run_in_thread

__all__ = ["evaluated"]


async def evaluated(evaluator: BaseEvaluator, query: str, answer: Response | str) -> EvaluationResult:
    """The evaluator's result: on a response with its source nodes as contexts, or on a bare text without.

    Under a blocking call the evaluator's blocking method runs in a thread; under an async call its async
    method runs on the caller's loop.
    """
    if isinstance(answer, str):
        if called_synchronously.get():
            return await run_in_thread(evaluator.evaluate, query=query, response=answer)
        return await evaluator.aevaluate(query=query, response=answer)
    if called_synchronously.get():
        return await run_in_thread(evaluator.evaluate_response, query=query, response=answer)
    return await evaluator.aevaluate_response(query=query, response=answer)
