"""DynasorController: a chain of thought ends once its answer has settled."""

import asyncio
import re

import pytest

from scaffolding_core import (
    AssistantMessage,
    Budget,
    BudgetExceededError,
    ChatTask,
    DynasorController,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    SimulatedWorker,
    UnsupportedTaskError,
    Usage,
    UserMessage,
    WorkerError,
)

pytestmark = pytest.mark.looptime

generation = NativeGenerationController()
PROBE = "\n\n**Final answer:** \\boxed{"


class Thinker:
    """Thinks word by word for so many; its probes say what the script says of so many words.

    A second a word; a probe takes `probe_seconds`. Records what it was asked, and what was cut.
    """

    def __init__(self, words, probes, *, probe_seconds=0.1, opening="", fails=()):
        self.words, self.probes, self.probe_seconds = words, probes, probe_seconds
        self.opening, self.fails = opening, fails
        self.probed, self.cut, self.tasks = [], [], []

    async def __call__(self, task):
        begun = task.answer_prefix or ""
        at = len(re.findall(r"w\d+", begun))
        self.tasks.append(task)
        task.usage = Usage(calls=1)
        if begun.endswith("{"):
            self.probed.append(at)
            await asyncio.sleep(self.probe_seconds(at) if callable(self.probe_seconds) else self.probe_seconds)
            said = self.probes(at)
            if isinstance(said, Exception):
                raise said
            task.usage.completion_tokens = 5
            return AssistantMessage(said, finish_reason="length")
        if at in self.fails:
            raise WorkerError("lost")
        end = min(self.words, at + (task.max_tokens or self.words))
        try:
            for _ in range(at, end):
                await asyncio.sleep(1.0)
                task.usage.completion_tokens += 1
        except asyncio.CancelledError:
            self.cut.append(at)
            raise
        text = (self.opening if not at else "") + "".join(f"w{n} " for n in range(at, end))
        return AssistantMessage(text, finish_reason="length" if end < self.words else "stop")


async def ran(thinker, task="q", made_of=generation, budget=None, **options):
    method = DynasorController(made_of, **{"chunk_size": 4, **options})
    async with ScaffoldingLlm(method, FunctionWorker(thinker)) as llm:
        return (await llm.generate_async(task, budget=budget)).output


def words(n):
    return "".join(f"w{each} " for each in range(n))


async def test_it_stops_where_so_many_probes_agree_and_the_running_chunk_is_cut(looptime):
    thinker = Thinker(100, lambda at: f"{7 if at < 8 else 8}}} and so on")
    output = await ran(thinker, answers="number")
    assert output.text == words(16) + PROBE + "8}"
    assert (output.answer, output.stopped, output.finish_reason) == ("8", "decided", "stop")
    assert (thinker.probed, thinker.cut) == ([4, 8, 12, 16], [16])
    assert looptime == pytest.approx(16.1)
    assert output.data == {
        "chunks": 4,
        "probes": [
            {"tokens": 4, "answer": "7", "hesitates": False},
            *({"tokens": tokens, "answer": "8", "hesitates": False} for tokens in (8, 12, 16)),
        ],
    }


async def test_it_saves_the_tokens_behind_the_point_where_it_settles():
    """Of 100 tokens, those up to the third agreeing probe are paid for, the running chunk's, and the probes'."""
    output = await ran(Thinker(100, lambda at: "8}"))
    assert output.usage.completion_tokens == 12 + 0 + 3 * 5
    output = await ran(Thinker(100, lambda at: f"{at}}}"))
    assert output.usage.completion_tokens == 100 + 24 * 5


async def test_equal_is_what_the_kind_of_answer_says():
    said = {4: "0.50}", 8: "1/2}", 12: "\\frac{1}{2}} $"}
    output = await ran(Thinker(100, said.__getitem__), answers="math")
    assert output.text.endswith("\\boxed{\\frac{1}{2}}")
    assert output.stopped == "decided"


@pytest.mark.parametrize(
    ("said", "settles"),
    [
        ("8} Wait, no", False),
        ("8} hmm", False),
        ("8} I know, press the button, nothing else", True),
        ("wait, it is 8}", False),
        ("no}", True),
        ("", False),
        ("8 and it never closes", False),
    ],
)
async def test_a_probe_that_hesitates_or_says_nothing_settles_nothing(said, settles):
    output = await ran(Thinker(40, lambda at: said))
    assert (output.stopped == "decided") is settles
    assert settles or output.text == words(40)


async def test_one_that_hesitates_in_between_breaks_the_row():
    thinker = Thinker(100, lambda at: "8} wait" if at == 12 else "8}")
    output = await ran(thinker)
    assert output.text == words(24) + PROBE + "8}"


async def test_an_answer_that_ends_by_itself_is_handed_on_as_it_is():
    thinker = Thinker(10, lambda at: "8}", probe_seconds=60.0)
    output = await ran(thinker, agree=2)
    assert (output.text, output.finish_reason, output.stopped) == (words(10), "stop", "complete")


