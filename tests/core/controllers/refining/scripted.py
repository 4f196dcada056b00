"""A model whose answers stand in a script, since what it is asked, in which order, is what is looked at."""

import asyncio

from scaffolding_core import (
    AssistantMessage,
    ChatTask,
    FunctionWorker,
    RewardTask,
    ScaffoldingLlm,
    ToolCall,
    UserMessage,
)

QUESTION = [UserMessage("How many?")]
CALLING = AssistantMessage(None, tool_calls=[ToolCall("1", "look", "{}")])
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


class Model:
    """Answers by the first words of the script that stand in the last thing said, each with its answers in turn.

    An answer is a text, a message, an error to raise, or one of these behind the seconds that it takes. The last
    answer to some words goes on for ever.
    """

    def __init__(self, script, **rewards):
        self.script = {words: [said] if not isinstance(said, list) else [*said] for words, said in script.items()}
        self.rewards = rewards
        self.tasks, self.judged = [], []
        self.judges_for = 0
        self.running = self.most = self.cut = 0

    async def __call__(self, task):
        if isinstance(task, RewardTask):
            self.judged.append(task)
            await asyncio.sleep(self.judges_for)
            return self._reward(task)
        self.tasks.append(task)
        answers = self.answers_to(task)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        seconds, answer = answer if isinstance(answer, tuple) else (1, answer)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cut += 1
            raise
        finally:
            self.running -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def answers_to(self, task):
        return next(said for words, said in self.script.items() if words in last(task))

    def _reward(self, task):
        said = self.rewards.get(f"_{task.response.text}")
        if isinstance(said, Exception):
            raise said
        if isinstance(said, tuple):
            said, task.feedback = said
        if isinstance(said, bool):
            task.verdict = said
            return None
        return said

    @property
    def asked(self):
        """The last thing said of each task, in order."""
        return [last(task) for task in self.tasks]

    async def ask(self, method, prompt=QUESTION, **options):
        judge = options.pop("judge", self)
        workers = {
            "generation": FunctionWorker(self),
            "reward": FunctionWorker(self),
            "judge": FunctionWorker(judge),
        }
        async with ScaffoldingLlm(method, workers) as llm:
            return (await llm.generate_async(prompt, **options)).output


def last(task):
    return task.messages[-1].text if isinstance(task, ChatTask) else task.input_str


def texts(output):
    return [candidate.text for candidate in output.candidates]


def errors(output):
    return [None if each.error is None else type(each.error).__name__ for each in output.candidates]
