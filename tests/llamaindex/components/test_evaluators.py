"""Evaluators: the verdict counts, not the reasons."""

import pytest
from llama_index.core.evaluation import (
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    GuidelineEvaluator,
    PairwiseComparisonEvaluator,
    RelevancyEvaluator,
)

from tests.llamaindex.components.voting import agreements, voting

FOR_B = [
    "Assistant A is vague and gets 2 of 5 facts wrong. [[B]]",
    "B names its sources; I count 5.\n\nFinal verdict: [[B]]",
    "Both are short, but B answers all 5 parts.\n**[[B]]**",
]
FOR_A = ["Assistant A is clear and answers all 5 parts. [[A]]", "A it is: 5 parts of 5.\n\n[[A]]"]


async def test_pairwise_the_verdict_in_brackets_counts(events):
    llm = voting([FOR_A[0], *FOR_B, FOR_A[1]])
    evaluator = PairwiseComparisonEvaluator(llm=llm, enforce_consensus=False)
    result = await evaluator.aevaluate(query="q", response="first", second_response="second")
    assert result.score == 0.0
    assert agreements(events) == [0.6]


async def test_pairwise_holds_the_answers_the_other_way_round_too(events):
    llm = voting([FOR_A[0], *FOR_B, FOR_A[1]], [FOR_B[0], FOR_A[0], FOR_A[1], "[[A]] 5", FOR_B[2]])
    evaluator = PairwiseComparisonEvaluator(llm=llm)
    result = await evaluator.aevaluate(query="q", response="first", second_response="second")
    assert (result.score, agreements(events)) == (0.0, [0.6, 0.6])


async def test_pairwise_a_sample_without_a_verdict_is_read_as_text(events):
    llm = voting([*FOR_B[:2], "I cannot decide between the 5.", FOR_A[0], FOR_B[2]])
    evaluator = PairwiseComparisonEvaluator(llm=llm, enforce_consensus=False)
    assert (await evaluator.aevaluate(query="q", response="first", second_response="second")).score == 0.0
    assert agreements(events) in ([0.6], [0.75])  # no verdict: another answer, or none


SCORES = [
    "4.0\nThe generated answer matches the reference, but leaves out 1 of 3 points.",
    "2.0\nIt misses the point; 3 facts are wrong.",
    "4.0\n\nRelevant and mostly right: the reference answer is 3.",
    "4\nAll but one of the claims are correct, so it loses a point.\nIt lists 3.",
    " 2.0 \nHalf of it is made up. There should be 3.",
]


@pytest.mark.parametrize("order", [1, -1])
async def test_correctness_the_line_with_the_score_counts(events, order):
    result = await CorrectnessEvaluator(llm=voting(SCORES[::order])).aevaluate(
        query="q", response="a", reference="b"
    )
    assert (result.score, result.passing) == (4.0, True)
    assert agreements(events) == [0.6]


GUIDELINES = [
    '{"passing": false, "feedback": "Too vague: names 2 of 5."}',
    '```json\n{"passing": true, "feedback": "Specific; all 5 are named."}\n```',
    'Here is my critique:\n{"feedback": "It answers the query. 5 of 5.", "passing": true}',
    '{"passing": false, "feedback": "It should name all 5."}',
    '{\n  "passing": true,\n  "feedback": "Good use of 5 statistics."\n}',
]


@pytest.mark.parametrize("order", [1, -1])
async def test_guideline_the_feedback_does_not_count(events, order):
    result = await GuidelineEvaluator(llm=voting(GUIDELINES[::order])).aevaluate(query="q", response="a")
    assert result.passing
    assert agreements(events) == [0.6]


async def test_guideline_what_cannot_be_parsed_has_no_vote(events):
    broken = ['{"passing": maybe', "It passes.", '{"passing": "perhaps", "feedback": "5"}']
    result = await GuidelineEvaluator(llm=voting([*broken, GUIDELINES[1], GUIDELINES[2]])).aevaluate(
        query="q", response="a"
    )
    assert result.passing
    assert agreements(events) == [1.0]


YES = [
    "YES",
    "Yes. The context says so in chapter 3.",
    "YES, the information is supported: see section 3.",
    "**YES**\n\nThe report of 2019 says the same, on page 3.",
    "Answer: YES",
    "The answer is YES, as the context tells in part 3.",
    "yes - it is in line with paragraph 3",
    "The information is in the context, on page 3. YES",
]
NO = [
    "NO. The context is about something else, see section 3.",
    "No, the report does not say that on page 3.",
    "NO",
    "Answer: NO. Nothing of it is in chapter 3.",
    "The context does not mention chapter 3, so NO.",
]


@pytest.mark.parametrize("evaluator", [FaithfulnessEvaluator, RelevancyEvaluator])
@pytest.mark.parametrize("first", range(len(YES)))
async def test_faithfulness_and_relevancy_the_word_counts(events, evaluator, first):
    yes, no = [YES[(first + i) % len(YES)] for i in range(3)], [NO[(first + i) % len(NO)] for i in range(2)]
    asked = {"query": "q", "response": "a", "contexts": ["Some context."]}
    result = await evaluator(llm=voting([no[0], *yes, no[1]])).aevaluate(**asked)
    assert result.passing
    assert agreements(events) == [0.6]
    events.clear()
    result = await evaluator(llm=voting([yes[0], *no, NO[(first + 2) % len(NO)], yes[1]])).aevaluate(**asked)
    assert not result.passing
    assert agreements(events) == [0.6]
