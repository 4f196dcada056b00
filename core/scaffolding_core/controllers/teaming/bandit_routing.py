"""Bandit routing: each request goes to one of several models, as their rewards have taught."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.controller import Controller, Outcome, Race, Steps
from scaffolding_core.controllers.judging.rewarded import RewardedController
from scaffolding_core.controllers.parts import checked_number, checked_part
from scaffolding_core.controllers.scoring import judged
from scaffolding_core.controllers.teaming.panel import PanelController
from scaffolding_core.errors import (
    BudgetExceededError,
    InsufficientSamplesError,
    InvalidRequestError,
    WorkerError,
)
from scaffolding_core.results import Judgement, ScaffoldingOutput
from scaffolding_core.routing import Bandit
from scaffolding_core.tasks import GenerationTask

__all__ = ["BanditRoutingController"]


class BanditRoutingController(RewardedController):
    """Has each request answered by one of a panel's members, the one that seems to earn most after its price.

    A `Bandit` learns which that is: from the reward of each answer, or from whoever tells it, such as a user's
    thumb up (`bandit.tell(output.data["route"], 1.0)`). Members may be models, or methods of any cost. The output
    is the member's, with its name in `data["route"]`, what its own method tells in `data["told"]`, and the reward.

    A member that fails earned nothing, and the request fails with it. An answer that could not be scored, or was
    cut by the deadline, teaches nothing.

    Cost: that of the member, and one reward.

    Source: see `Bandit`.

    Args:
        generation_controller: a `PanelController` of those to choose among; in an adapter the model itself, with
            models for the roles `generation.1`, `generation.2` and so on.
        reward_controller: scores an answer from 0 to 1; None where somebody else tells the bandit.
        bandit: what was learnt so far; None for a new one, which is the attribute `bandit`.
        price: of a token, read or written, in rewards: 0.0001 lets 1,000 tokens weigh as a tenth of a reward. By
            the members' names where theirs differ; those left out are free.

    Raises:
        InvalidRequestError: a price that is no number of at least 0, or something that is no controller or bandit.
    """

    stateless: ClassVar[bool] = True  # what is learnt is the bandit's, which is its user's
    judged_alone = "an answer"

    def __init__(
        self,
        generation_controller: Controller,
        reward_controller: Controller | None,
        *,
        bandit: Bandit | None = None,
        price: float | Mapping[str, float] = 0.0,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.reward_controller = reward_controller
        if reward_controller is not None:
            checked_part(reward_controller, "reward_controller", "process")
        self.bandit = Bandit() if bandit is None else bandit
        if not isinstance(self.bandit, Bandit):
            raise InvalidRequestError(f"bandit must be a Bandit, got {bandit!r}: load one with Bandit.from_dict()")
        self.price = price
        for each in price.values() if isinstance(price, Mapping) else [price]:
            if checked_number("price", each) < 0:
                raise InvalidRequestError(f"a price is at least 0, got {each!r}")

    def process(
        self,
        tasks: list[GenerationTask],
        generation_kwargs: Mapping[str, object] | None = None,
        reward_kwargs: Mapping[str, object] | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task by the member that is chosen, and let the bandit learn from it.

        Raises:
            InvalidRequestError: not one task, or a reward out of range.
            BudgetExceededError: budget or deadline ran out before the answer was there.
            WorkerError: the member failed.
        """
        if len(tasks) != 1:
            raise InvalidRequestError(f"a bandit learns from one answer: give one task, not {len(tasks)}")
        task, members = tasks[0], self._members()
        prices = self.price if isinstance(self.price, Mapping) else dict.fromkeys(members, self.price)
        route = self.bandit.choose(members, prices=prices, seed=task.seed)
        asked = self.asking(task.copy())
        asked.group = task.group
        race = Race([members[route].clone().process([asked], **(generation_kwargs or {}))], failures="values")
        outcome: Outcome = yield race
        task.take_results(asked)
        task.usage, task.error = asked.usage, asked.error
        tokens = 0 if outcome.usage is None else outcome.usage.total_tokens
        if outcome.error is not None:
            if isinstance(outcome.error, WorkerError | InsufficientSamplesError):
                self.bandit.tell(route, 0.0, tokens)
            raise outcome.error
        output = outcome.value
        if not isinstance(output, ScaffoldingOutput):
            output = task.create_scaffolding_output()
        output.data = {"route": route, **({"told": output.data} if output.data else {})}
        output.method = type(self).__name__
        if self.reward_controller is not None and output.finish_reason != "cancelled":
            yield from self._learn(self.reward_controller, route, task, tokens, output, reward_kwargs or {})
        return output

    def _members(self) -> Mapping[str, Controller]:
        """Those to choose among; one alone is as a panel of one."""
        if isinstance(self.generation_controller, PanelController):
            return self.generation_controller.members
        return {"generation": self.generation_controller}

    def _learn(
        self,
        rewarder: Controller,
        route: str,
        task: GenerationTask,
        tokens: int,
        output: ScaffoldingOutput,
        options: Mapping[str, object],
    ) -> Steps[None]:
        """Score the answer and tell the bandit; where that cannot be done, the answer stands without a score."""
        try:
            (judgement,) = yield from judged(rewarder, [task], options)
        except BudgetExceededError:
            output.stopped = "budget"
            return
        except WorkerError:
            return
        if isinstance(judgement, Judgement):
            self.bandit.tell(route, judgement.score, tokens)
            output.score, output.judgement = judgement.score, judgement
