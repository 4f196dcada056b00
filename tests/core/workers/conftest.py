"""Fixtures of the tests of workers."""

import pytest

from scaffolding_core.workers import openai


@pytest.fixture
def short_waits(monkeypatch):
    """Attempts follow each other at once."""
    monkeypatch.setattr(openai, "backoff", lambda attempt, rng: 0.01 * attempt)
