"""The one table of rewards, by name, and what a user may say for a reward: for all that takes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from scaffolding_core.answers import AnswersLike
from scaffolding_core.confidence import likelihood, self_certainty
from scaffolding_core.controller import Controller
from scaffolding_core.controllers import NativeRewardController
from scaffolding_core.controllers.judging import (
    CombinedReward,
    OwnConfidence,
    PairwiseJudge,
    PassJudge,
    RubricJudge,
    ScoreJudge,
    TestsLike,
    UnitTests,
    VerifiedReward,
)
from scaffolding_core.controllers.parts import checked_number, checked_whole
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.verifying import FitsSchema, Matches, SameAnswer, same_calls
from scaffolding_core.worker import Worker, is_worker
from scaffolding_core.workers.named import from_environment
from scaffolding_core.workers.reward import RewardFunction, reward_worker

__all__ = ["REWARDS", "RewardKind", "RewardLike", "Scorer", "converted_reward", "resolve_reward"]

RewardLike: TypeAlias = "str | Mapping[str, object] | RewardFunction | Worker | Controller"
"""What `reward=` takes: a name in `REWARDS`, a mapping `{"kind": name, ...}` with its options, the address of a
server with a reward model, a mapping `{"url": address, ...}` with options of `RewardModelWorker`, a function of
prompt and answer, a worker, or a controller that scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardKind:
    """One row of the table of rewards.

    Args:
        name: what users say.
        constructor: makes the controller that scores, of its options.
        summary: what it scores, in one line.
        cost: what a judgement costs, in one line.
        roles: the roles that it asks.
    """

    name: str
    constructor: Callable[..., Controller]
    summary: str
    cost: str
    roles: tuple[str, ...] = ()

    def __call__(self, **options: object) -> Controller:
        """The controller that scores.

        Args:
            options: of the constructor.

        Raises:
            InvalidRequestError: an option that the reward does not have, or one that it needs and lacks.
        """
        takes = inspect.signature(self.constructor)
        try:
            takes.bind_partial(**options)  # a misspelt option is named before the one that lacks for it
            takes.bind(**options)
        except TypeError as error:
            raise InvalidRequestError(f"the reward {self.name!r} does not take these options: {error}") from error
        return self.constructor(**options)


@dataclass(frozen=True, slots=True)
class Scorer:
    """A reward as a method takes it.

    Attributes:
        controller: scores.
        workers: by the roles that it asks, beside those that whoever assembles it gives.
        opened: those of the workers that were made for it, for whoever assembles it to close.
    """

    controller: Controller
    workers: Mapping[Hashable, Worker] = field(default_factory=dict)
    opened: tuple[Worker, ...] = ()


def _exact(reference: object, answers: AnswersLike | None = None) -> Controller:
    return VerifiedReward(SameAnswer(reference, answers))


def _math(reference: object) -> Controller:
    return VerifiedReward(SameAnswer(reference, "math"))


def _regex(pattern: str, timeout: float = 1.0) -> Controller:
    return VerifiedReward(Matches(pattern, timeout=timeout))


def _schema(schema: Mapping[str, object]) -> Controller:
    return VerifiedReward(FitsSchema(schema))


def _likelihood(sharpness: float = 1.0) -> Controller:
    return OwnConfidence(partial(likelihood, sharpness=checked_number("sharpness", sharpness)))


def _self_certainty(num_logprobs: int = 20) -> Controller:
    return OwnConfidence(self_certainty, checked_whole("num_logprobs", num_logprobs, 2))


def _unit_tests(tests: TestsLike, seconds: float | None = None) -> Controller:
    pairs = (
        [tuple(each) if isinstance(each, list) else each for each in tests] if isinstance(tests, list) else tests
    )
    return UnitTests(pairs, seconds=seconds)


def _calls(
    reference: Sequence[Mapping[str, object]], only: Sequence[str] | None = None, ignore: Sequence[str] = ()
) -> Controller:
    return VerifiedReward(same_calls(reference, only, ignore))


_ROWS = (
    RewardKind(
        name="judge",
        constructor=ScoreJudge,
        summary="a model's score from 1 to `scale`, by the log probabilities of its tokens where they are told",
        cost="one chat turn",
        roles=("judge",),
    ),
    RewardKind(
        name="pass_judge",
        constructor=PassJudge,
        summary="whether a model passes it, with its words",
        cost="one chat turn with reasons",
        roles=("judge",),
    ),
    RewardKind(
        name="rubric_judge",
        constructor=RubricJudge,
        summary="the weighted mean of a model's scores by several `criteria`",
        cost="one chat turn for each criterion",
        roles=("judge",),
    ),
    RewardKind(
        name="pairwise_judge",
        constructor=PairwiseJudge,
        summary="compares samples two by two, each pair in both orders",
        cost="two chat turns for each sample but one",
        roles=("judge",),
    ),
    RewardKind(
        name="exact",
        constructor=_exact,
        summary="1 where the answer is the same as `reference`, as the kind of answer in `answers` has it",
        cost="no call",
    ),
    RewardKind(
        name="math",
        constructor=_math,
        summary="1 where the answer is equal to `reference` in mathematics",
        cost="no call; up to a second where it takes algebra",
    ),
    RewardKind(
        name="regex",
        constructor=_regex,
        summary="1 where `pattern` matches somewhere in the text",
        cost="no call; at most `timeout` seconds",
    ),
    RewardKind(
        name="schema",
        constructor=_schema,
        summary="1 where the JSON in the text fits `schema`",
        cost="no call",
    ),
    RewardKind(
        name="calls",
        constructor=_calls,
        summary="1 where the tools of `reference` are called, with the same arguments",
        cost="no call",
    ),
    RewardKind(
        name="unit_tests",
        constructor=_unit_tests,
        summary="the share of `tests` that the code in the text passes, in a sandbox",
        cost="a program for each test",
        roles=("code",),
    ),
    RewardKind(
        name="likelihood",
        constructor=_likelihood,
        summary="e to the mean log probability of its own tokens times `sharpness`",
        cost="no call; its tokens' log probabilities",
    ),
    RewardKind(
        name="self_certainty",
        constructor=_self_certainty,
        summary="how far the model was from even odds at its own tokens, in nats, by the `num_logprobs` likeliest",
        cost="no call; as many log probabilities for each token",
    ),
    RewardKind(
        name="combined",
        constructor=CombinedReward,
        summary="several `rewards` as one, by `weights`, `minimum` or `lexical`",
        cost="that of all of them",
    ),
)

