"""JudgedOnce: the same answer to the same prompt is judged once in a run of a method."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.own_confidence import reads_logprobs
from scaffolding_core.controllers.scoring import judged
from scaffolding_core.results import Judgement
from scaffolding_core.tasks import ChatTask, GenerationTask, RewardTask

__all__ = ["JudgedOnce"]


class JudgedOnce:
    """Judges answers, each once: one with the same text and the same tool calls as another has its judgement.

    Results that hold more than their text, as those of chains and query engines do, are not taken for one another;
    neither is any answer where the reward reads its tokens.

    Args:
        rewarder: see `judged`.
        options: of its `process`.
    """

    def __init__(self, rewarder: Controller, options: Mapping[str, object] | None = None) -> None:
        self._rewarder = rewarder
        self._options = options
        self._judgements: dict[Hashable, Judgement] = {}
        self._running: set[Hashable] = set()

    def is_judging(self, task: GenerationTask | RewardTask) -> bool:
        """Whether an answer, or the same of another task, is being judged."""
        return self._content(task) in self._running

    def known(self, task: GenerationTask | RewardTask) -> Judgement | None:
        """The judgement of an answer, if there is one."""
        return self._judgements.get(self._content(task))

    def judge(self, task: GenerationTask | RewardTask) -> Steps[Judgement | None]:
        """What the reward says of an answer; None while the same is being judged, so that it is known later.

        Raises:
            WorkerError: see `judged`; the same answer may be judged again.
        """
        content = self._content(task)
        if content in self._judgements or content in self._running:
            return self._judgements.get(content)
        self._running.add(content)
        try:
            (judgement,) = yield from judged(self._rewarder, [task], self._options)
            assert isinstance(judgement, Judgement)  # the only one raises where it fails
            self._judgements[content] = judgement
            return judgement
        finally:
            self._running.discard(content)

    def _content(self, task: GenerationTask | RewardTask) -> Hashable:
        if not reads_logprobs(self._rewarder):
            return _content(task)
        return id(task.response if isinstance(task, RewardTask) else task.message())  # as long as its task lives


def _content(task: GenerationTask | RewardTask) -> Hashable:
    """What the judgement of an answer rests on."""
    message = task.response if isinstance(task, RewardTask) else task.message()
    if message is None:
        return None
    calls = tuple((call.name, call.arguments) for call in message.tool_calls or ())
    messages = task.messages if isinstance(task, ChatTask | RewardTask) else None
    prompt = task.input_str, tuple(task.input_tokens or ()), tuple(map(repr, messages or ()))
    more = message.original if messages is None or isinstance(message.original, Mapping) else None
    return prompt, message.text, calls, None if isinstance(more, str | None) else id(more)
