"""How many calls of our own functions `ChatScaffolding.invoke` takes, and in how many modules.

Counted, not timed: `python -m tests.benchmarks.calls`. All threads count, from the call until it has its answer,
but not for the first call of a model, which makes what later ones share.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable
from types import FrameType

from langchain_scaffolding import ChatScaffolding
from tests.servers.scripted import Reply, scripted_server

PACKAGES = ("scaffolding_core", "langchain_scaffolding", "llamaindex_scaffolding")
ROUNDS = 10
METHODS = {
    "direct": {"method": "direct"},
    "a vote of 3": {"method": "majority_vote", "sample_num": 3, "method_options": {"stop_rule": "full"}},
}


class OwnCalls:
    """Counts the calls of our own functions, by module, while it is told to; a generator, each time it goes on.

    Threads that begin after this was made count too.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._counts = False
        threading.setprofile(self._see)
        sys.setprofile(self._see)

    def of(self, call: Callable[[], object]) -> Counter[str]:
        """The calls that a call makes."""
        self._seen, self._counts = Counter(), True
        call()
        self._counts = False
        return self._seen

    def end(self) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _see(self, frame: FrameType, event: str, argument: object) -> None:
        if self._counts and event == "call":
            module = str(frame.f_globals.get("__name__", ""))
            if module.split(".")[0] in PACKAGES:
                self._seen[module] += 1


def main() -> dict[str, object]:
    counts: dict[str, object] = {}
    own = OwnCalls()
    with scripted_server(Reply()) as server:
        for name, fields in METHODS.items():
            model = ChatScaffolding(base_url=server.url, **fields)
            model.invoke("What is 6 times 7?")
            counted = [own.of(lambda model=model: model.invoke("What is 6 times 7?")) for _ in range(ROUNDS)]
            seen = min(counted, key=Counter.total)  # what comes off the wire in more pieces takes more calls
            counts[name] = {"calls": seen.total(), "modules": len(seen)}
            print(f"{name}: {seen.total()} own calls in {len(seen)} modules")
    own.end()
    return counts


if __name__ == "__main__":
    main()