async def test_a_slow_probe_never_holds_the_next_chunk_back(looptime):
    """Its chunk is settled all the same: the answer is that of the probes, in the order of what they ask about."""
    thinker = Thinker(100, lambda at: "8}", probe_seconds=lambda at: 20.0 if at == 4 else 0.1)
    output = await ran(thinker)
    assert output.text == words(16) + PROBE + "8}"
    thinker = Thinker(100, lambda at: "8}", probe_seconds=lambda at: 9.5 if at == 4 else 0.1)
    output = await ran(thinker)
    assert output.text == words(12) + PROBE + "8}"
    assert float(looptime) == pytest.approx(16.1 + 13.5)


async def test_a_probe_that_fails_breaks_the_row_alone():
    thinker = Thinker(100, lambda at: WorkerError("lost") if at == 4 else "8}")
    output = await ran(thinker)
    assert output.text == words(16) + PROBE + "8}"


async def test_a_chunk_that_fails_is_the_answers_failure():
    with pytest.raises(WorkerError, match="lost"):
        await ran(Thinker(100, lambda at: "?", fails=[8]))


@pytest.mark.parametrize("task", [GenerationTask(input_str="q\n<think>\n"), GenerationTask(input_str="q")])
async def test_a_thought_that_is_open_is_closed_before_the_answer(task):
    thinker = Thinker(100, lambda at: "8}", opening="" if "<think>" in task.input_str else "<think>\n")
    output = await ran(thinker, task)
    assert output.text == thinker.opening + words(12) + "\n</think>" + PROBE + "8}"
    assert output.answer == "8"


async def test_one_that_uses_up_its_tokens_ends_with_the_last_answer_there_is():
    thinker = Thinker(100, lambda at: f"{at}}}")
    output = await ran(thinker, GenerationTask(input_str="q", max_tokens=10))
    assert (output.text, output.answer) == (words(10) + PROBE + "10}", "10")
    assert (output.stopped, output.finish_reason) == ("complete", "length")
    chunks = [task for task in thinker.tasks if not (task.answer_prefix or "").endswith("{")]
    assert [task.max_tokens for task in chunks] == [4, 4, 2]


async def test_where_time_is_up_the_last_answer_there_is_ends_it_else_what_was_written():
    output = await ran(Thinker(100, lambda at: f"{at}}}"), budget=Budget(seconds=9.5))
    assert (output.text, output.stopped) == (words(8) + PROBE + "8}", "budget")
    output = await ran(Thinker(100, lambda at: "wait"), budget=Budget(seconds=9.5))
    assert (output.text, output.stopped, output.finish_reason) == (words(8), "budget", "cancelled")
    with pytest.raises(BudgetExceededError):
        await ran(Thinker(100, lambda at: "8}"), budget=Budget(seconds=2.5))


async def test_a_chat_is_gone_on_with_and_the_task_keeps_its_prompt():
    task = ChatTask(messages=[UserMessage("q")], seed=3)
    thinker = Thinker(100, lambda at: "8}")
    output = await ran(thinker, task, made_of=NativeChatController())
    assert output.text == words(12) + PROBE + "8}"
    assert {type(asked) for asked in thinker.tasks} == {ChatTask}
    seeds = [asked.seed for asked in thinker.tasks]
    assert len(set(seeds)) == len(seeds)


async def test_another_probe_may_end_with_its_line():
    async def answer(task):
        if (task.answer_prefix or "").endswith("The answer:"):
            return AssistantMessage(" 8\nmore", finish_reason="length")
        return AssistantMessage("on and on ", finish_reason="length")

    method = DynasorController(generation, probe="\nThe answer:", answers="number")
    async with ScaffoldingLlm(method, FunctionWorker(answer)) as llm:
        output = (await llm.generate_async("q")).output
    assert output.text == "on and on " * 3 + "\nThe answer: 8"
    assert output.answer == "8"


async def test_thoughts_that_a_server_tells_apart_are_an_error_that_says_what_to_do():
    worker = FunctionWorker(lambda task: AssistantMessage("", reasoning="hm", finish_reason="length"))
    async with ScaffoldingLlm(DynasorController(NativeChatController()), worker) as llm:
        with pytest.raises(UnsupportedTaskError, match="reasoning parser"):
            await llm.generate_async("q")


async def test_on_drawn_answers_it_saves_what_arithmetic_says():
    """A model that is sure from its 40th token on stops at the first three probes behind it, at any chunk size."""

    def says(task, source):
        begun = task.answer_prefix or ""
        at = len(re.findall(r"w\d+", begun))
        if begun.endswith("{"):
            return "8}" if at >= 40 else f"{source.random()}}}"
        return "".join(f"w{n} " for n in range(at, 400)).strip() + " done"

    for chunk in (8, 20, 64):
        settled = -(-40 // chunk) * chunk + 2 * chunk
        method = DynasorController(generation, chunk_size=chunk, answers="number")
        async with ScaffoldingLlm(method, SimulatedWorker(says, seconds_per_token=1.0)) as llm:
            output = (await llm.generate_async("q")).output
        assert len(re.findall(r"w\d+", output.text)) == settled
        assert output.usage.completion_tokens <= settled + 2 + settled / chunk


@pytest.mark.parametrize(
    "options", [{"chunk_size": 0}, {"agree": 0}, {"probe": ""}, {"probe_tokens": 0}, {"max_tokens": 0}]
)
def test_other_settings_are_refused(options):
    with pytest.raises(InvalidRequestError):
        DynasorController(generation, **options)
