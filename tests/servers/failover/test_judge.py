"""The failover bench's verdicts, as arithmetic."""

import pytest

from tests.servers.failover.faults import FAULTS
from tests.servers.failover.judge import Result, Run, counted, verdict
from tests.servers.failover.provider import REFUSES_PREFILL, WHOLE

BY_NAME = {fault.name: fault for fault in FAULTS}
ANSWER = Result(WHOLE, seconds=3, model="secondary", usage=True)
ERROR = Result(error="ServerError: down", seconds=3)


def judged(name, result, primary=(0.0,), secondary=(), **more):
    return verdict(BY_NAME[name], Run([result] * BY_NAME[name].requests, primary, secondary, **more), WHOLE)


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("S01", (0, 2.1), "pass"),
        ("S01", (0, 1.6), "partial"),
        ("S01", (0,), "partial"),
        ("S01", (0, 0.5, 1), "fail"),
        ("S02", (0, 1, 2, 3.5, 5, 6), "pass"),
        ("S02", (0, 1, 2, 2.5, 2.9), "fail"),
        ("S02", (0, 1, 2, 3.5, 5, 6, 7), "fail"),
        ("S03", (0,), "partial"),
        ("S04", (0, 1, 2, 3, 4, 5, 6), "fail"),
        ("S06", (0, 30), "partial"),
        ("S12", (0, 1), "fail"),
        ("S13", (0, 1), "fail"),
        ("S15", (0, 1, 2, 61), "pass"),
        ("S15", (0, 1, 2, 3, 4, 61), "partial"),
        ("S15", (0, 91), "fail"),
    ],
)
def test_a_whole_answer_is_judged_by_who_was_asked_and_when(name, asked, expected):
    assert judged(name, ANSWER, asked) == expected


def test_requests_at_both_providers_count_together():
    assert judged("S02", ANSWER, (0, 1, 2), (2.5,)) == "pass"
    assert judged("S02", ANSWER, (0, 1, 2), (2.5, 2.6)) == "fail"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_hang_a_cut_text_and_an_answer_too_late_fail(fault):
    for bad in (
        Result(seconds=3),
        Result("word1 word2", seconds=3, model="m", usage=True),
        Result(WHOLE, seconds=200, model="m", usage=True),
    ):
        assert judged(fault.name, bad, (0, 2, 61)) == "fail"


def test_an_error_is_safe_or_where_it_is_right_a_pass():
    assert judged("S04", ERROR) == "safe"
    assert judged("S13", ERROR) == "pass"


def test_the_refusal_of_a_prefill_must_not_hide_the_error():
    assert judged("S14", ERROR) == "safe"
    assert judged("S14", Result(error=f"BadRequestError: {REFUSES_PREFILL}", seconds=3)) == "fail"


def test_a_slow_token_may_be_waited_for_where_there_is_no_other_route():
    slow = Result(WHOLE, seconds=25, model="m", usage=True)
    assert judged("S07", slow, routes=1) == "pass"
    assert judged("S07", slow, routes=2) == "partial"


def test_a_client_must_be_well_after_a_fault():
    assert judged("S09", ERROR, afterwards=ANSWER) == "safe"
    assert judged("S09", ERROR, afterwards=ERROR) == "fail"


def test_accounting_names_who_answered_and_what_it_cost():
    assert judged("S16", ANSWER) == "pass"
    assert judged("S16", Result(WHOLE, seconds=3, model="m")) == "partial"
    assert judged("S16", Result(WHOLE, seconds=3, usage=True)) == "fail"


def test_verdicts_are_counted_in_their_order():
    assert counted(["pass", "safe", "pass", "fail"]) == "2/0/1/1"
