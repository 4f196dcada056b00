"""The one table of methods, by name: for command lines, configuration, adapters and documents."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from scaffolding_core.controller import Controller
from scaffolding_core.controllers import (
    AbMctsController,
    BanditRoutingController,
    BeamSearchController,
    BestFirstController,
    BestOfNController,
    BudgetForcingController,
    CalibratedController,
    CascadeController,
    ChainOfThoughtController,
    ChainOfVerificationController,
    CritiqueReviseController,
    DebateController,
    DeepConfOfflineController,
    DeepConfOnlineController,
    DvtsController,
    DynasorController,
    FieldVoteController,
    GenSelectController,
    KnockoutController,
    LatsController,
    MajorityVoteController,
    MctsController,
    MixtureOfAgentsController,
    MultiChainComparisonController,
    NativeChatController,
    ParticleFilteringController,
    ParticleGibbsController,
    PivotTournamentController,
    PlanAndSolveController,
    PlanSearchController,
    ProgramOfThoughtController,
    ReActController,
    RecursiveSelfAggregationController,
    ReflexionController,
    ReReadingController,
    RetryWithFeedbackController,
    SelfRefineController,
    SemanticVoteController,
    SequentialRevisionController,
    ShortVoteController,
    StepBackController,
    ToolLoopController,
    TreeOfThoughtsController,
    TwoThenThinkController,
    UniversalVoteController,
    WeightedVoteController,
    part_for,
)
from scaffolding_core.errors import InvalidRequestError, UnknownMethodError

__all__ = ["METHODS", "Method", "build_method", "method_named"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One row of the table of methods. Calling it makes the method's controller.

    Args:
        name: what users say.
        constructor: makes the controller, of the one that generates for it and of its options. It takes the
            controller of a role in an argument named after it: `reward_controller` for `reward`.
        summary: what it does, in one line.
        cost: what an answer costs, in one line.
        roles: the roles that it needs beside generation.
        samples: which of its options is its number of samples; None if it takes one.
    """

    name: str
    constructor: Callable[..., Controller]
    summary: str
    cost: str
    roles: tuple[str, ...] = ()
    samples: str | None = None

    def __call__(self, generation: Controller, **options: object) -> Controller:
        """The controller.

        Args:
            generation: generates for it.
            options: of the constructor; a role whose controller is not among them, and must be, gets that of
                `part_for`.

        Raises:
            InvalidRequestError: an option that the method does not have.
        """
        takes = inspect.signature(self.constructor)
        parts = {f"{role}_controller": part_for(role) for role in self.roles}
        given = {**{name: part for name, part in parts.items() if _must_have(takes, name)}, **options}
        try:
            takes.bind(generation, **given)
            return self.constructor(generation, **given)
        except TypeError as error:
            raise InvalidRequestError(f"the method {self.name!r} does not take these options: {error}") from error


def _must_have(takes: inspect.Signature, name: str) -> bool:
    """Whether an argument of that name has no value of its own."""
    return name in takes.parameters and takes.parameters[name].default is inspect.Parameter.empty


def _itself(generation: Controller) -> Controller:
    return generation


