"""A pool in the child of a fork."""

import os
import threading

import pytest

from scaffolding_core import WorkerPool


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # whatever other tests have left running
def test_nothing_runs_there_and_its_lock_is_free():
    pool = WorkerPool(["http://127.0.0.1:9/v1"])
    pool.replicas[0].enter("a call of the parent's")
    held = threading.Lock()
    held.acquire()
    pool._board._lock = held
    child = os.fork()
    if child == 0:
        os._exit(0 if pool._board._lock.acquire(timeout=5) and pool.replicas[0].outstanding == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
