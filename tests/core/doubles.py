"""A scripted backend and a method from a plain generator function.

Scripted, because the driver's rules concern order, failure and cuts, which no real model shows on demand.
"""

import asyncio
from collections.abc import Callable

from scaffolding_core.controller import Controller
from scaffolding_core.messages import Usage
from scaffolding_core.tasks import Delta, GenerationTask, RewardTask
from scaffolding_core.worker import Worker


class Backend(Worker):
    """Answers `wait:SECONDS`, `fail:TEXT` and `say:TEXT` prompts, joined by spaces; records what it did."""

    def __init__(self, max_concurrency: int = 256) -> None:
        self.max_concurrency = max_concurrency
        self.started: list[str] = []
        self.finished: list[str] = []
        self.cut: list[str] = []
        self.running = 0
        self.most = 0

    async def run_task(self, task) -> None:
        prompt = task.input_str or ""
        self.started.append(prompt)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._obey(prompt, task)
            self.finished.append(prompt)
        except asyncio.CancelledError:
            self.cut.append(prompt)
            raise
        finally:
            self.running -= 1

    async def _obey(self, prompt, task) -> None:
        task.usage = Usage(calls=1, prompt_tokens=2)
        for order in prompt.split():
            verb, _, value = order.partition(":")
            if verb == "wait":
                await asyncio.sleep(float(value))
            elif verb == "fail":
                raise ValueError(value)
            elif verb == "score":
                task.reward = float(value)
            elif verb == "say" and isinstance(task, GenerationTask):
                task.output_str = value
                task.finish_reason = "stop"
                if task.scope is not None and task.scope.listening:
                    task.scope.emit(Delta(value))
        task.usage.completion_tokens = 3
        if isinstance(task, RewardTask) and task.response is not None:
            task.reward = float(len(task.response.text))


class Method(Controller):
    """A method whose `process` is the given generator function of the tasks."""

    def __init__(self, process: Callable) -> None:
        self._process = process

    def process(self, tasks):
        return self._process(tasks)


def task(prompt: str) -> GenerationTask:
    return GenerationTask(input_str=prompt)
