"""Query engines and evaluators whose answers are known.

Doubles, because a vote, a failure and a judge's feedback have to come out the same each time.
"""

import asyncio
import threading

from llama_index.core import Document, SummaryIndex
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.evaluation import BaseEvaluator, EvaluationResult
from llama_index.core.schema import NodeWithScore, TextNode


def nodes(*texts):
    return [NodeWithScore(node=TextNode(text=text, id_=text), score=0.5) for text in texts]


class KnownEngine(BaseQueryEngine):
    """Answers with what it was given, or with what a function makes of the query; exceptions are raised."""

    def __init__(self, answer, sources=("a source",), wait=0.0):
        super().__init__(callback_manager=None)
        self.answer, self.sources, self.wait = answer, sources, wait
        self.queries, self.calls, self.threads, self.cancelled = [], [], [], 0
        self.waiting = False

    def _get_prompt_modules(self):
        return {}

    def _answered(self, call, query_bundle):
        self.queries.append(query_bundle)
        self.calls.append(call)
        self.threads.append(threading.get_ident())
        answer = self.answer(query_bundle) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, str):
            return answer
        return Response(answer, nodes(*self.sources), {"of": answer})

    def _query(self, query_bundle):
        return self._answered("query", query_bundle)

    async def _aquery(self, query_bundle):
        try:
            self.waiting = True
            await asyncio.sleep(self.wait)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._answered("aquery", query_bundle)


class KnownEvaluator(BaseEvaluator):
    """Scores by a function of query, response and contexts, and remembers what it was asked."""

    def __init__(self, judge):
        self.judge = judge
        self.asked = []

    def _get_prompts(self):
        return {}

    def _update_prompts(self, prompts):
        pass

    async def aevaluate(self, query=None, response=None, contexts=None, **kwargs):
        self.asked.append((query, response, contexts))
        told = self.judge(query, response, contexts)
        return EvaluationResult(query=query, response=response, contexts=contexts, **told)


def summary_index(*texts):
    return SummaryIndex([Document(text=text) for text in texts])
