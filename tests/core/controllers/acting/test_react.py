"""ReActController: actions as text, their observations, and texts that have neither action nor answer."""

import pytest

from scaffolding_core import (
    FunctionWorker,
    NativeChatController,
    ReActController,
    ScaffoldingLlm,
    SystemMessage,
    ToolsWorker,
    UserMessage,
)


def double(number: int) -> int:
    """Doubles a number."""
    return 2 * number


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def asked(*answers, prompt="go", **options):
    asked = []

    def model(task):
        asked.append(task)
        return answers[len(asked) - 1]

    workers = {"generation": FunctionWorker(model), "tools": ToolsWorker([double, add])}
    with ScaffoldingLlm(ReActController(NativeChatController(), **options), workers) as llm:
        return llm.generate(prompt).outputs[0], asked


@pytest.mark.parametrize(
    ("written", "observed"),
    [
        ('Action: add\nAction Input: {"a": 1, "b": 2}', "3"),
        ('**Action:** `add`\n**Action Input:** ```json\n{"a": 1, "b": 2}\n```'.replace(" ```", "\n```"), "3"),
        ('Action: add\nAction Input: {"a": 1, "b": 2}\nObservation: 4\nFinal Answer: 4', "3"),
        ("Action: double\nAction Input: 4", "8"),
        ("Action: double\nAction Input: four", "Error: the arguments do not fit"),
        ("Action: double\nAction Input: " + "[" * 100_000, "Error: the arguments do not fit"),
        ("Action: add\nAction Input: 1, 2", "Error: the arguments are no JSON object"),
        ("Action: none\nAction Input: {}", "Error: there is no tool named 'none'"),
        ("I would rather talk.", "there was neither an action"),
    ],
    ids=["object", "marked", "heard", "value", "no-number", "deep", "two", "no-tool", "neither"],
)
def test_an_action_is_run_and_what_comes_of_it_observed(written, observed):
    output, (first, second) = asked(f"Thought: hm\n{written}", "Thought: I know\nFinal Answer: done")
    assert (output.text, output.stopped) == ("done", "complete")
    assert second.messages[-1].text.startswith(f"Observation: {observed}")
    assert first.stop == second.stop == ["\nObservation:"]
    assert first.tools is second.tools is None
    assert "Observation: 4" not in second.messages[-2].text


def test_the_tools_are_told_behind_what_the_system_says():
    _, (task,) = asked("Final Answer: x", prompt=[SystemMessage("Be brief."), UserMessage("go")])
    told, question = task.messages
    assert told.text.startswith("Be brief.")
    assert "double: Doubles a number." in told.text
    assert question.text == "go"


def test_at_a_limit_the_model_answers_from_what_is_there():
    output, tasks = asked("Action: double\nAction Input: 1", "it is two", max_turns=1)
    assert (output.text, output.stopped) == ("it is two", "turns")
    assert "No further action" in tasks[-1].messages[-1].text
    assert [message.role for message in tasks[-1].messages] == ["system", "user", "assistant", "user"]
