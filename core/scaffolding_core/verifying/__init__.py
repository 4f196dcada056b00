"""Verifiers: whether an answer passes, found out by a program instead of a model."""

from __future__ import annotations

from scaffolding_core.verifying.calls import same_calls
from scaffolding_core.verifying.matches import Matches
from scaffolding_core.verifying.same_answer import SameAnswer
from scaffolding_core.verifying.schema import FitsSchema
from scaffolding_core.verifying.verifier import Verdict, Verifier

__all__ = ["FitsSchema", "Matches", "SameAnswer", "Verdict", "Verifier", "same_calls"]