REWARDS: Mapping[str, RewardKind] = MappingProxyType({row.name: row for row in _ROWS})
"""All rewards that have a name, by name."""


def resolve_reward(reward: RewardLike, *, role: Hashable = "reward") -> Scorer:
    """What a user says for a reward, as a method takes it.

    By hand: `ScaffoldingLlm(BestOfNController(generation, scorer.controller), {"generation": worker,
    **scorer.workers})`.

    Args:
        reward: see `RewardLike`.
        role: whose worker it may become.

    Raises:
        InvalidRequestError: no reward, an unknown name, or options that it does not take.
        MissingExtraError: it needs a package that is not installed.
    """
    if isinstance(reward, str):
        return _of_kind(reward, {}, role)
    if isinstance(reward, Mapping):
        options = dict(reward)
        kind = options.pop("kind", None) or options.pop("url", None)
        if not isinstance(kind, str):
            raise InvalidRequestError(f"a reward that is a mapping names its 'kind', and has only {[*reward]}")
        return _of_kind(kind, options, role)
    if isinstance(reward, CombinedReward):
        return _of_parts(reward, role)
    if isinstance(reward, Controller):
        return Scorer(reward)
    if not isinstance(reward, type) and is_worker(reward):
        return Scorer(NativeRewardController(role=role), {role: cast("Worker", reward)})
    if callable(reward) and not (isinstance(reward, type) and issubclass(reward, Controller | Worker)):
        return Scorer(NativeRewardController(role=role), {role: reward_worker(cast("RewardFunction", reward))})
    raise InvalidRequestError(
        f"a reward must be one of {', '.join(REWARDS)}, a mapping with a 'kind', an address, a function of prompt "
        f"and answer, a worker or a controller, got {type(reward).__name__}"
    )


# Any: what libraries score with has no common class.
def converted_reward(reward: Any, convert: Callable[[Any], RewardLike]) -> RewardLike:
    """A reward, each part of it converted that is no name, mapping or controller.

    Args:
        reward: what a user of another library says.
        convert: makes of a part what `RewardLike` names.
    """
    if isinstance(reward, CombinedReward):
        return reward.with_parts([converted_reward(part, convert) for part in reward.parts])
    if isinstance(reward, Mapping) and isinstance(reward.get("rewards"), list | tuple):
        return {**reward, "rewards": [converted_reward(part, convert) for part in reward["rewards"]]}
    return reward if isinstance(reward, str | Mapping | Controller) else convert(reward)


def _of_kind(kind: str, options: Mapping[str, object], role: Hashable) -> Scorer:
    if kind.startswith(("http://", "https://", "${")):
        worker = _reward_model(kind, options)
        return Scorer(NativeRewardController(role=role), {role: worker}, (worker,))
    row = REWARDS.get(kind.replace("-", "_"))
    if row is None:
        raise InvalidRequestError(
            f"no reward is named {kind!r}; there are: {', '.join(REWARDS)}, and addresses of reward models (http://)"
        )
    return resolve_reward(row(**options), role=role)


def _reward_model(url: str, options: Mapping[str, object]) -> Worker:
    from scaffolding_core.workers.reward_model import RewardModelWorker  # its HTTP client loads slowly

    made: Callable[..., Worker] = RewardModelWorker
    try:
        inspect.signature(made).bind(url, **options)
    except TypeError as error:
        raise InvalidRequestError(f"the reward model at {url} does not take these options: {error}") from error
    given = cast("dict[str, Any]", from_environment(options))
    return made(from_environment(url), **given)


def _of_parts(combined: CombinedReward, role: Hashable) -> Scorer:
    """The parts of a combined reward, each with a role of its own."""
    name = getattr(role, "value", role)
    scorers = [
        resolve_reward(cast("RewardLike", part), role=f"{name}.{place}")
        for place, part in enumerate(combined.parts)
    ]
    return Scorer(
        combined.with_parts([scorer.controller for scorer in scorers]),
        {role: worker for scorer in scorers for role, worker in scorer.workers.items()},
        tuple(worker for scorer in scorers for worker in scorer.opened),
    )
