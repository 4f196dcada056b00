"""A scripted model that thinks in steps, and judges them, on the loop's own clock."""

import asyncio
from itertools import count

from scaffolding_core import (
    AssistantMessage,
    BestFirstController,
    LatsController,
    MctsController,
    TreeOfThoughtsController,
    Usage,
)
from scaffolding_core.tasks import RewardTask
from scaffolding_core.worker import Worker

NEXT, JUDGE = "next of: ", "worth of: "
PROMPTS = {
    "propose": lambda question, steps: NEXT + "/".join(steps),
    "evaluate": lambda question, steps: JUDGE + "/".join(steps),
}
METHODS = {
    "tree_of_thoughts": TreeOfThoughtsController,
    "depth_first": lambda *args, **options: TreeOfThoughtsController(*args, **{"order": "dfs", **options}),
    "best_first": BestFirstController,
    "mcts": MctsController,
    "lats": lambda *args, **options: LatsController(*args, **{"enough": None, "reflections": 0, **options}),
}


class Thinker(Worker):
    """Proposes the steps that a tree has below a path, judges by the words of a table; tells what it was asked.

    Args:
        tree: the steps that follow each path (`a/b`), as a list that is proposed, or drawn from one after another;
            an exception in place of a list, or of a step, is raised.
        worth: of paths, `likely` where there is none; numbers for rewards.
        seconds: of a generation, and of a judgement.
    """

    max_concurrency = 256

    def __init__(self, tree, worth=None, *, seconds=(1, 1), proposes=True):
        self.tree = tree
        self.worth = worth or {}
        self.seconds = seconds
        self.proposes = proposes
        self.asked, self.judged, self.tasks, self.cut = [], [], [], 0
        self.running = self.most = 0
        self._draws = {path: count() for path in tree}

    async def run_task(self, task):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._run(task)
        except asyncio.CancelledError:
            self.cut += 1
            raise
        finally:
            self.running -= 1

    async def _run(self, task):
        task.usage = Usage(calls=1, completion_tokens=1)
        if isinstance(task, RewardTask):
            path = task.response.text.replace("\n", "/")
            self.judged.append(path)
            await asyncio.sleep(self.seconds[1])
            task.reward = self._raised(self.worth.get(path, 0.5))
            return
        text = task.messages[-1].text
        if text.startswith(JUDGE):
            path = text.removeprefix(JUDGE)
            self.judged.append(path)
            await asyncio.sleep(self.seconds[1])
            task.output_str, task.finish_reason = self._raised(self.worth.get(path, "likely")), "stop"
            return
        path = text.removeprefix(NEXT)
        self.asked.append(path)
        self.tasks.append(task)
        draw = next(self._draws.setdefault(path, count()))
        await asyncio.sleep(self.seconds[0])
        steps = self._raised(self.tree.get(path, []))
        said = "\n".join(steps) if self.proposes else self._raised(steps[draw % len(steps)] if steps else "")
        task.said = said if isinstance(said, AssistantMessage) else AssistantMessage(said, finish_reason="stop")

    def _raised(self, what):
        if isinstance(what, Exception):
            raise what
        return what
