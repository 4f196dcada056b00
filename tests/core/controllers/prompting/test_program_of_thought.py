"""Program of thought: the answer is what the model's program says."""

import pytest

from scaffolding_core import (
    Budget,
    BudgetExceededError,
    CodeWorker,
    FunctionWorker,
    MajorityVoteController,
    NativeChatController,
    ScaffoldingLlm,
    WorkerError,
)
from scaffolding_core.controllers.prompting import ProgramOfThoughtController

GOOD, BAD = "So:\n```python\nprint(6 * 7)\n```", "```python\nprint(6 / 0)\n```"


async def asked(written, method=None, **options):
    prompts, left = [], list(written)

    def writes(prompt):
        prompts.append(str(prompt))
        return left.pop(0)

    method = method or ProgramOfThoughtController(NativeChatController(), max_retries=1)
    code = CodeWorker()
    async with code, ScaffoldingLlm(method, {"generation": FunctionWorker(writes), "code": code}) as llm:
        result = await llm.generate_async("What is 6 times 7?", **options)
    return result.outputs[0], prompts


@pytest.mark.parametrize("program", [GOOD, "```python\n6 * 7\n```", "print(42)"], ids=["print", "value", "bare"])
async def test_the_answer_is_what_the_program_says(program):
    output, _ = await asked([program])
    assert (output.text, output.answer, output.candidates[0].text) == ("42", "42", program)


@pytest.mark.parametrize(
    "written",
    [
        f"```sh\npip install x\n```\n{GOOD}\nOutput:\n```text\n41, surely\n```",
        "First:\n```python\nx = 40\n```\nThen:\n```python\nprint(x + 2)\n```",
        "- So:\n  ```py\n  if True:\n      print(42)\n  ```",
        "~~~Python\nprint(42)\n~~~",
        "```python\nprint(' 42 ')",
        "```python\nx = 1\nx += 41\nx\n```",
        "```\nprint(42)\n```",
    ],
    ids=["shell and output", "two blocks", "list", "tildes", "cut", "value", "no language"],
)
async def test_a_program_is_found_whatever_stands_around_it(written):
    output, prompts = await asked([written])
    assert (output.text, len(prompts)) == ("42", 1)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("```python\nanswer = 42\n```", "it printed nothing: print the answer"),
        ("```python\ndef solution():\n    return 42\n```", "it printed nothing: print the answer"),
        ("```python\nprint(42\n```", "SyntaxError"),
        ("", "there was no code in the answer"),
        ("```python\nimport numpy\n```", "has a part of Python's library only: do without it"),
        ("```python\nint('x' * 10**6)\n```", "ValueError: invalid literal"),
    ],
    ids=["a name", "a function", "syntax", "nothing", "library", "long"],
)
async def test_a_program_that_says_nothing_is_told_why_in_few_words(written, told):
    output, prompts = await asked([written, GOOD])
    assert output.text == "42"
    assert told in prompts[1]
    assert len(prompts[1]) < 3_000


async def test_a_program_that_fails_is_asked_for_again_with_its_error():
    output, prompts = await asked([BAD, GOOD])
    assert output.text == "42"
    assert "ZeroDivisionError" in str(output.candidates[0].error)
    assert "The program failed: ZeroDivisionError: division by zero (line 1)" in prompts[1]


async def test_with_no_program_that_runs_there_is_no_answer():
    with pytest.raises(WorkerError, match=r"no program of 2 ran through; the last one: ZeroDivisionError"):
        await asked([BAD, BAD])


async def test_a_budget_ends_the_retries():
    method = ProgramOfThoughtController(NativeChatController(), max_retries=9)
    with pytest.raises(BudgetExceededError, match="samples"):
        await asked([BAD, BAD, GOOD], method, budget=Budget(samples=2))


async def test_votes_are_on_what_the_programs_say():
    vote = MajorityVoteController(ProgramOfThoughtController(NativeChatController()), default_sample_num=3)
    output, _ = await asked([GOOD, "```python\nprint(41)\n```", "```python\nx = 42\nx\n```"], vote)
    assert output.text == "42"
