"""NativeGenerationController: one generation."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import scaffolding_core.controllers as core
from scaffolding_core.controller import Steps
from scaffolding_core.tasks import SAMPLING_PARAMETERS
from scaffolding_core.tensorrt_llm.controllers.base import Controller
from scaffolding_core.tensorrt_llm.task import Task

__all__ = ["NativeGenerationController"]

logger = logging.getLogger("scaffolding_core")


class NativeGenerationController(Controller, core.NativeGenerationController):
    """Answers each task with one generation.

    Args:
        sampling_params: defaults for what a task leaves unset; what is no sampling parameter is left out, with a
            warning.
        streaming: whether the text is handed out as it is written.
    """

    stateless = False

    def __init__(self, sampling_params: Mapping[str, object] | None = None, streaming: bool = False) -> None:
        given = sampling_params or {}
        for name in given.keys() - SAMPLING_PARAMETERS:
            logger.warning("%s is no sampling parameter, and is left out", name)
        known = {name: value for name, value in given.items() if name in SAMPLING_PARAMETERS}
        core.NativeGenerationController.__init__(self, known)
        self.streaming = streaming

    def process(self, tasks: list[Any], **kwargs: Any) -> Steps[Any]:
        """Run the tasks at the same time."""
        for task in tasks:
            self.prepare(task)
            if isinstance(task, Task):  # else of the core, which streams to whoever listens
                task.streaming_output_flag = self.streaming
        yield tasks
