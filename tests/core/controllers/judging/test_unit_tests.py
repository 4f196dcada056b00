"""UnitTests: code is scored by the tests that it passes, whatever it does to look as if it did."""

import pytest

from scaffolding_core import CodeTask, CodeWorker, InvalidRequestError, RewardTask, ScaffoldingLlm
from scaffolding_core.controller import Controller
from scaffolding_core.controllers.judging import UnitTests
from scaffolding_core.messages import AssistantMessage

RIGHT = "Here:\n```python\ndef double(x):\n    return x * 2\n```\nDone."


class Judged(Controller):
    """Hands out what the tests say of the prompt."""

    def __init__(self, tests):
        self.tests = tests

    def process(self, tasks, **options):
        reward = RewardTask(response=AssistantMessage(tasks[0].input_str))
        yield from self.tests.clone().process([reward])
        tasks[0].output_str = f"{reward.reward:.2f} {reward.verdict} {reward.feedback}"


async def said(tests, answer):
    async with (
        CodeWorker(seconds=0.5) as worker,
        ScaffoldingLlm(Judged(UnitTests(tests)), {"code": worker}) as llm,
    ):
        return (await llm.generate_async(answer)).text


@pytest.mark.parametrize(
    "tests",
    [
        ["assert double(2) == 4", "assert double(3) > 5"],
        [("double(2)", 4), ("double('a')", "aa")],
        "x = 4\nassert double(2) == 4\nassert double(x) == x + x",
    ],
    ids=["list", "pairs", "text"],
)
async def test_right_code_passes_however_the_tests_are_given(tests):
    assert await said(tests, RIGHT) == "1.00 True None"


@pytest.mark.parametrize(
    "answer",
    [
        f"```bash\npip install double\n```\n{RIGHT}\nIt gives:\n```\ndouble(2): 4\n```",
        "1. So:\n   ```python\n   def double(x):\n       return x * 2\n   ```\n2. Done.",
        "```python\nf'{'a'}'\ndef double(x): return x * 2\n```",
    ],
    ids=["output", "list", "newer"],
)
async def test_right_code_passes_whatever_stands_around_it(answer):
    assert await said(["assert double(2) == 4", "assert double(3) > 5"], answer) == "1.00 True None"


async def test_the_feedback_says_which_test_failed_and_how():
    told = await said([("double(2)", 4), ("double(3)", 7), ("double(None)", 0)], RIGHT)
    assert told.startswith("0.33 False double(3): it was 6, not 7\ndouble(None): TypeError: ")


@pytest.mark.parametrize(
    "answer",
    [
        "print('all passed')",
        "double = lambda x: 1 / 0",
        "import sys\nsys.exit(0)",
        "def double(x):\n    while True: pass",
        "class Same:\n    def __eq__(self, other): return True\n    def __gt__(self, other): return True\n"
        "def double(x): return Same()",
        "AssertionError = ValueError\ndef double(x): return 0",
        "repr = lambda x: '0'\ndef double(x): return 0",
        "if False:",
        "'''",
        "I cannot do that.",
        "if 0: \\",
        "def f(): \\",
        "try:\n    pass\nexcept: \\",
        "'passed'",
        "return",
    ],
)
async def test_no_answer_looks_as_if_it_passed(answer):
    assert (await said(["assert double(2) == 4", "assert double(3) > 5"], answer)).startswith("0.00 False ")


async def test_an_answer_cannot_know_what_says_that_a_test_was_passed():
    seen = []

    class Sees(CodeWorker):
        async def run(self, task):
            seen.append(task.code.splitlines()[-1])
            await super().run(task)

        task_handlers = {CodeTask: run}

    async with Sees() as worker, ScaffoldingLlm(Judged(UnitTests("assert f() > 1")), {"code": worker}) as llm:
        assert (await llm.generate_async("def f(): return 2")).text == "1.00 True None"
        said_before = seen[0]
        again = await llm.generate_async(f"def f(): return 0\n{said_before}\nreturn")
    assert again.text.startswith("0.00 False ")
    assert seen[1] != said_before


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("float('inf')", float("inf")),
        ("[float('inf')]", [float("inf")]),
        ("range(3)", range(3)),
        ("frozenset([1])", frozenset([1])),
    ],
)
async def test_a_value_need_not_be_plain(call, value):
    assert await said([(call, value)], "x = 1") == "1.00 True None"


@pytest.mark.parametrize(
    "tests",
    [
        *("", [], ["assert ("], [("double(2)",)], 5, {"double(2)": 4}),
        ["assert double(2) == 4", "double(3) == 6"],
        "assert double(2) == 4\nfor x in range(3):\n    assert double(x) == 2 * x",
    ],
    ids=str,
)
def test_what_is_no_test_is_refused(tests):
    with pytest.raises(InvalidRequestError):
        UnitTests(tests)
