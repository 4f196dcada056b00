"""PRMController: scores answers with a process reward model."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, Self

from scaffolding_core.controller import Steps
from scaffolding_core.errors import WorkerError
from scaffolding_core.tasks import ComputeTask
from scaffolding_core.tensorrt_llm.controllers.native_reward import NativeRewardController
from scaffolding_core.tensorrt_llm.task import GenerationTask
from scaffolding_core.workers.reward_logits import (
    SEPARATOR,
    SYSTEM_PROMPT,
    good_chances,
    judging_places,
    token_ids,
)

__all__ = ["PRMController"]


class PRMController(NativeRewardController):
    r"""Scores answers with a process reward model, by its logits at a separator behind each step.

    The score of an answer is the product of its steps' chances to be right; or, not split, the chance at the last
    token. Longer answers score lower.

    Cost: one task of the reward worker for each answer, of one token, with the logits of its prompt.

    Args:
        tokenizer: of the reward model: a `transformers` tokenizer, or what has `apply_chat_template` and `encode`.
        split_steps: whether each step is scored.
        step_token: what stands between two steps of an answer.
        separate_token: the token at which the model judges.

    Attributes:
        scores: of the answers, in order, from 0 to 1.
        step_scores: of each answer, those of its steps.
    """

    def __init__(
        self,
        tokenizer: Any,  # Any: of whichever library
        split_steps: bool = True,
        step_token: str = "\n\n",
        separate_token: str = SEPARATOR,
    ) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.split_steps = split_steps
        self.step_token = step_token
        self.separate_token = separate_token
        self.step_scores: list[list[float]] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self.tokenizer)] = self.tokenizer  # it is large, and only read
        new = type(self).__new__(type(self))
        new.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return new

    def process(self, tasks: Sequence[Any], **kwargs: Any) -> Steps[list[float]]:
        """Score finished tasks; returns their scores.

        Raises:
            InvalidRequestError: the separator is not one token of the tokenizer.
            WorkerError: the reward worker told no logits, or not one for each token.
        """
        asked = [self._asked(task) for task in tasks]
        yield asked
        scoring = ComputeTask(function=lambda: [self._chances(task) for task in asked])
        yield [scoring]
        self.step_scores = scoring.result  # type: ignore[assignment]  # what the function returns
        self.scores = [math.prod(chances) for chances in self.step_scores]
        return self.scores

    def _asked(self, task: Any) -> GenerationTask:  # Any: whichever kind was answered
        separator = self.separate_token
        # One that somebody else has written would be judged, too.
        question, answer = ((text or "").replace(separator, "") for text in (task.input_str, task.output_str))
        if self.split_steps:
            judged = "".join(step + separator for step in answer.split(self.step_token))
        else:
            judged = f"{separator}{answer}{separator}"
        chat = [
            {"role": "system", "content": SYSTEM_PROMPT},
            {"role": "user", "content": question},
            {"role": "assistant", "content": judged},
        ]
        prompt = self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=False)
        asked = GenerationTask.create_from_prompt(prompt)
        asked.worker_tag = self.WorkerTag.REWARD
        asked.max_tokens = 1
        asked.return_context_logits = True
        return asked

    def _chances(self, asked: GenerationTask) -> list[float]:
        if asked.context_logits is None:
            raise WorkerError("the reward worker told no context logits: it must run a model that tells them")
        tokens = token_ids(self.tokenizer.encode(asked.input_str))
        return good_chances(asked.context_logits, self._judged(tokens), len(tokens))

    def _judged(self, tokens: Sequence[int]) -> list[int]:
        """Where the model's judgements stand."""
        if not self.split_steps:
            return [-1]
        return judging_places(self.tokenizer, tokens, self.separate_token)
