"""ProcessRewardWorker: scores each step of an answer, by the logits that an engine in this process tells."""

from __future__ import annotations

from typing import Any

from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.results.step_scores import AGGREGATES, aggregate_steps
from scaffolding_core.tasks import GenerationTask, RewardTask, Task
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import Worker
from scaffolding_core.workers.reward_logits import SEPARATOR, good_chances, judging_places, token_ids
from scaffolding_core.workers.reward_model.judged import Judged, judged_of
from scaffolding_core.workers.reward_model.process_models import judged_chat, steps_of
from scaffolding_core.workers.wrapping import WrappingWorker

__all__ = ["ProcessRewardWorker"]


class ProcessRewardWorker(WrappingWorker):
    """Scores answers with a process reward model of the kind of Qwen2.5-Math-PRM, by its logits behind each step.

    Its own tasks are `RewardTask`s; any other goes to the worker as it is.

    Cost: one task of the worker for each answer, of one token, with the logits of its prompt.

    Source: https://huggingface.co/Qwen/Qwen2.5-Math-PRM-7B

    Args:
        worker: runs the reward model and tells context logits, such as a `TRTLLMWorker`.
        tokenizer: of the reward model: a `transformers` tokenizer, or what has `apply_chat_template` and `encode`.
        separator: the token at which the model judges.
        step_separator: what stands between two steps of an answer.
        aggregate: what makes one score of the steps': `minimum`, `product`, `mean` or `last`.

    Raises:
        InvalidRequestError: no worker, no tokenizer, or an unknown aggregate.
    """

    def __init__(
        self,
        worker: Worker,
        tokenizer: Any,  # Any: of whichever library
        *,
        separator: str = SEPARATOR,
        step_separator: str = "\n\n",
        aggregate: str = "minimum",
    ) -> None:
        super().__init__(worker)
        if not callable(getattr(tokenizer, "apply_chat_template", None)):
            raise InvalidRequestError(f"ProcessRewardWorker needs the reward model's tokenizer, got {tokenizer!r}")
        if aggregate not in AGGREGATES:
            raise InvalidRequestError(f"no aggregate is named {aggregate!r}; there are: {', '.join(AGGREGATES)}")
        self.tokenizer = tokenizer
        self.separator = separator
        self.step_separator = step_separator
        self.aggregate = aggregate

    async def run_task(self, task: Task) -> object:
        """Score an answer; a task of another kind goes to the worker.

        Raises:
            InvalidRequestError: no answer, no text, or a separator that is no token.
            WorkerError: the worker failed, or told no logits of each token.
        """
        if not isinstance(task, RewardTask):
            return await super().run_task(task)
        judged = judged_of(task)
        tokens, places = await run_in_thread(self._asked, judged)
        asked = GenerationTask(input_tokens=tokens, max_tokens=1, temperature=0.0, return_context_logits=True)
        try:
            await super().run_task(asked)
        finally:
            task.usage = asked.usage
        if asked.context_logits is None:
            raise WorkerError("the reward worker told no context logits: it must run a model that tells them")
        steps = await run_in_thread(good_chances, asked.context_logits, places, len(tokens))
        task.reward, task.step_rewards = aggregate_steps(steps, self.aggregate), steps
        return None

    def _asked(self, judged: Judged) -> tuple[list[int], list[int]]:
        """The tokens of the judged chat, and those that judge."""
        steps = steps_of(judged.answer, self.step_separator)
        chat = judged_chat(judged, steps, self.separator)
        text = self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=False)
        # The template has written the special tokens already.
        tokens = token_ids(self.tokenizer.encode(text, add_special_tokens=False))
        return tokens, judging_places(self.tokenizer, tokens, self.separator)
