"""A decision model with known answers, written as LangChain's documentation says."""

from typing import Any

from langchain_core.decisions import BaseDecisionModel, ClassifierResponse, Score


class Known(BaseDecisionModel):
    """Says what a function of the state says, for 5 tokens; of a `Score` it is the level."""

    model: str = "known"
    says: Any
    asked: list[Any] = []

    @property
    def _provider(self):
        return "tests"

    def _classify(self, state, questions):
        self.asked.append((state, questions))
        answers = {name: self._answer(self.says(state), question) for name, question in questions.items()}
        usage = {"input_tokens": 4, "output_tokens": 1, "total_tokens": 5}
        return ClassifierResponse(model=self.model, answers=answers, usage=usage)

    def _answer(self, said, question):
        if isinstance(question, Score):
            levels = dict(enumerate(question.criteria))
            shares = {level: float(level == said) for level in levels}
            return {"type": "score", "score": said, "legend": levels, "probabilities": shares, "confidence": 1}
        return {"type": "noul", "noul": said}
