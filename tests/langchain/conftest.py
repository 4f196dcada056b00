"""What the tests of LangChain's adapter share."""

import httpx
import pytest


@pytest.fixture
async def clients():
    """HTTP clients of a wrapped model, closed with the test."""
    with httpx.Client() as client:
        async with httpx.AsyncClient() as async_client:
            yield {"http_client": client, "http_async_client": async_client}


@pytest.fixture
def web(monkeypatch):
    """What LangChain's suites fetch from the web: pictures, recordings and documents."""
    monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "tests")
    monkeypatch.setattr(httpx, "get", lambda url, **options: httpx.Response(200, content=f"from {url}".encode()))
