"""Plan and solve: let the model plan before it works."""

from __future__ import annotations

from typing import ClassVar

from scaffolding_core.controllers.prompting.chain_of_thought import ChainOfThoughtController

__all__ = ["PlanAndSolveController"]


class PlanAndSolveController(ChainOfThoughtController):
    """Chain of thought that asks for a plan first, and for care with values and intermediate results.

    Cost: that of the generation it wraps, with longer texts.

    Source: Wang et al. 2023, arXiv 2305.04091 (the longer of its two prompts, in our words).

    Args:
        generation_controller: the method that generates.
        instruction: what to put behind the prompt; None takes the method's own.
        examples: questions with planned answers, as for `ChainOfThoughtController`; `in_system` too.
        answers: the kind of answer; see `Answers`.
        extractor: finds the answer in the text, in place of the kind's own.

    Raises:
        InvalidRequestError: a controller or an extractor that is none.
    """

    own_instruction: ClassVar[str] = (
        "First understand the question, note the values that matter, and make a plan. Then carry the plan out "
        "step by step, check each intermediate result, and end with the final answer in \\boxed{}."
    )
