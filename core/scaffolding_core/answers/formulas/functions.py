"""Functions: the names that formulas know."""

from __future__ import annotations

__all__ = ["ALIASES", "LISTED", "LONE", "TYPED"]

LONE = frozenset({
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log",
    "exp",
})  # fmt: skip
"""Functions of one argument, which may stand behind them without brackets."""

LISTED = frozenset({"max", "min", "gcd", "lcm"})
"""Functions of several arguments."""

ALIASES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}
"""Other names of functions."""

TYPED = LONE | LISTED | ALIASES.keys() | {"sqrt", "abs"}
"""Functions by the names that they are typed with, without a backslash."""
