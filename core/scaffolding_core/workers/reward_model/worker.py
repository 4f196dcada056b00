"""RewardModelWorker: a server with a reward model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from scaffolding_core.errors import (
    AuthenticationError,
    BackendTimeoutError,
    BackendUnavailableError,
    BadRequestError,
    ClosedError,
    InvalidRequestError,
    ModelNotFoundError,
    RateLimitError,
    WorkerError,
)
from scaffolding_core.messages import Usage
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.results.step_scores import AGGREGATES, aggregate_steps
from scaffolding_core.tasks import RewardTask, Task
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.http.asked_once import AskedOnce
from scaffolding_core.workers.http.endpoint import headers_with_key
from scaffolding_core.workers.limits import check_counts, check_seconds, deadline_of
from scaffolding_core.workers.openai.wire_numbers import read_count
from scaffolding_core.workers.reward_model.batches import Batches
from scaffolding_core.workers.reward_model.judged import Judged, Score, judged_of
from scaffolding_core.workers.reward_model.process_models import (
    Convention,
    convention_named,
    convention_of_model,
    steps_of,
)
from scaffolding_core.workers.reward_model.routes import Asking, Route, routes_at, routes_for
from scaffolding_core.workers.reward_model.server import RewardServer, is_away, may_pass
from scaffolding_core.workers.reward_model.templates import template_named, template_of_model

__all__ = ["RewardModelWorker"]

_PROBE = Judged(
    "What is 1 + 1?",
    "2",
    ({"role": "user", "content": "What is 1 + 1?"},),
    {"role": "assistant", "content": "2"},
)
"""A short answer, by which it is found out how the server scores; no answer of a user's decides that."""

_NO_ROUTES_FAULT = (
    AuthenticationError,
    BackendTimeoutError,
    BackendUnavailableError,
    ClosedError,
    ModelNotFoundError,
    RateLimitError,
)
"""Failures that no other route would mend."""


class _Member:
    """A task that waits for its score; `cut` when nobody wants it any more."""

    def __init__(self, task: RewardTask, judged: Judged) -> None:
        self.task = task
        self.judged = judged
        self.cut = False


