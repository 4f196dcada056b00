"""QueryEngineWorker: LlamaIndex query engines as a backend, so that methods sample retrieval and answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import ClassVar, TypeAlias

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import (
    RESPONSE_TYPE,
    AsyncStreamingResponse,
    PydanticResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.schema import NodeWithScore, QueryBundle

from llamaindex_scaffolding.instrumentation.llm_usage import counted_llm_calls
from llamaindex_scaffolding.judging.support import Support, UnsupportedAnswerError
from llamaindex_scaffolding.query_engine.context_order import sample_index
from llamaindex_scaffolding.query_engine.streams import read_to_its_end
from llamaindex_scaffolding.translation.citations import are_numbered, without_citations
from scaffolding_core import (
    Answer,
    AssistantMessage,
    ChatTask,
    Extractor,
    GenerationTask,
    InvalidRequestError,
    Task,
    ToolCall,
    UnsupportedParameterError,
    Worker,
    WorkerError,
    default_extractor,
)
from scaffolding_core.adapting import TaskHandler, run_either, run_in_thread

__all__ = ["QUERY", "Query", "QueryEngineWorker", "WholeResponse"]

QUERY = "llamaindex_query"
"""Key of a task's `custom_input_params` whose value is the `Query` it stands for."""

WholeResponse: TypeAlias = Response | PydanticResponse
"""A response that has been read to its end."""

_NOTHING_FOUND = "Empty Response"  # LlamaIndex's text where nothing was retrieved


@dataclass(frozen=True, slots=True)
class Query:
    """What a query engine is asked.

    Args:
        bundle: the query.
        nodes: retrieved already, so that only the answer is sampled; None retrieves.
        additional: source nodes to list beside those.
    """

    bundle: QueryBundle
    nodes: Sequence[NodeWithScore] | None = None
    additional: Sequence[NodeWithScore] | None = None


class QueryEngineWorker(Worker):
    """Runs each generation as a query to one of several engines; sample i goes to engine i modulo their number.

    Under a blocking call `query` runs in a thread, with the caller's context; under an async call `aquery`
    runs on the caller's loop, and is cancelled with the sample. An engine without an async way of its own
    (its `aquery` is not implemented, or calls its blocking code on the loop, as `RetryQueryEngine` does) runs
    in a thread then too; a thread cannot be stopped, so a cut query runs to its end, unseen. A streamed
    response is read to its end inside the sample.

    The result is the engine's response, whole, in `original`. What a vote compares is its text, without
    citations where the sources are numbered; a structured response counts as a tool call, so that it is
    compared as a whole, or field by field. "Empty Response" without a source is no answer.

    Cost: one query for each task; the tokens of its LLM calls are counted as far as the LLMs tell them.

    Args:
        query_engines: at least one.
        support: a sample whose answer it rejects fails with an `UnsupportedAnswerError`.
        extractor: finds the answer that `support` is asked about.
        max_concurrency: queries at once.

    Raises:
        InvalidRequestError: no engine, or something else among them.
    """

    is_chain = True

    def __init__(
        self,
        query_engines: Sequence[BaseQueryEngine],
        *,
        support: Support | None = None,
        extractor: Extractor | None = None,
        max_concurrency: int = 256,
    ) -> None:
        if not query_engines:
            raise InvalidRequestError("there is no query engine to sample: give at least one")
        for engine in query_engines:
            if not isinstance(engine, BaseQueryEngine):
                raise InvalidRequestError(f"a query engine must be a BaseQueryEngine, got {type(engine).__name__}")
        self.query_engines = list(query_engines)
        self.support = support
        self.extractor = extractor or default_extractor()
        self.max_concurrency = max_concurrency

    async def _answer(self, task: GenerationTask) -> None:
        query = _query(task)
        index = _sample_of(task)
        sample_index.set(index)  # in the task that runs this sample alone
        engine = self.query_engines[index % len(self.query_engines)]
        with counted_llm_calls() as calls:
            try:
                response = await _response(engine, query)
                task.said = _said(response)
                await self._check(task, query, response)
            finally:
                task.usage = calls.usage

    async def _check(self, task: GenerationTask, query: Query, response: WholeResponse) -> None:
        if self.support is None:
            return
        answer = await self._stated(task, response)
        if answer is None:
            return  # it has no vote anyhow
        text = response.get_response() if isinstance(response, PydanticResponse) else response
        why = await self.support.unsupported(query.bundle.query_str, answer, text)
        if why is not None:
            raise UnsupportedAnswerError(f"the answer {_short(answer)} has no support: {why}", answer)

    async def _stated(self, task: GenerationTask, response: WholeResponse) -> Answer | None:
        if isinstance(response, PydanticResponse):
            return response.response.model_dump() if response.response is not None else None
        if self.extractor.costly:
            return await run_in_thread(self.extractor.extract, task.message())
        return self.extractor.extract(task.message())

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {GenerationTask: _answer}


