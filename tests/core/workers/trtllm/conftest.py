"""Fixtures of the tests of TRTLLMWorker."""

import pytest

from scaffolding_core import TRTLLMWorker


@pytest.fixture
def make_worker(make_llm):
    """Makes workers on an LLM that gives answers in turn."""

    def make(*answers, options=(), **settings):
        return TRTLLMWorker(make_llm(*answers, **dict(options)), **settings)

    return make


def requests(worker):
    """What the engine of a worker was asked."""
    return worker.llm.double.requests
