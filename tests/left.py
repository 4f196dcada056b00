"""What a program has open."""

import gc
import threading

import psutil

from tests.eventually import until

__all__ = ["descriptors", "nothing_left", "own_loops", "threads"]


def own_loops() -> set[threading.Thread]:
    """The threads of the loops for blocking calls."""
    return {thread for thread in threading.enumerate() if thread.name == "scaffolding-loop"}


def threads() -> int:
    """Threads of this process, whoever started them."""
    return psutil.Process().num_threads()


def descriptors() -> int:
    """Files and sockets that this process has open."""
    return psutil.Process().num_fds()


async def nothing_left(before: tuple[int, int]) -> None:
    """Wait until no more threads and descriptors are there than before; what holds itself is collected."""

    def back() -> bool:
        gc.collect()
        return threads() <= before[0] and descriptors() <= before[1]

    await until(back)
