"""When to try again, as arithmetic."""

import math
from datetime import UTC, datetime
from random import Random

import pytest

from scaffolding_core.workers.http.retry import asked_wait, backoff

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("20", 20),
        ("0", 0),
        ("-10", None),
        ("nan", None),
        ("inf", math.inf),
        ("1e35", math.inf),
        ("121", math.inf),
        ("120", 120),
        ("soon", None),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Wed, 31 Dec 2025 00:00:00 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", math.inf),
        (None, None),
    ],
)
def test_what_a_server_asks_for(header, expected):
    assert asked_wait({} if header is None else {"retry-after": header}, NOW) == expected


def test_milliseconds_come_first():
    assert asked_wait({"retry-after-ms": "1500", "retry-after": "9"}) == 1.5


def test_backoff_grows_is_bounded_and_spreads():
    rng = Random(1)
    for attempt, most in ((1, 0.5), (2, 1), (3, 2), (9, 8)):
        waits = [backoff(attempt, rng) for _ in range(500)]
        assert 0 <= min(waits) < most * 0.05
        assert most * 0.95 < max(waits) <= most
