"""CrossEncoderWorker: a cross-encoder of sentence-transformers, in this process."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from scaffolding_core.errors import ClosedError, InvalidRequestError, MissingExtraError, WorkerError
from scaffolding_core.messages import Usage
from scaffolding_core.tasks import RewardTask, Task
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.limits import check_counts
from scaffolding_core.workers.reward_model.batches import Batches
from scaffolding_core.workers.reward_model.judged import judged_of
from scaffolding_core.workers.reward_model.scores import checked_scores

__all__ = ["CrossEncoder", "CrossEncoderWorker"]


class CrossEncoder(Protocol):
    """What is taken for a cross-encoder."""

    def predict(self, sentences: Sequence[tuple[str, str]], *, batch_size: int, show_progress_bar: bool) -> Any:
        """A score for each pair; Any: an array of whichever library."""


class CrossEncoderWorker(Worker):
    """Scores answers with a cross-encoder that reads prompt and answer together, in threads of this process.

    The model is loaded for the first answer. One batch is scored at a time; what starts together is one batch.

    Cost: one pass of the model for each answer.

    Source: https://sbert.net/docs/package_reference/cross_encoder

    Args:
        model: name or folder of the model, or a `CrossEncoder` that is loaded already.
        max_batch: answers in one pass at most.
        max_concurrency: tasks at once, over all event loops.
        options: of `CrossEncoder`, such as `device="cuda"`; none beside one that is loaded.

    Raises:
        InvalidRequestError: no model, or a number out of range.
        MissingExtraError: the extra `cross-encoder` is not installed.
    """

    def __init__(
        self,
        model: str | CrossEncoder,
        *,
        max_batch: int = 32,
        max_concurrency: int = 256,
        options: Mapping[str, object] | None = None,
    ) -> None:
        check_counts(max_batch=max_batch, max_concurrency=max_concurrency)
        loaded = None if isinstance(model, str) else model
        if loaded is not None and not callable(getattr(loaded, "predict", None)):
            raise InvalidRequestError(
                f"CrossEncoderWorker needs the name of a model, or a CrossEncoder, got {model!r}"
            )
        if loaded is not None and options:
            raise InvalidRequestError("options are of a model that is loaded by its name: leave them out")
        if loaded is None:
            _check_installed()
        self.model = model if isinstance(model, str) else type(model).__name__
        self.max_concurrency = max_concurrency
        self._options = dict(options or {})
        self._loaded = loaded
        self._batches = Batches(self._scores, max_batch)
        self._turn = threading.Lock()
        self._closed = False

    async def _score(self, task: RewardTask) -> None:
        judged = judged_of(task)
        self._check_open()
        task.usage = Usage(calls=1)
        task.reward = await self._batches.answer((judged.prompt, judged.answer), None, self._batches.most)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {RewardTask: _score}

    async def _scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return await run_in_thread(self._predicted, pairs)

    def _predicted(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        with self._turn:
            self._check_open()
            if self._loaded is None:
                self._loaded = self._load()
            loaded = self._loaded  # it may be let go of meanwhile
            try:
                told = loaded.predict(list(pairs), batch_size=len(pairs), show_progress_bar=False)
                plain = [_plain(score) for score in told]
            except Exception as error:  # of one of them perhaps, which the others must not pay for
                raise WorkerError(
                    f"the cross-encoder {self.model!r} failed: {type(error).__name__}: {error}"
                ) from error
        if any(isinstance(score, list) for score in plain):
            raise WorkerError(f"{self.model} tells several labels for an answer: take one that tells one score")
        return checked_scores(plain, len(pairs))

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this CrossEncoderWorker is closed: make a new one")

    def _load(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder as Loaded  # it takes seconds, and brings torch

        try:
            loaded: CrossEncoder = Loaded(self.model, **self._options)
        except Exception as error:
            raise WorkerError(f"the cross-encoder {self.model!r} cannot be loaded: {error}") from error
        return loaded

    async def async_shutdown(self) -> None:
        """Refuse further tasks, and let the model go."""
        self.shutdown()

    def shutdown(self) -> None:
        """Refuse further tasks, and let the model go."""
        self._closed, self._loaded = True, None


def _plain(score: Any) -> object:
    """A score as Python's own number, whichever library's it is."""
    return score.tolist() if hasattr(score, "tolist") else score


def _check_installed() -> None:
    import importlib.util

    if importlib.util.find_spec("sentence_transformers") is None:
        raise MissingExtraError("CrossEncoderWorker", "cross-encoder")
