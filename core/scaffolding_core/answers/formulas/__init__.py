"""Formulas: reading them and telling whether two state the same, without evaluating anything as code.

What cannot be read for certain is no formula, and what is too large to compute is equal to nothing.
"""

from __future__ import annotations
