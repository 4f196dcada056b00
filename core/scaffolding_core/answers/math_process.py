"""The worker process of `Mathematical`: one JSON line in, one out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scaffolding_core.answers.bounded_process import serve
from scaffolding_core.answers.formulas.comparison import same_formula
from scaffolding_core.messages import JsonValue

__all__ = ["same_as"]


def same_as(question: Mapping[str, JsonValue]) -> list[JsonValue]:
    """Which of several formulas, by place, state the same as one."""
    formula, others = str(question["formula"]), question["others"]
    assert isinstance(others, Sequence)
    return [place for place, other in enumerate(others) if same_formula(formula, str(other))]


if __name__ == "__main__":
    serve(same_as)
