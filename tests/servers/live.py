"""A server that runs already, where the environment names one.

Nobody else should use it while tests run, since they look at what it does.
"""

import functools
import json
import os
import urllib.request

__all__ = ["KEY", "REWARD_URL", "URL", "listed", "model"]

URL = os.environ.get("SCAFFOLDING_TEST_URL", "").rstrip("/")
KEY = os.environ.get("SCAFFOLDING_TEST_KEY")
"""None where it needs none."""

REWARD_URL = os.environ.get("SCAFFOLDING_TEST_REWARD_URL", "")
"""Of one with a reward model."""


def listed() -> list[dict[str, object]]:
    """The models that it lists."""
    headers = {"Authorization": f"Bearer {KEY}"} if KEY else {}
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/models", headers=headers), timeout=30) as response:
        models: list[dict[str, object]] = json.load(response)["data"]
        return models


@functools.cache
def model() -> str:
    """The model to ask for: `SCAFFOLDING_TEST_MODEL`, or the first that is listed."""
    return os.environ.get("SCAFFOLDING_TEST_MODEL") or str(listed()[0]["id"])
