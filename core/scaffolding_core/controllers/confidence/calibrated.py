"""Calibrated: an answer is kept where its method is sure enough of it; else it abstains, or another is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, TypeAlias, get_args

from scaffolding_core.answers import REFUSAL, Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.apart import apart
from scaffolding_core.controllers.further import asked_further
from scaffolding_core.controllers.parts import checked_number, checked_part
from scaffolding_core.controllers.samples import checked_sample_num
from scaffolding_core.controllers.sampling import MajorityVoteController
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask

__all__ = ["CalibratedController", "Confidence"]

Confidence: TypeAlias = 'Literal["agreement", "score"] | Callable[[ScaffoldingOutput], float | None]'
"""How sure a method is: what its output tells, or what a function makes of it."""

ABSTENTION = "I do not know."


class CalibratedController(Controller):
    """Keeps a method's answer where its confidence is at least `threshold`; else it abstains, or asks another.

    Who abstains says `abstention`, as a refusal, with `stopped="abstained"`; the candidates, votes, agreement and
    score of the method stay in the output, for whoever decides. With `otherwise_controller` that method answers
    instead: a stronger model (`NativeChatController(role="strong")`), a costlier method, or a person. Its
    candidates stand behind those of the first. The output's `data` tells `confidence`, `threshold`, and whether
    the first answer was `kept`; where it was not, its text as `unsure`. A method that tells no confidence is not
    sure. When time is up before the other has an answer, the first one is the result, though it is unsure.

    The threshold that makes kept answers right often enough on recorded ones is found by `threshold_for`.

    Cost: that of the method, and of the other one where it is asked.

    Source: selective answers by agreement: Yue et al. 2023, arXiv 2310.03094 (cascades).

    Args:
        generation_controller: generates for the vote that is the method where none is given.
        default_sample_num: samples of that vote.
        method_controller: the method; None for a majority vote of the generation, in which all samples run, as the
            agreement of one that stops early is not that of all.
        threshold: the least confidence that is kept.
        confidence: the output's `agreement` or `score`, or a function of the output that returns a number, such as
            `lambda output: -output.data["semantic_entropy"]` of a semantic vote, or None where it cannot tell.
        otherwise_controller: the method that answers where the first is not sure; None to abstain.
        abstention: what is said instead of an answer.
        answers: the kind of answer of that vote, such as `"number"`; see `Answers`.

    Raises:
        InvalidRequestError: a number out of its range, an unknown kind or confidence, or something that is no
            controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        method_controller: Controller | None = None,
        threshold: float = 0.5,
        confidence: Confidence = "agreement",
        otherwise_controller: Controller | None = None,
        abstention: str = ABSTENTION,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        if method_controller is None:
            method_controller = MajorityVoteController(
                generation_controller, self.default_sample_num, answers=Answers.of(answers), stop_rule="full"
            )
        self.method_controller = checked_part(method_controller, "method_controller", "process")
        self.threshold = checked_number("threshold", threshold)
        if not callable(confidence) and confidence not in _TOLD:
            raise InvalidRequestError(
                f"confidence must be {' or '.join(_TOLD)}, or a function of the output, got {confidence!r}"
            )
        self.confidence: Confidence = confidence
        if otherwise_controller is not None:
            checked_part(otherwise_controller, "otherwise_controller", "process")
        self.otherwise_controller = otherwise_controller
        if not isinstance(abstention, str):
            raise InvalidRequestError(f"abstention must be a text, got {abstention!r}")
        self.abstention = abstention

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Run the method, and keep its answer, ask another, or abstain.

        Args:
            tasks: to answer.
            sample_num: this and all that follow: options of the method, which must take those that are given.
            generation_kwargs: as above.
            answers: as above.

        Raises:
            ScaffoldingError: that of the method, or of the other one.
        """
        given = {"sample_num": sample_num, "generation_kwargs": generation_kwargs, "answers": answers}
        options = {name: value for name, value in given.items() if value is not None}
        output = yield from apart(self.method_controller.clone().process(tasks, **options))
        if not isinstance(output, ScaffoldingOutput):
            output = tasks[0].create_scaffolding_output()
        confidence = self._confidence(output)
        kept = confidence is not None and confidence >= self.threshold
        told: dict[str, object] = {"confidence": confidence, "threshold": self.threshold, "kept": kept}
        if not kept:
            told["unsure"] = output.text
            output = yield from self._unsure(tasks, output)
        output.method, output.data = type(self).__name__, {**(output.data or {}), **told}
        return output

    def _confidence(self, output: ScaffoldingOutput) -> float | None:
        told = self.confidence(output) if callable(self.confidence) else getattr(output, self.confidence)
        return None if told is None else float(told)

    def _unsure(self, tasks: list[GenerationTask], output: ScaffoldingOutput) -> Steps[ScaffoldingOutput]:
        """What is answered in place of an answer that is not sure."""
        if self.otherwise_controller is None:
            return self._abstained(tasks, output)
        try:
            return (yield from asked_further(self.otherwise_controller, tasks, output.candidates, {}))
        except BudgetExceededError:
            output.stopped = "budget"
            return output

    def _abstained(self, tasks: list[GenerationTask], output: ScaffoldingOutput) -> ScaffoldingOutput:
        for task in tasks:
            task.said = AssistantMessage(self.abstention, finish_reason="stop")
        output.message = tasks[0].message()
        output.token_ids = output.answer = output.consensus = None
        output.read_as, output.stopped, output.transcript = REFUSAL, "abstained", []
        return output


_TOLD = get_args(Literal["agreement", "score"])