class RewardModelWorker(Worker):
    """Scores answers with a reward model behind vLLM, SGLang or Text Embeddings Inference.

    How the server scores is found out once, with a short answer of its own: as a chat (`/classify`, `/pooling`),
    as prompt and answer (`/score`, `/rerank`, `/predict`), or each step of an answer, where the model's name tells
    a process reward model. Rerankers are asked as rerankers. Scores are from 0 to 1, unless they are wanted `raw`.

    Cost: one request for each answer; those that start together and go to a route that takes several share one.
    Before the first, up to 3 questions for the model's name and a short request for each route, until one scores.
    A process reward model takes one request for each answer, and to find its steps up to 2 more, or, of Skywork's
    kind, 2 and one for each step.

    Args:
        url: the server's address, with or without `/v1`.
        model: its name there; None takes what the server tells.
        api_key: sent as bearer token.
        headers: sent with every request.
        route: its path at the server: `classify`, `pooling`, `score`, `v1/score`, `rerank`, `v1/rerank`,
            `v2/rerank` or `predict`; None finds it.
        convention: of a process reward model: `qwen2.5-math-prm` or `skywork-prm`; None goes by the model's name.
        step_separator: what stands between the steps of an answer, for a process reward model.
        aggregate: what makes one score of the steps': `minimum`, `product`, `mean` or `last`.
        raw: scores as the model's head has them, where the server can tell them.
        label: name or number of the label whose probability is the score; None for the only one, or the last of
            two.
        label_tokens: ids of tokens that a model may say next, for SGLang's `/v1/score`: the first one's chance
            among them is the score.
        template: how a chat becomes a text, for SGLang's `/classify`: `chatml`, `llama3` or `gemma`; None goes by
            the model's name.
        max_batch: answers in one request at most.
        max_concurrency: tasks at once, over all event loops.
        max_attempts: attempts for each request, the first included.
        timeout: seconds for each request; the request's own deadline holds too.
        connect_timeout: seconds for one connection.

    Raises:
        InvalidRequestError: an address that is none, an unknown route, convention, aggregate or template, tokens
            that are no ids, or a number out of range.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        route: str | None = None,
        convention: str | None = None,
        step_separator: str = "\n\n",
        aggregate: str = "minimum",
        raw: bool = False,
        label: str | int | None = None,
        label_tokens: Sequence[int] = (),
        template: str | None = None,
        max_batch: int = 32,
        max_concurrency: int = 256,
        max_attempts: int = 3,
        timeout: float = 60.0,
        connect_timeout: float = 5.0,
    ) -> None:
        check_counts(max_batch=max_batch, max_concurrency=max_concurrency, max_attempts=max_attempts)
        check_seconds(timeout=timeout, connect_timeout=connect_timeout)
        self._routes = [] if route is None else routes_at(route)
        if aggregate not in AGGREGATES:
            raise InvalidRequestError(f"no aggregate is named {aggregate!r}; there are: {', '.join(AGGREGATES)}")
        if not isinstance(step_separator, str) or not step_separator:
            raise InvalidRequestError(f"step_separator must be a text between two steps, got {step_separator!r}")
        if not isinstance(raw, bool):
            raise InvalidRequestError(f"raw must be True or False, got {raw!r}")
        if template is not None:
            template_named(template)
        all_headers = headers_with_key(headers, api_key)
        self._server = RewardServer(
            url, model, all_headers, most=max_attempts, timeout=timeout, connect_timeout=connect_timeout
        )
        self._convention = None if convention is None else convention_named(convention)
        self._asking = Asking(raw, label, template, _checked_ids(label_tokens))
        self._found = AskedOnce[Route | Convention]()
        self._batches = Batches(self._ask, max_batch)
        self.step_separator = step_separator
        self.aggregate = aggregate
        self.timeout = timeout
        self.max_concurrency = max_concurrency

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.model!r})"

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in super().__getstate__().items() if name != "_found"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._found = AskedOnce[Route | Convention]()

    @property
    def url(self) -> str:
        """The server's address, without what is secret."""
        return self._server.address

    @property
    def model(self) -> str | None:
        """Name of the model, once it is known."""
        return self._server.model

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # it grows
        """What is known of the model."""
        return ModelInfo(name=self.model)

    async def learn_model(self) -> None:
        """Ask the server for the model's name, where none is known.

        Raises:
            WorkerError: the server is not there, or refuses the key.
        """
        if self.model is None:
            await self._server.learn_model()

    async def _score(self, task: RewardTask) -> None:
        task.usage = Usage()
        judged = judged_of(task)
        if self._server.closed:
            raise ClosedError(f"{self!r} is closed: make a new one")
        try:
            async with asyncio.timeout_at(deadline_of(task, None)):
                way = await self._found.answer(self._find)
                if isinstance(way, Convention):
                    score = await self._score_of_steps(way, judged, task.usage)
                else:
                    score = await self._score_by(way, _Member(task, judged))
        except TimeoutError as error:
            raise BackendTimeoutError(
                f"{self.url} did not score before the deadline: allow more time, or score less"
            ) from error
        task.reward, task.step_rewards = score.score, None if score.steps is None else list(score.steps)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {RewardTask: _score}

    # How the server scores.

    async def _find(self) -> Route | Convention:
        """How the server scores answers.

        Raises:
            BadRequestError: by no route that was tried.
            WorkerError: it is not there, refuses the key, or does not serve the model.
        """
        await self.learn_model()
        convention = self._convention or (None if self._routes else convention_of_model(self.model))
        if convention is not None:
            return convention
        if self._asking.template is None and self.model is not None:
            self._asking = replace(self._asking, template=template_of_model(self.model))
        tried = []
        for route in self._routes or routes_for(self.model):
            try:
                await self._post(route, [_PROBE], Usage(), again=is_away)
                return route
            except _NO_ROUTES_FAULT:
                raise
            except (WorkerError, InvalidRequestError) as error:
                if isinstance(error, WorkerError) and is_away(error):
                    raise
                tried.append(f"{route.path} ({route.name}): {error}")
        raise BadRequestError(
            f"{self.url} scores no answer by any route that was tried: correct the address or the model, or name "
            f"what fits it by route=, label= or template= ({'; '.join(tried)})"
        )

    async def _post(
        self, route: Route, judged: Sequence[Judged], paid: Usage, again: Callable[[WorkerError], bool] = may_pass
    ) -> list[float]:
        told = await self._told(route.path, route.body(judged, self._asking), paid, again)
        try:
            return route.read(told, len(judged), self._asking)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise WorkerError(
                f"{self.url}{route.path} told what is no score: {self._server.quoted(told)}"
            ) from error

    async def _told(
        self,
        path: str,
        body: dict[str, Any],
        paid: Usage,
        again: Callable[[WorkerError], bool] = may_pass,
    ) -> Any:
        """What the server answers, whose tokens are added to what was paid; Any: whatever JSON holds."""
        told = await self._server.post(path, body, paid, again=again)
        if not told.served:
            raise self._server.absent(told, path)
        paid.prompt_tokens += _prompt_tokens(told.what)
        return told.what

    # Scores.

    async def _score_of_steps(self, convention: Convention, judged: Judged, paid: Usage) -> Score:
        async def post(path: str, body: dict[str, Any]) -> Any:
            return await self._told(path, body, paid)

        try:
            steps = await convention.score(judged, steps_of(judged.answer, self.step_separator), post)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise WorkerError(f"{self.url} told what are no scores of steps: {error!r}") from error
        return Score(aggregate_steps(steps, self.aggregate), tuple(steps))

    async def _score_by(self, route: Route, member: _Member) -> Score:
        key: Hashable = member.judged.prompt if route.together == "prompt" else None
        most = 1 if route.together == 1 else self._batches.most
        try:
            return await self._batches.answer(member, key, most)
        except asyncio.CancelledError:
            member.cut = True
            raise

    async def _ask(self, members: Sequence[_Member]) -> list[Score]:
        route = await self._found.answer(self._find)
        assert isinstance(route, Route)
        paid = Usage()
        try:
            scores = await self._post(route, [member.judged for member in members], paid)
        finally:
            _charge(members, paid)
        return [Score(score) for score in scores]

    # The end.

    async def check_health(self) -> None:
        """Ask the server whether it is well, which costs no tokens.

        Raises:
            WorkerError: it is not, or not there.
        """
        await self._server.check_health()

    async def release_loop(self) -> None:
        """Close the running loop's connections."""
        await self._server.release_loop()

    async def async_shutdown(self) -> None:
        """Close the worker and all its connections."""
        await self._server.aclose()

    def shutdown(self) -> None:
        """Close the worker and all its connections, from a thread without a running loop."""
        self._server.close()


def _checked_ids(tokens: Sequence[int]) -> tuple[int, ...]:
    given = tokens if isinstance(tokens, Sequence) else [None]
    ids = [each for each in given if isinstance(each, int) and not isinstance(each, bool) and each >= 0]
    if len(ids) != len(given):
        raise InvalidRequestError(f"label_tokens must be the ids of tokens, such as [9693, 2152], got {tokens!r}")
    return tuple(ids)


def _charge(members: Sequence[_Member], paid: Usage) -> None:
    """Let the first who still waits pay; where all were cut, the last to go."""
    payer = next((member for member in members if not member.cut), members[-1])
    (payer.task.usage or Usage()).add(paid)


def _prompt_tokens(told: Any) -> int:
    """The tokens that a server says it has read; 0 where it tells none."""
    if isinstance(told, list):  # SGLang tells of each
        return sum(_counted(each.get("meta_info")) for each in told if isinstance(each, Mapping))
    return _counted(told.get("usage")) if isinstance(told, Mapping) else 0


def _counted(usage: object) -> int:
    if not isinstance(usage, Mapping):
        return 0
    return read_count(usage.get("prompt_tokens")) or read_count(usage.get("total_tokens")) or 0
