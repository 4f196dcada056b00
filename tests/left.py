"""What a program has open."""

import gc
import itertools
import threading

import psutil

from tests.eventually import until

__all__ = ["descriptors", "nothing_left", "own_loops", "threads"]

LOOKS = 100
"""How often to look between two collections of garbage, which take long beside other tests."""


def own_loops() -> set[threading.Thread]:
    """The threads of the loops for blocking calls."""
    return {thread for thread in threading.enumerate() if thread.name == "scaffolding-loop"}


def threads() -> int:
    """Threads of this process, but for those that a loop keeps for whoever asks it, until its own end."""
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


def descriptors() -> int:
    """Files and sockets that this process has open."""
    return psutil.Process().num_fds()


async def nothing_left(before: tuple[int, int]) -> None:
    """Wait until no more threads and descriptors are there than before; what holds itself is collected."""
    looks = itertools.count(1)

    def back() -> bool:
        if next(looks) % LOOKS == 0:
            gc.collect()
        return threads() <= before[0] and descriptors() <= before[1]

    await until(back)
