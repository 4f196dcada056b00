"""OwnConfidence: how sure the model was of an answer, as its reward."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller, Steps, parts_of
from scaffolding_core.controllers.native_generation import NativeGenerationController
from scaffolding_core.controllers.parts import checked_whole
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.messages import AssistantMessage, TokenLogprob
from scaffolding_core.tasks import GenerationTask, RewardTask

__all__ = ["OwnConfidence", "asking_for_logprobs", "logprobs_of", "reads_logprobs"]

Confidence: TypeAlias = Callable[[Sequence[TokenLogprob]], float]


class OwnConfidence(Controller):
    """Scores answers by the log probabilities of their own tokens, thoughts included where the backend tells them.

    An answer whose backend told none cannot be scored.

    Cost: no call; the samples ask for the log probabilities of their tokens, which are larger on the wire.

    Args:
        confidence: the score of the tokens of an answer; higher is better.
        num_logprobs: likeliest tokens of each place that a sample asks for, where its task does not say.

    Raises:
        InvalidRequestError: no function, or a number below 0.
    """

    def __init__(self, confidence: Confidence, num_logprobs: int = 0) -> None:
        if not callable(confidence):
            raise InvalidRequestError(f"confidence must be a function of tokens, got {confidence!r}")
        self.confidence = confidence
        self.num_logprobs = checked_whole("num_logprobs", num_logprobs, 0)
        self.failures: Mapping[int, WorkerError] = {}

    def process(self, tasks: Sequence[GenerationTask | RewardTask]) -> Steps[list[float]]:
        """Score finished generations, or reward tasks made by hand; `failures` tells which could not be scored.

        Raises:
            WorkerError: none could.
        """
        tokens = [_answer(task).logprobs for task in tasks]
        failure = WorkerError("the backend told no log probabilities of an answer: take one that does")
        self.failures = {place: failure for place, told in enumerate(tokens) if not told}
        if len(self.failures) == len(tokens):
            raise failure
        yield from ()  # nobody is asked
        return [self.confidence(told) if told else 0.0 for told in tokens]


def _answer(task: GenerationTask | RewardTask) -> AssistantMessage:
    message = task.response if isinstance(task, RewardTask) else task.message()
    return message or AssistantMessage()


def reads_logprobs(rewarder: Controller | None) -> bool:
    """Whether a reward reads the log probabilities of an answer's own tokens."""
    return getattr(rewarder, "num_logprobs", None) is not None


def asking_for_logprobs(rewarder: Controller | None, task: GenerationTask) -> GenerationTask:
    """A task whose answer tells the log probabilities that a reward reads; the same where it reads none."""
    if not reads_logprobs(rewarder):
        return task
    asking = task.copy()
    asking.group = task.group
    asking.fill({"num_logprobs": rewarder.num_logprobs})  # type: ignore[union-attr]  # as was asked
    return asking


def logprobs_of(generation: Controller) -> Mapping[Hashable, Capabilities]:
    """The roles that generate for a method, and that they must tell log probabilities."""
    writers = (part for part in parts_of(generation) if isinstance(part, NativeGenerationController))
    return {role: Capabilities(logprobs=True) for part in writers for role in part.needs}
