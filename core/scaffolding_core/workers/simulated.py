"""SimulatedWorker: a model that draws what it says from given distributions."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from random import Random
from typing import ClassVar, TypeAlias

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import InvalidRequestError, UnsupportedTaskError
from scaffolding_core.messages import AssistantMessage, TokenLogprob, Usage
from scaffolding_core.tasks import (
    ChatTask,
    Delta,
    GenerationTask,
    RewardTask,
    StreamChatTask,
    StreamGenerationTask,
    Task,
)
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.limits import check_counts
from scaffolding_core.workers.reward import prompt_text
from scaffolding_core.workers.stepping import step

__all__ = ["SimulatedWorker"]

Said: TypeAlias = "Mapping[str, float] | Callable[[GenerationTask, Random], str]"
Drawn: TypeAlias = "float | Callable[[str, Random], float]"

_WORD = re.compile(r"\s*\S+|\s+$")
_THOUGHT = "… "
_LOWEST = -100.0
"""The log probability of what cannot be drawn: a number, where there is none."""


class SimulatedWorker(Worker):
    """Draws answers, their lengths, log probabilities and rewards from given distributions: a model without one.

    What a method promises can be held against arithmetic with it: a vote over answers that are right with a
    probability of 0.6, early stops, cuts, what they cost. Time passes on the running loop's clock, at
    `seconds_per_token`; on a virtual one, such as that of `looptime`, an hour of it takes no time.

    A word is a token, and tokens beyond the words are thoughts, which come before them. `max_tokens` and `stop`
    end an answer as they do elsewhere, and a sample that is cut has paid for the tokens that its time was for.
    Where a task has an `answer_prefix`, one of the weighted texts that begin so is drawn, and its rest said.
    What is drawn depends on `seed` and on the prompt, and further on the task's seed where it has one, else on how
    often the worker was asked before.

    Args:
        answers: what it says: weights by text, or a function of the task and a source of randomness.
        tokens: of an answer, at least its words; a number, or drawn by a function of the text; None for the words.
        logprob: natural log probability of a token; a number, or drawn for each by a function of the text. The
            rest of the probability is spread evenly over the others of the likeliest that are told.
        reward: of an answer, where it is asked to score: a number, or drawn by a function of the text, the same
            for the same text. None scores nothing.
        seconds_per_token: above or at 0.
        seed: of all that is drawn.
        max_concurrency: answers at once.

    Raises:
        InvalidRequestError: no answer to draw, weights that are none, or a number out of range.
    """

    capabilities = Capabilities(logprobs=True, streaming=True)

    def __init__(
        self,
        answers: Said,
        *,
        tokens: Drawn | None = None,
        logprob: Drawn = -0.1,
        reward: Drawn | None = None,
        seconds_per_token: float = 0.01,
        seed: int = 0,
        max_concurrency: int = 256,
    ) -> None:
        check_counts(max_concurrency=max_concurrency)
        if not (math.isfinite(seconds_per_token) and seconds_per_token >= 0):
            raise InvalidRequestError(
                f"seconds_per_token must be a number of at least 0, got {seconds_per_token!r}"
            )
        if isinstance(answers, Mapping):
            _check_weights(answers)
        self.answers = answers
        self.tokens = tokens
        self.logprob = logprob
        self.reward = reward
        self.seconds_per_token = seconds_per_token
        self.seed = seed
        self.max_concurrency = max_concurrency
        self._asked = 0

    async def _generate(self, task: GenerationTask) -> None:
        answer = self._draw(task)
        try:
            await self._write(answer, task, len(answer.words))
        finally:
            answer.fill(task)

    async def _step(self, task: StreamGenerationTask) -> None:
        async def read_on() -> None:
            if task.request_handle is None:
                task.request_handle = self._draw(task)
            answer = task.request_handle
            assert isinstance(answer, _Answer)
            try:
                await self._write(answer, task, task.streaming_step)
            finally:
                answer.fill(task)
                task.end_flag = answer.is_whole

        await step(task, read_on)
        if task.cancel_flag and not task.end_flag:
            task.finish_reason, task.end_flag = "cancelled", True

    async def _score(self, task: RewardTask) -> None:
        if self.reward is None:
            raise UnsupportedTaskError(f"{type(self).__name__} scores nothing: give it a reward")
        text = task.response.text if task.response is not None else ""
        task.reward = float(_drawn(self.reward, text, Random(f"{self.seed}/{prompt_text(task)}/{text}")))
        task.usage = Usage(calls=1)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {
        GenerationTask: _generate,
        StreamGenerationTask: _step,
        StreamChatTask: _step,
        RewardTask: _score,
    }

    def _draw(self, task: GenerationTask) -> _Answer:
        prompt, ordinal = _prompt(task), self._asked
        self._asked += 1
        random = Random(f"{self.seed}/{prompt}/{f'n{ordinal}' if task.seed is None else task.seed}")
        text = self._said(task, random)
        said, stop = _stopped(text, task.stop)
        words = _WORD.findall(said)
        length = len(words) if self.tokens is None else max(len(words), round(_drawn(self.tokens, text, random)))
        written = list(islice(chain(repeat(_THOUGHT, length - len(words)), words), task.max_tokens))
        return _Answer(
            written,
            thoughts=length - len(words),
            finish_reason="stop" if len(written) == length else "length",
            logprobs=None
            if task.num_logprobs is None
            else [_told(word, _drawn(self.logprob, text, random), task.num_logprobs) for word in written],
            prompt_tokens=len(prompt.split()),
            told={"stop_reason": stop} if task.stop else None,
        )

    def _said(self, task: GenerationTask, random: Random) -> str:
        if not isinstance(self.answers, Mapping):
            return self.answers(task, random)
        begun = task.answer_prefix or ""
        left = {text[len(begun) :]: weight for text, weight in self.answers.items() if text.startswith(begun)}
        left = left or dict(self.answers)
        return random.choices([*left], [*left.values()])[0]

    async def _write(self, answer: _Answer, task: GenerationTask, tokens: int) -> None:
        """Let the time of so many tokens pass, and tell of each where somebody listens."""
        loop, told = asyncio.get_running_loop(), task.scope is not None and task.scope.listening
        end = min(answer.shown + tokens, len(answer.words))
        while answer.shown < end:
            piece = 1 if told else end - answer.shown
            began = loop.time()
            try:
                await asyncio.sleep(piece * self.seconds_per_token)
            except asyncio.CancelledError:
                if self.seconds_per_token:
                    answer.shown += min(piece, int((loop.time() - began) / self.seconds_per_token))
                raise
            answer.shown += piece
            if told and task.scope is not None:
                task.scope.emit(answer.last())


@dataclass(slots=True, eq=False)
class _Answer:
    """What is said, and how much of it is there."""

    words: list[str]
    thoughts: int
    finish_reason: str
    logprobs: list[TokenLogprob] | None
    prompt_tokens: int
    told: dict[str, object] | None
    shown: int = 0

    @property
    def is_whole(self) -> bool:
        return self.shown == len(self.words)

    def last(self) -> Delta:
        word = self.words[self.shown - 1]
        return Delta(reasoning=word) if self.shown <= self.thoughts else Delta(word)

    def fill(self, task: GenerationTask) -> None:
        thoughts, shown = min(self.thoughts, self.shown), self.words[: self.shown]
        task.said = AssistantMessage(
            "".join(shown[thoughts:]),
            reasoning="".join(shown[:thoughts]) or None,
            finish_reason=self.finish_reason if self.is_whole else None,
            logprobs=None if self.logprobs is None else self.logprobs[: self.shown],
        )
        if self.is_whole and self.finish_reason == "stop":
            task.customized_result_fields = self.told
        task.usage = Usage(self.prompt_tokens, self.shown, reasoning_tokens=thoughts, calls=1)

    async def aclose(self) -> None:
        """Nothing is open."""


def _check_weights(answers: Mapping[str, float]) -> None:
    weights = [*answers.values()]
    if not weights or min(weights) < 0 or not 0 < math.fsum(weights) < math.inf:
        raise InvalidRequestError(f"answers must have weights of at least 0, and one above it, got {answers!r}")


def _drawn(what: Drawn, text: str, random: Random) -> float:
    return what(text, random) if callable(what) else what


def _told(token: str, logprob: float, likeliest: int) -> TokenLogprob:
    """A token's log probability, and those of the likeliest, itself the first."""
    others = likeliest - 1
    left = -math.expm1(min(logprob, 0.0)) / max(1, others)
    rest: Iterator[tuple[str, float]] = (
        (f"{token}~{place}", math.log(left) if left > 0 else _LOWEST) for place in range(others)
    )
    return TokenLogprob(token, logprob, tuple(islice(chain([(token, logprob)], rest), likeliest)))


def _prompt(task: GenerationTask) -> str:
    if isinstance(task, ChatTask):
        return "\n".join([*(message.text for message in task.messages), task.answer_prefix or ""])
    return str(task.input_tokens or "") if task.input_str is None else task.text_prompt or ""


def _stopped(text: str, stop: str | Sequence[str] | None) -> tuple[str, str | None]:
    """The text before the first of the words that stop it, and that word."""
    words = [stop] if isinstance(stop, str) else list(stop or ())
    end, word = min(((text.find(word), word) for word in words if word in text), default=(len(text), None))
    return text[:end], word
