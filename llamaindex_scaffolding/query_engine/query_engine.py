"""ScaffoldingQueryEngine: a query engine that samples others, retrieval included, and chooses an answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import RESPONSE_TYPE, Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.evaluation import BaseEvaluator
from llama_index.core.llms import LLM
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.prompts.mixin import PromptMixin, PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle

from llamaindex_scaffolding.instrumentation.spans import shown_as_spans
from llamaindex_scaffolding.judging.rewards import Reward, core_reward
from llamaindex_scaffolding.judging.roles import core_roles
from llamaindex_scaffolding.judging.support import Support, support_of
from llamaindex_scaffolding.query_engine.response import chosen_response, is_streamed
from llamaindex_scaffolding.query_engine.streams import async_stream_of, stream_of
from llamaindex_scaffolding.query_engine.worker import QUERY, Query, QueryEngineWorker
from scaffolding_core import (
    Answers,
    Budget,
    Controller,
    Extractor,
    GenerationTask,
    InvalidRequestError,
    NativeGenerationController,
    NativeRewardController,
    RetryWithFeedbackController,
    ScaffoldingLlm,
    SharedBudget,
)
from scaffolding_core.adapting import AnswersLike, Backend, Backends, Call, Closable, check_method

__all__ = ["ScaffoldingQueryEngine"]


class ScaffoldingQueryEngine(Closable, BaseQueryEngine):
    """A query engine that asks others several times, and votes on their answers or takes the best.

    It samples the whole pipeline, retrieval and answer. Given several engines (other retrievers, other
    prompts, other models), samples go round them: sample i to engine i modulo their number. Engines of one
    kind differ by their LLM's temperature, or by the order in which each sample reads the nodes: see
    `RotatedContext` and `ShuffledContext`.

    The response is the chosen sample's, whole: text, source nodes, metadata. Its
    `metadata["scaffolding"]` tells method, answer, votes, agreement, candidates (each with its text, answer,
    score, votes, error and the ids of its source nodes), samples, usage, stopped and trace_id, as plain
    data. A streaming engine is read to its end inside its sample, and the chosen answer is streamed as a stock
    engine streams it, with its whole text in `response`. A structured response stays one: `field_vote` takes
    the sample that agrees most, and leaves the consensus in `answer`. A sample that fails costs that sample
    alone.

    Each sample is a span under the query's. Cancelling `aquery` cancels the samples. It stands wherever a
    query engine stands: tools of agents, routers, sub-questions. It can be pickled where its engines can.

    Cost: that of the method, in queries: at most `sample_num`, all at the same time; `(1 + max_retries)`
    times as many where every answer fails. The tokens of the engines' LLM calls, and of those of evaluators
    and rerankers, are counted as far as the LLMs tell them.

    Args:
        query_engines: one engine, or several.
        method: a method's name, or a controller.
        sample_num: samples, for methods that take several.
        answers: the kind of answer, such as `"number"`, a mapping with a `kind`, an `Answers`, or a pair of your
            own extractor and equivalence; for `field_vote` one of these a field. `support` looks up what it finds.
        reward: scores answers for methods that judge and for retries: an evaluator (it gets query, response and
            the sample's own source nodes as contexts), a reranker, a name or a mapping with its options, the
            address of a reward model, a function of query and answer, or a worker.
        roles: who plays the other roles that the method needs, by role: an LLM or a worker.
        support: whether an answer counts: `SourceSupport()`, or an evaluator such as
            `FaithfulnessEvaluator`. A sample without support has no vote and cannot win; `candidates` lists
            it with its answer, and why in `error`.
        max_retries: how often a sample that the reward fails is asked again, with the reward's feedback. With
            `best_of_n` each answer that is kept is scored once more.
        budget: of each query.
        max_concurrency: queries to the engines at once.
        callback_manager: gets a QUERY event for each query; the first engine's by default.
        options: of the method's class, such as `extractor`, `equivalence` or `stop_rule`; `generation` is a
            method that each sample runs.

    Examples:
        ```python
        from llamaindex_scaffolding.query_engine.query_engine import ScaffoldingQueryEngine

        engines = [index.as_query_engine(), RetrieverQueryEngine.from_args(bm25_retriever)]
        engine = ScaffoldingQueryEngine(engines, "majority_vote", sample_num=8)
        response = engine.query("How many apples are there?")
        response.metadata["scaffolding"]["votes"]
        ```

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: no engine, options that the method does not have (`answers` too), an unknown kind of
            answer, or nobody for a role that the method needs.
    """

    def __init__(
        self,
        query_engines: BaseQueryEngine | Sequence[BaseQueryEngine],
        method: str | Controller = "majority_vote",
        *,
        sample_num: int | None = None,
        answers: AnswersLike | Mapping[str, AnswersLike] | None = None,
        reward: Reward | None = None,
        roles: Mapping[Hashable, Reward | LLM] | None = None,
        support: Support | BaseEvaluator | None = None,
        max_retries: int = 0,
        budget: Budget | SharedBudget | None = None,
        max_concurrency: int = 256,
        callback_manager: CallbackManager | None = None,
        **options: Any,
    ) -> None:
        engines = [query_engines] if isinstance(query_engines, BaseQueryEngine) else list(query_engines)
        _check(method, options, max_retries=max_retries)
        if answers is not None:
            options["answers"] = answers
        worker = QueryEngineWorker(engines, support=support_of(support), max_concurrency=max_concurrency)
        self._query_engines = worker.query_engines
        self._reward = reward
        self._support = support
        self._method = method
        self._options = {"generation": _generation(max_retries), **options} if isinstance(method, str) else options
        self._worker = worker
        self._roles = roles
        self._opened = Backends()
        self._request: dict[str, Any] = {} if budget is None else {"budget": budget}
        check_method(self._opened.get((), self._make_backend), method, self._options, sample_num)
        llm = self._llm()
        if llm.takes("sample_num"):
            self._request["sample_num"] = sample_num
        worker.extractor = _reads(llm.prototype_controller, method, options) or worker.extractor
        super().__init__(callback_manager or engines[0].callback_manager)

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """The nodes of all engines, in their order, each node once."""
        found: dict[str, NodeWithScore] = {}
        for engine in self._query_engines:
            for node in engine.retrieve(query_bundle):
                found.setdefault(node.node.node_id, node)
        return list(found.values())

    def synthesize(
        self,
        query_bundle: QueryBundle,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
    ) -> RESPONSE_TYPE:
        """Sample the answer alone, from nodes that are there already."""
        return self._choose(Query(query_bundle, nodes, additional_source_nodes))

    async def asynthesize(
        self,
        query_bundle: QueryBundle,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
    ) -> RESPONSE_TYPE:
        """Sample the answer alone, from nodes that are there already."""
        return await self._achoose(Query(query_bundle, nodes, additional_source_nodes))

    def update_prompts(self, prompts_dict: dict[str, BasePromptTemplate]) -> None:
        """Change prompts of the engines and judges, by the names that `get_prompts()` tells.

        Raises:
            InvalidRequestError: no engine or judge of that name.
        """
        modules = self._get_prompt_modules()
        for name, prompt in prompts_dict.items():
            module, _, inner = name.partition(":")  # LlamaIndex's own stops at names of two parts
            if module not in modules:
                raise InvalidRequestError(f"no prompt is named {name!r}: see get_prompts()")
            modules[module].update_prompts({inner: prompt})

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._event(query_bundle) as event:
            response = self._choose(Query(query_bundle))
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._event(query_bundle) as event:
            response = await self._achoose(Query(query_bundle))
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    def _event(self, query_bundle: QueryBundle) -> Any:  # Any: LlamaIndex annotates its context manager wrongly
        payload: dict[str, Any] = {EventPayload.QUERY_STR: query_bundle.query_str}
        return self.callback_manager.event(CBEventType.QUERY, payload=payload)

    def _choose(self, query: Query) -> RESPONSE_TYPE:
        result = self._call(query).result()
        chosen = chosen_response(result)
        return stream_of(chosen) if isinstance(chosen, Response) and is_streamed(result) else chosen

    async def _achoose(self, query: Query) -> RESPONSE_TYPE:
        result = await self._call(query).aresult()
        chosen = chosen_response(result)
        return async_stream_of(chosen) if isinstance(chosen, Response) and is_streamed(result) else chosen

    def _call(self, query: Query) -> Call:
        return Call(self._llm(), _task(query), self._request, shown_as_spans())

    @property
    def _backends(self) -> Backends:
        return self._opened

    def _llm(self) -> ScaffoldingLlm:
        return self._opened.get((), self._make_backend).llm(self._method, self._options)

    def _make_backend(self) -> Backend:
        return Backend(self._worker, core_reward(self._reward), roles=core_roles(self._roles), can_judge=False)

    def _get_prompt_modules(self) -> PromptMixinType:
        lone = len(self._query_engines) == 1
        modules: PromptMixinType = {
            "query_engine" if lone else f"query_engine_{index}": engine
            for index, engine in enumerate(self._query_engines)
        }
        judges = {"reward": self._reward, "support": self._support}
        return {**modules, **{name: judge for name, judge in judges.items() if isinstance(judge, PromptMixin)}}


def _check(method: str | Controller, options: Mapping[str, object], *, max_retries: int) -> None:
    if not max_retries:
        return
    if not isinstance(method, str):
        raise InvalidRequestError("max_retries goes with a method's name: let your controller ask again")
    if "generation" in options:
        raise InvalidRequestError("max_retries makes the generation that is sampled: leave one of the two out")


def _reads(controller: Controller, method: str | Controller, options: Mapping[str, Any]) -> Extractor | None:
    """What finds the answer in a text, if the user says it; structures are checked as they are."""
    extractor: Extractor | None = options.get("extractor") or getattr(method, "extractor", None)
    if extractor is not None or controller.votes_on_fields:
        return extractor
    answers = options.get("answers") or getattr(method, "answers", None)
    return None if answers is None else Answers.of(answers).extractor


def _generation(max_retries: int) -> Controller:
    generation = NativeGenerationController()
    if not max_retries:
        return generation
    return RetryWithFeedbackController(generation, NativeRewardController(), max_retries)


def _task(query: Query) -> GenerationTask:
    return GenerationTask(input_str=query.bundle.query_str, custom_input_params={QUERY: query})
