"""Evaluators in each public shape: each scores an answer, or is refused before anything is paid."""

import pytest
from langchain_classic.evaluation import load_evaluator
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langsmith.evaluation import EvaluationResult, RunEvaluator, run_evaluator
from langsmith.evaluation.evaluator import comparison_evaluator
from langsmith.schemas import Example, Run

from langchain_scaffolding import evaluator_reward, with_best_of_n
from scaffolding_core import InvalidRequestError
from tests.langchain.doubles import KnownChat

QUESTION = {"question": "q"}
ANSWERS = ["a", "q", "b"]


def best(evaluator, **options):
    """A chain from data to data, of whose three answers the evaluator prefers one."""
    answers = iter(ANSWERS * 2)
    chain = RunnableLambda(lambda given: {"answer": next(answers), "documents": ["d"]})
    return with_best_of_n(chain, evaluator, 3, **options)


def by_inputs_and_outputs(inputs, outputs):
    return {"key": "same", "score": outputs["answer"] == inputs["question"]}


def in_another_order(outputs: dict, inputs: dict) -> bool:
    return outputs["answer"] == inputs["question"]


def by_outputs_alone(outputs):
    return [{"key": "same", "score": outputs["answer"] == "q", "comment": "well"}]


async def asynchronous(*, outputs, inputs):
    return EvaluationResult(key="same", score=outputs["answer"] == inputs["question"])


def by_run(run, example=None):
    return {"results": [EvaluationResult(key="same", score=run.outputs["answer"] == run.inputs["question"])]}


@run_evaluator
def decorated(run, example=None):
    return {"key": "same", "score": run.outputs["answer"] == "q"}


class ByRun(RunEvaluator):
    def evaluate_run(self, run, example=None):
        return EvaluationResult(key="same", score=run.outputs["answer"] == example.inputs["question"])


def by_kind_of_run(root: Run, given: Example | None):
    return root.outputs["answer"] == "q"


def by_value(outputs):
    return EvaluationResult(key="same", value="yes" if outputs["answer"] == "q" else "no")


ALONE = [
    by_inputs_and_outputs,
    in_another_order,
    by_outputs_alone,
    asynchronous,
    by_run,
    decorated,
    ByRun(),
    by_kind_of_run,
    by_value,
]


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
@pytest.mark.parametrize("evaluator", ALONE, ids=lambda one: getattr(one, "__name__", type(one).__name__))
async def test_it_gets_what_the_chain_got_and_gave(evaluator, how):
    chain = best(evaluator)
    result = chain.invoke(QUESTION) if how == "invoke" else await chain.ainvoke(QUESTION)
    assert result["answer"] == "q"


def with_reference(outputs, reference_outputs):
    return outputs["answer"] == reference_outputs["answer"]


def with_example(run, example):
    return {"score": run.outputs["answer"] == example.outputs["answer"]}


@pytest.mark.parametrize("evaluator", [with_reference, with_example, run_evaluator(with_example)])
def test_it_gets_its_reference(evaluator):
    assert best(evaluator_reward(evaluator, reference={"answer": "q"})).invoke(QUESTION)["answer"] == "q"


def test_text_is_given_where_it_takes_text_or_a_part_is_named():
    def takes_text(*, inputs: str | dict, outputs: str | dict):
        return (inputs, outputs) == ("q", "q")

    def says_nothing(outputs):
        return outputs == "q"

    for evaluator in (takes_text, says_nothing):
        assert best(evaluator, text="answer").invoke(QUESTION)["answer"] == "q"


def test_data_is_given_where_a_model_is_asked_and_it_takes_data():
    def takes_data(inputs: dict, outputs: dict):
        return outputs["output"] == inputs["input"]

    assert with_best_of_n(KnownChat(answers=ANSWERS, calls=[], threads=[]), takes_data, 3).invoke("q").text == "q"


def loaded(name):
    return load_evaluator(name, llm=FakeListChatModel(responses=["Y"]))


def ranking(inputs: dict, outputs: list[dict]) -> list:
    return [0, 1]


@comparison_evaluator
def comparing(runs, example):
    return {"key": "best", "scores": {}}


@pytest.mark.parametrize(
    ("evaluator", "why"),
    [
        (lambda: with_reference, "reference"),
        (lambda: with_example, "reference"),
        (lambda: run_evaluator(with_example), "reference"),
        (lambda: loaded("labeled_criteria"), "reference"),
        (lambda: loaded("exact_match"), "reference"),
        (lambda: loaded("pairwise_string"), "compares"),
        (lambda: loaded("trajectory"), "compares"),
        (lambda: comparing, "compares"),
        (lambda: ranking, "compares"),
        (lambda: lambda runs, example: {}, "compares"),
    ],
)
def test_it_is_refused_before_anything_is_paid(evaluator, why):
    with pytest.raises(InvalidRequestError, match=why):
        best(evaluator())


def test_a_string_evaluator_with_its_reference():
    model = KnownChat(answers=ANSWERS, calls=[], threads=[])
    assert with_best_of_n(model, evaluator_reward(loaded("exact_match"), reference="q"), 3).invoke("q").text == "q"