async def _response(engine: BaseQueryEngine, query: Query) -> WholeResponse:
    """What the engine answers, whole.

    Raises:
        WorkerError: it failed; whatever it raised costs this sample alone.
    """
    try:
        return await _whole(await run_either(_ask, None if _blocks(engine) else _aask, engine, query))
    except Exception as error:
        described = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise WorkerError(f"{type(engine).__name__} failed: {described}") from error


def _ask(engine: BaseQueryEngine, query: Query) -> RESPONSE_TYPE:
    if query.nodes is None:
        return engine.query(query.bundle)
    return engine.synthesize(query.bundle, list(query.nodes), query.additional)


async def _aask(engine: BaseQueryEngine, query: Query) -> RESPONSE_TYPE:
    try:
        if query.nodes is None:
            return await engine.aquery(query.bundle)
        return await engine.asynthesize(query.bundle, list(query.nodes), query.additional)
    except NotImplementedError:
        return await run_in_thread(_ask, engine, query)


def _blocks(engine: BaseQueryEngine) -> bool:
    """Whether its async method is its blocking one by another name, which would hold up the loop."""
    if isinstance(engine, CustomQueryEngine):
        return "custom_query" in _names_in(type(engine).acustom_query)
    return "_query" in _names_in(type(engine)._aquery)


def _names_in(method: Callable[..., object]) -> Sequence[str]:
    code: CodeType | None = getattr(inspect.unwrap(method), "__code__", None)
    return code.co_names if code is not None else ()


async def _whole(response: RESPONSE_TYPE) -> WholeResponse:
    if isinstance(response, StreamingResponse | AsyncStreamingResponse):
        return await read_to_its_end(response)
    return response


def _sample_of(task: GenerationTask) -> int:
    """Which sample a task is for; of one that its method did not number, the sum of its branch's numbers."""
    if task.sample_index is not None:
        return task.sample_index
    return sum(task.scope.branch) if task.scope is not None else 0


def _query(task: GenerationTask) -> Query:
    """The query that a task stands for; what a method made of its text replaces the text."""
    set_by_somebody = task.sampling().keys() - {"seed"}
    if set_by_somebody:
        raise UnsupportedParameterError(
            f"a query engine takes no {min(set_by_somebody)}: set it on the LLM of its response synthesizer"
        )
    text = task.input_str
    if text is None and isinstance(task, ChatTask):
        asked = [message.text for message in task.messages if message.role == "user"]
        text = asked[-1] if asked else None
    if text is None:
        raise InvalidRequestError("a query engine takes a text or a chat with a question, not token ids")
    given = (task.custom_input_params or {}).get(QUERY)
    if not isinstance(given, Query):
        return Query(QueryBundle(text))
    if text == given.bundle.query_str:
        return given
    # Retrievers that embed go on looking for what was asked, not for what a method says beside it.
    bundle = QueryBundle(text, given.bundle.image_path, given.bundle.embedding_strs, given.bundle.embedding)
    return Query(bundle, given.nodes, given.additional)


def _said(response: WholeResponse) -> AssistantMessage:
    if isinstance(response, PydanticResponse):
        content = response.response
        text = content.model_dump_json() if content is not None else ""
        calls = [ToolCall("", type(content).__name__, text)] if content is not None else None
        return AssistantMessage(text, None, calls, finish_reason="stop", original=response)
    text = response.response or ""
    if are_numbered(response.source_nodes):
        text = without_citations(text)
    if text == _NOTHING_FOUND and not response.source_nodes:
        text = ""
    return AssistantMessage(text, finish_reason="stop", original=response)


def _short(answer: Answer) -> str:
    shown = repr(answer)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
