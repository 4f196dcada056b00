"""Judged: an answer and what it answers, as servers of reward models take them."""

from __future__ import annotations

from dataclasses import dataclass

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonObject
from scaffolding_core.tasks import RewardTask
from scaffolding_core.workers.reward import prompt_text

__all__ = ["Judged", "Score", "judged_of"]


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer and what it answers.

    Args:
        prompt: as one text.
        answer: its text, without thoughts that the backend told apart.
        prompt_messages: the prompt as a chat, as OpenAI writes it.
        answer_message: the answer likewise, with the tools that it calls.
    """

    prompt: str
    answer: str
    prompt_messages: tuple[JsonObject, ...]
    answer_message: JsonObject

    @property
    def messages(self) -> list[JsonObject]:
        """The chat that ends with the answer."""
        return [*self.prompt_messages, self.answer_message]


@dataclass(frozen=True, slots=True)
class Score:
    """What a reward model says of an answer; `steps` are the scores of its steps, where it tells them."""

    score: float
    steps: tuple[float, ...] | None = None


def judged_of(task: RewardTask) -> Judged:
    """What a task asks to score.

    Raises:
        InvalidRequestError: it has no answer, or its prompt is token ids alone.
    """
    if task.response is None:
        raise InvalidRequestError("a reward model scores an answer: give the RewardTask a response")
    if task.messages:
        prompt: tuple[JsonObject, ...] = tuple(message.to_dict() for message in task.messages)
    elif task.input_str is not None:
        prompt = ({"role": "user", "content": task.input_str},)
    else:
        raise InvalidRequestError("a reward model reads texts: give the RewardTask its prompt as text or messages")
    answer: JsonObject = {**task.response.to_dict(), "content": task.response.text}
    return Judged(prompt_text(task), task.response.text, prompt, answer)
