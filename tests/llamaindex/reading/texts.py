"""Texts that are answers to ordinary questions, and no component's format."""

from llamaindex_scaffolding.reading import Step
from scaffolding_core import AssistantMessage
from scaffolding_core.answers import Normalised, default_extractor

ORDINARY = [
    "The answer is 7.",
    "12 + 30 = 42",
    "12\n+ 30\n= 42",
    "3\n5\n7",
    "10\nCents",
    "3\n5 apples\n8 total",
    "12\nminus 5 is 7",
    "12\nminus 5\n7",
    "1. First we add 3 and 4.\n2. Then we double it.\nThe result is 14.",
    "The vertices are\n(1, 2, 3)\n(4, 5, 6)\nThe volume is 12.",
    "The roots are (a, b, c), so the sum is 7.",
    "Width: 3, Height: 4\nArea: 12",
    "NO is a free radical, and NO2 is brown.",
    "YES and NO both occur in the text.",
    "It costs $5.50, not $.50.",
    "On $[0, 1]$ the maximum is $1$.",
    "Select the best option from the list: B",
    "Update 5: With the new data it is 7.",
    "I have an Action: plan. Answer: 7",
    "My thought: there are 7.",
    "Tom has 3 apples.\nHe buys 4 more.\nSo he has 7.",
    "x = 3\ny = 4\nx + y = 7",
    "Step 1: 3 apples and 4 pears\nStep 2: 7 pieces of fruit\nFinal answer: 7",
    '{"answer": 7, "reason": "3 + 4"}',
    "Use <b>7</b> of them.",
    "[[7]]",
    "Keywords are words that matter; there are 7.",
]


def read(text):
    return Step().read(AssistantMessage(text))


def by_auto(text):
    return default_extractor().read(AssistantMessage(text))


def same(*texts):
    """Whether a vote takes all of the texts for one answer."""
    return len({Normalised().key(read(text).answer) for text in texts}) == 1
