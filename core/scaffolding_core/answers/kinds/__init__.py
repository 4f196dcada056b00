"""Kinds of answer by name: each pairs what finds the answer with what tells which are the same."""

from __future__ import annotations

from scaffolding_core.answers.kinds.answers import Answers, AnswersLike
from scaffolding_core.answers.kinds.table import KINDS, Kind

__all__ = ["KINDS", "Answers", "AnswersLike", "Kind"]