_ROWS = (
    Method(
        name="direct",
        constructor=_itself,
        summary="one generation",
        cost="1 sample",
    ),
    Method(
        name="chain_of_thought",
        constructor=ChainOfThoughtController,
        summary="asks for reasoning, reads the answer out of it",
        cost="1 longer sample",
    ),
    Method(
        name="plan_and_solve",
        constructor=PlanAndSolveController,
        summary="asks for a plan, then for its steps",
        cost="1 longer sample",
    ),
    Method(
        name="re_reading",
        constructor=ReReadingController,
        summary="says the question twice, and asks for reasoning",
        cost="1 longer sample",
    ),
    Method(
        name="step_back",
        constructor=StepBackController,
        summary="asks for the principles behind the question first",
        cost="2 samples, one after the other",
    ),
    Method(
        name="budget_forcing",
        constructor=BudgetForcingController,
        summary="lets a model that thinks go on thinking, and closes thoughts that are too long",
        cost="1 sample in 2 parts or more",
    ),
    Method(
        name="dynasor_cot",
        constructor=DynasorController,
        summary="ends a chain of thought once its answer has settled",
        cost="at most 1 sample, in chunks, and a short probe for each",
    ),
    Method(
        name="program_of_thought",
        constructor=ProgramOfThoughtController,
        summary="lets a program compute the answer, in a sandbox",
        cost="at most 1 + k samples and programs, one after another",
        roles=("code",),
    ),
    Method(
        name="majority_vote",
        constructor=MajorityVoteController,
        summary="the answer given most often, taken as soon as it is settled",
        cost="at most n samples",
        samples="default_sample_num",
    ),
    Method(
        name="short_vote",
        constructor=ShortVoteController,
        summary="short-m@k: of the first m to end, the answer given most often",
        cost="n samples begun, all but m of them cut",
        samples="default_sample_num",
    ),
    Method(
        name="field_vote",
        constructor=FieldVoteController,
        summary="for each field of structured answers, the value given most often",
        cost="at most n samples",
        samples="default_sample_num",
    ),
    Method(
        name="universal_self_consistency",
        constructor=UniversalVoteController,
        summary="the answer that a judge names, of all that it is shown, as the most consistent with the others",
        cost="n samples, then 1 judgement",
        roles=("judge",),
        samples="default_sample_num",
    ),
    Method(
        name="semantic_vote",
        constructor=SemanticVoteController,
        summary="for free text: of the samples that mean the same, by a judge or embeddings, the largest cluster",
        cost="n samples, then at most 2 judgements for each and each cluster, or one call for embeddings",
        roles=("judge",),
        samples="default_sample_num",
    ),
    Method(
        name="two_then_think",
        constructor=TwoThenThinkController,
        summary="two cheap samples, and only where they differ a vote of n over chains of thought",
        cost="2 samples, and at most n longer ones where they differ",
        samples="default_sample_num",
    ),
    Method(
        name="best_of_n",
        constructor=BestOfNController,
        summary="the answer with the highest reward",
        cost="at most n samples and rewards",
        roles=("reward",),
        samples="default_sample_num",
    ),
    Method(
        name="weighted_vote",
        constructor=WeightedVoteController,
        summary="the answer whose samples have the highest rewards together",
        cost="n samples and rewards",
        roles=("reward",),
        samples="default_sample_num",
    ),
    Method(
        name="cascade",
        constructor=CascadeController,
        summary="asks the strong model where the samples of the cheap one disagree",
        cost="at most k samples, and where they disagree the strong model's answer",
        roles=("strong",),
        samples="default_sample_num",
    ),
    Method(
        name="mixture_of_agents",
        constructor=MixtureOfAgentsController,
        summary="layers of answers, each made with those of the layer before, and one made of the last",
        cost="n samples in each layer, one layer after another, and 1 more",
        samples="default_sample_num",
    ),
    Method(
        name="debate",
        constructor=DebateController,
        summary="agents see each other's answers and answer again, then vote",
        cost="at most n samples in each round, one round after another",
        samples="default_sample_num",
    ),
    Method(
        name="bandit_routing",
        constructor=BanditRoutingController,
        summary="one of several models, the one that has earned most after its price",
        cost="1 sample and reward",
        roles=("reward",),
    ),
    Method(
        name="knockout",
        constructor=KnockoutController,
        summary="the answer left when a judge compares two by two, in both orders",
        cost="n samples, then at most 2 (n - 1) judgements in log2(n) rounds",
        roles=("judge",),
        samples="default_sample_num",
    ),
    Method(
        name="pivot_tournament",
        constructor=PivotTournamentController,
        summary="the answer that a judge prefers most in a ring of comparisons, and with the k best of it",
        cost="n samples, then at most n + k (n - k) + k (k - 1) / 2 judgements in 2 rounds",
        roles=("judge",),
        samples="default_sample_num",
    ),
    Method(
        name="gen_select",
        constructor=GenSelectController,
        summary="the answer that a judge names as the best after reasoning over up to 8 at once",
        cost="n samples, then 1 longer judgement for each 8, and for those that it names",
        roles=("judge",),
        samples="default_sample_num",
    ),
    Method(
        name="deepconf_offline",
        constructor=DeepConfOfflineController,
        summary="the answer of the most confident samples, by their confidence",
        cost="n samples, with log probabilities",
        samples="default_sample_num",
    ),
    Method(
        name="deepconf_online",
        constructor=DeepConfOnlineController,
        summary="cuts samples whose confidence falls, and ends with a consensus of the others",
        cost="at most n samples, with log probabilities, most of them cut",
        samples="default_sample_num",
    ),
    Method(
        name="calibrated",
        constructor=CalibratedController,
        summary="a vote's answer where its agreement reaches a threshold; else none, or that of another method",
        cost="n samples, and the other method where it is asked",
        samples="default_sample_num",
    ),
    Method(
        name="tree_of_thoughts",
        constructor=TreeOfThoughtsController,
        summary="builds the answer step by step, and goes on from the most promising steps of each level",
        cost="k + b · k · (d - 1) steps and judgements for k steps of each of b paths to a depth of d",
        roles=("judge",),
        samples="max_samples",
    ),
    Method(
        name="best_first",
        constructor=BestFirstController,
        summary="goes on from the most promising path of steps, however long it is",
        cost="at most n steps and judgements",
        roles=("judge",),
        samples="max_samples",
    ),
    Method(
        name="mcts",
        constructor=MctsController,
        summary="goes on where steps have led to good ones, or little was tried",
        cost="at most n steps and judgements",
        roles=("judge",),
        samples="max_samples",
    ),
    Method(
        name="lats",
        constructor=LatsController,
        summary="as mcts, with agreement in its values and lessons from answers that failed",
        cost="at most n steps and judgements, and a few lessons",
        roles=("judge",),
        samples="max_samples",
    ),
    Method(
        name="ab_mcts",
        constructor=AbMctsController,
        summary="another answer, or a better one of one that is there, whichever promises more",
        cost="n samples and judgements",
        roles=("judge",),
        samples="max_samples",
    ),
    Method(
        name="beam_search",
        constructor=BeamSearchController,
        summary="writes answers step by step, and goes on with the best beginnings",
        cost="the tokens of n samples, and n rewards for each step",
        roles=("process_reward",),
        samples="default_sample_num",
    ),
    Method(
        name="dvts",
        constructor=DvtsController,
        summary="writes several answers apart, each led by its best steps",
        cost="the tokens of n samples, and n rewards for each step",
        roles=("process_reward",),
        samples="default_sample_num",
    ),
    Method(
        name="particle_filtering",
        constructor=ParticleFilteringController,
        summary="writes answers step by step, and draws those that live on by their rewards",
        cost="the tokens of n samples, and n rewards for each step",
        roles=("process_reward",),
        samples="default_sample_num",
    ),
    Method(
        name="particle_gibbs",
        constructor=ParticleGibbsController,
        summary="filters particles again and again, around an answer of before",
        cost="the tokens of s · n samples, and n rewards for each step, s times",
        roles=("process_reward",),
        samples="default_sample_num",
    ),
    Method(
        name="retry_with_feedback",
        constructor=RetryWithFeedbackController,
        summary="asks again with the judge's feedback until an answer passes",
        cost="at most 1 + k samples and rewards, one after another",
        roles=("reward",),
    ),
    Method(
        name="reflexion",
        constructor=ReflexionController,
        summary="tries afresh, with lessons from the tries that failed, until an answer passes",
        cost="at most 1 + 2k samples and 1 + k rewards, one after another",
        roles=("reward",),
    ),
    Method(
        name="self_refine",
        constructor=SelfRefineController,
        summary="lets the model review its answer and answer again, until nothing is left to improve",
        cost="at most 1 + 2k samples, one after another",
    ),
    Method(
        name="critique_revise",
        constructor=CritiqueReviseController,
        summary="lets another model review the answer, and the model answer again",
        cost="at most 1 + k samples and k critiques, one after another",
        roles=("judge",),
    ),
    Method(
        name="sequential_revision",
        constructor=SequentialRevisionController,
        summary="revises its answers again and again; of all, the answer given most often",
        cost="at most n samples, one after another",
        samples="default_sample_num",
    ),
    Method(
        name="chain_of_verification",
        constructor=ChainOfVerificationController,
        summary="checks its answer by questions, each answered by itself, and revises it",
        cost="3 samples, one after another, and m short ones at the same time",
    ),
    Method(
        name="recursive_self_aggregation",
        constructor=RecursiveSelfAggregationController,
        summary="answers made of answers before, again and again; of the last, the one given most often",
        cost="n(1 + t) samples, in 1 + t steps",
        samples="default_sample_num",
    ),
    Method(
        name="plan_search",
        constructor=PlanSearchController,
        summary="answers by plans that differ in what they rest on; of these, the one given most often",
        cost="1 + 3n samples, in 4 steps",
        samples="default_sample_num",
    ),
    Method(
        name="multi_chain_comparison",
        constructor=MultiChainComparisonController,
        summary="several chains of thought, and an answer by the model that has read them all",
        cost="n samples, and a longer one after them",
        samples="default_sample_num",
    ),
    Method(
        name="tool_loop",
        constructor=ToolLoopController,
        summary="calls the tools that the model wants, until it answers",
        cost="at most 1 + k samples, one after another, and their calls",
        roles=("tools",),
    ),
    Method(
        name="react",
        constructor=ReActController,
        summary="as tool_loop, for models without tool calls, which write their actions as text",
        cost="at most 1 + k samples, one after another, and their calls",
        roles=("tools",),
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({row.name: row for row in _ROWS})
"""All methods, by name."""


def method_named(name: str) -> Method:
    """The row of a method.

    Args:
        name: dashes do for underscores.

    Raises:
        UnknownMethodError: no method of that name.
    """
    row = METHODS.get(name.replace("-", "_")) if isinstance(name, str) else None
    if row is None:
        raise UnknownMethodError(f"no method is named {name!r}; there are: {', '.join(METHODS)}")
    return row


def build_method(
    name: str,
    *,
    sample_num: int | None = None,
    sampling_params: Mapping[str, object] | None = None,
    generation: Controller | None = None,
    **options: object,
) -> Controller:
    """A method by its name.

    Args:
        name: one of `METHODS`; dashes do for underscores.
        sample_num: samples, for a method that takes several.
        sampling_params: defaults of the generation.
        generation: the method that generates; one chat turn by default.
        options: of the method's class.

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: an option that the method does not have.
    """
    row = method_named(name)
    if sample_num is not None and row.samples is not None:
        options[row.samples] = sample_num
    elif sample_num not in (None, 1):
        raise InvalidRequestError(f"the method {name!r} takes one sample: leave sample_num out")
    return row(generation or NativeChatController(sampling_params), **options)
