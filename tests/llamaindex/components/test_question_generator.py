"""LLMQuestionGenerator: the questions and their tools count."""

import json

import pytest
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import ToolMetadata

from tests.llamaindex.components.voting import agreements, voting

TOOLS = [ToolMetadata(name="uber", description="Uber 2021"), ToolMetadata(name="lyft", description="Lyft 2021")]


def items(*pairs, **layout):
    return json.dumps({"items": [{"sub_question": text, "tool_name": name} for text, name in pairs]}, **layout)


GROWTH = ("What is the revenue growth of Uber in 2021?", "uber"), ("What is that of Lyft in 2021?", "lyft")
PROFIT = ("What is the profit of Uber in 2021?", "uber"), ("What is that of Lyft in 2021?", "lyft")
WANT = [
    f"```json\n{items(*GROWTH, indent=4)}\n```",
    items(*GROWTH),
    f"Here are the sub-questions:\n\n```json\n{items(*GROWTH)}\n```\nThese cover both companies in 2021.",
]
OTHERS = [items(*PROFIT), f"```json\n{items(*PROFIT, indent=2)}\n```"]


@pytest.mark.parametrize("order", [1, -1])
async def test_the_questions_of_most_samples_are_asked(events, order):
    generator = LLMQuestionGenerator.from_defaults(llm=voting([OTHERS[0], *WANT, OTHERS[1]][::order]))
    asked = [
        generator.generate(TOOLS, QueryBundle("Compare Uber and Lyft")),
        await generator.agenerate(TOOLS, QueryBundle("Compare Uber and Lyft")),
    ]
    for questions in asked:
        assert [(each.sub_question, each.tool_name) for each in questions] == list(GROWTH)
    assert agreements(events) == [0.6, 0.6]


async def test_another_tool_is_another_question(events):
    swapped = (GROWTH[0][0], "lyft"), GROWTH[1]
    samples = [items(*swapped), *WANT, items(*swapped)]
    questions = LLMQuestionGenerator.from_defaults(llm=voting(samples)).generate(TOOLS, QueryBundle("q"))
    assert questions[0].tool_name == "uber"
    assert agreements(events) == [0.6]
