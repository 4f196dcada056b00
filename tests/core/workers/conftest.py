"""Fixtures of the tests of workers."""

import pytest


@pytest.fixture
def short_waits(monkeypatch):
    """Attempts follow each other at once."""
    monkeypatch.setattr("scaffolding_core.workers.openai.attempts.backoff", lambda attempt, rng: 0.01 * attempt)
