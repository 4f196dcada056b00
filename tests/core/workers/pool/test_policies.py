"""The parts of a pool that decide, as arithmetic on a given clock."""

from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scaffolding_core import FunctionWorker, RateLimitError, ServerError
from scaffolding_core.workers.pool.breaker import Breaker
from scaffolding_core.workers.pool.concurrency import Concurrency
from scaffolding_core.workers.pool.rate_limit import RateLimit
from scaffolding_core.workers.pool.replica import Replica
from scaffolding_core.workers.pool.routing import Routes


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens to it, in whatever order."""

    def __init__(self):
        super().__init__()
        self.breaker = Breaker(3, random=Random(0))
        self.now = 0.0
        self.in_a_row = 0
        self.trying = 0

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds):
        self.now += seconds

    @precondition(lambda self: self.breaker.allows)
    @rule()
    def a_call_starts(self):
        self.trying = 1 if self.breaker.state == "half-open" else 0
        self.breaker.start()

    @rule(at_once=st.booleans())
    def a_call_fails(self, at_once):
        was = self.breaker.state
        self.breaker.failed(self.now, at_once=at_once)
        self.in_a_row += was == "closed"
        if was == "trying" or (was == "closed" and (at_once or self.in_a_row == 3)):
            assert self.breaker.state == "open"
            assert self.now < self.breaker.until <= self.now + 15
            self.in_a_row = 0
        else:
            assert self.breaker.state == was

    @rule()
    def a_call_is_answered(self):
        was = self.breaker.state
        self.breaker.succeeded()
        self.in_a_row = 0 if was in ("closed", "trying") else self.in_a_row
        assert self.breaker.state == ("closed" if was == "trying" else was)

    @rule()
    def a_call_is_cut(self):
        was = self.breaker.state
        self.breaker.abandoned()
        assert self.breaker.state == ("half-open" if was == "trying" else was)

    @precondition(lambda self: self.breaker.probe_due(self.now))
    @rule()
    def a_probe_starts(self):
        self.breaker.probe(self.now)
        assert not self.breaker.probe_due(self.now)  # one at a time

    @rule(passed=st.booleans(), needed=st.booleans())
    def a_probe_ends(self, passed, needed):
        was = self.breaker.state
        if passed:
            self.breaker.probe_passed(self.now, needed=needed)
        else:
            self.breaker.probe_failed(self.now)
        after = {"half-open", "open"} if passed and not needed else {"half-open" if passed else "open"}
        assert self.breaker.state in (after if was == "probing" else {was})

    @rule()
    def a_probe_is_cut(self):
        was = self.breaker.state
        self.breaker.probe_cut()
        assert self.breaker.state == ("open" if was == "probing" else was)
        assert was != "probing" or self.breaker.probe_due(self.now)  # nobody waits for one that is lost

    @invariant()
    def it_never_stays_out_for_good(self):
        if self.breaker.state in ("open", "probing"):
            assert self.breaker.probe_due(self.now + 30)
            assert self.breaker.probe_due(self.now + 15, needed=True)


class TestProbesThatPassWhileCallsFail:
    def opened(self, **how):
        breaker = Breaker(1, random=Random(0))
        breaker.failed(0.0, **how)
        breaker.probe(1.0)
        return breaker

    def test_are_believed_half_a_minute_later(self):
        breaker = self.opened()
        breaker.probe_passed(1.0)
        assert (breaker.state, breaker.probe_due(27.0), breaker.probe_due(30.0)) == ("open", False, True)
        breaker.probe(30.0)
        breaker.probe_passed(30.0)
        assert breaker.allows

    def test_at_once_where_no_other_replica_is_up(self):
        breaker = self.opened()
        breaker.probe_passed(1.0)
        assert breaker.probe_due(1.0, needed=True)
        breaker.probe(1.0)
        breaker.probe_passed(1.0, needed=True)
        assert breaker.allows

    def test_and_after_one_that_failed_as_it_was_not_there(self):
        breaker = self.opened()
        breaker.probe_failed(1.0)
        breaker.probe(3.0)
        breaker.probe_passed(3.0)
        assert breaker.allows

    def test_or_where_the_connection_was_refused(self):
        breaker = self.opened(at_once=True)
        breaker.probe_passed(1.0)
        assert breaker.allows


def test_after_what_a_replica_asked_for_pools_come_back_one_after_the_other():
    def rest_of(seed):
        replica = Replica("a", FunctionWorker(str), owned=False, failures=3, random=Random(seed))
        asked = RateLimitError("slow down")
        asked.retry_after = 2.0
        replica.failed(asked, object(), 0.0, 0.0)
        return replica.rests_until

    rests = {rest_of(seed) for seed in range(20)}
    assert len(rests) == 20
    assert 2 <= min(rests) < 2.2
    assert 2.3 < max(rests) <= 2.5


def test_refusals_of_calls_that_were_on_their_way_together_are_one():
    replica = Replica("a", FunctionWorker(str), owned=False, failures=3, random=Random(0))
    for _ in range(20):
        replica.failed(RateLimitError("slow down"), object(), 0.0, 1.0)
    assert replica.rests_until <= 1.5


def test_siblings_that_fail_together_are_one_failure_and_another_attempt_is_another():
    replica, request = Replica("a", FunctionWorker(str), owned=False, failures=2, random=Random(0)), object()
    for _ in range(5):
        replica.failed(ServerError("out of order"), request, 0.0, 1.0)
    assert replica.state == "healthy"
    replica.failed(ServerError("out of order"), request, 1.01, 1.02)
    assert replica.state == "down"


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def round_of(concurrency, *, reached=True):
    if reached:
        concurrency.has_room(concurrency.limit)
    for _ in range(concurrency.limit):
        concurrency.answered()
    return concurrency.limit


class TestConcurrency:
    def test_doubles_until_the_first_429_and_then_grows_slowly(self):
        concurrency = Concurrency(1000)
        assert [round_of(concurrency) for _ in range(3)] == [40, 80, 160]
        concurrency.refused(started=1.0, now=2.0)
        assert concurrency.limit == 128
        assert round_of(concurrency) == 134

    def test_is_cut_once_for_requests_that_were_on_their_way_together(self):
        concurrency = Concurrency(1000)
        for _ in range(5):
            concurrency.refused(started=1.0, now=2.0)
        assert concurrency.limit == 16

    def test_stays_between_one_and_the_most_and_where_it_is_not_needed(self):
        concurrency = Concurrency(30)
        assert round_of(concurrency, reached=False) == 20
        assert [round_of(concurrency) for _ in range(2)] == [30, 30]
        for second in range(100):
            concurrency.refused(started=second + 0.5, now=second + 0.7)
        assert concurrency.limit == 1
        assert round_of(concurrency) + round_of(concurrency) > 2


class TestRateLimit:
    def test_who_comes_too_early_is_told_when_and_takes_nothing(self):
        limit = RateLimit(60, None, 0.0)
        assert [limit.take(0, 0.0) for _ in range(62)][58:] == pytest.approx([0, 0, 1, 1])
        assert limit.take(0, 1.0) == 0.0

    def test_tokens_are_corrected_once_they_are_known(self):
        limit = RateLimit(None, 600, 0.0)
        assert limit.take(600, 0.0) == 0.0
        limit.correct(600, 100)
        assert limit.take(500, 0.0) == 0.0
        assert limit.take(100, 0.0) == pytest.approx(10.0)
        limit.correct(500, 600)
        assert limit.take(100, 0.0) == pytest.approx(20.0)

    def test_a_call_of_more_than_a_minutes_tokens_starts_nevertheless(self):
        assert RateLimit(None, 600, 0.0).estimate(10_000) == 600


@dataclass(eq=False)
class Idle:
    outstanding: int = 0


class TestRoutes:
    def test_work_goes_to_the_least_busy_in_turn(self):
        routes, replicas = Routes(2.0), [Idle(), Idle(3), Idle()]
        chosen = [replicas.index(routes.choose(replicas, [])) for _ in range(4)]
        assert set(chosen) == {0, 2}

    def test_a_prompt_stays_until_its_replica_is_busier_by_the_factor(self):
        routes, home, other = Routes(2.0), Idle(), Idle(1)
        assert routes.choose([home, other], [1, 2]) is home
        home.outstanding = 15
        assert routes.choose([home, other], [3, 2]) is home  # it begins alike
        home.outstanding = 16
        assert routes.choose([home, other], [3, 2]) is other
        assert routes.choose([home, other], [3]) is other  # and stays there

    def test_what_is_gone_is_forgotten(self):
        routes, gone, other = Routes(2.0), Idle(), Idle(1)
        routes.choose([gone, other], [1])
        routes.forget(gone)
        assert routes.choose([gone, Idle(0)], [1]) is not None
        assert routes.choose([other], [1]) is other
