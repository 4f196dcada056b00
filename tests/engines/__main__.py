"""The contract and the adapters' suites on a server, with a summary at the end.

On the server at `SCAFFOLDING_TEST_URL`, with `SCAFFOLDING_TEST_MODEL` and `SCAFFOLDING_TEST_KEY` where it needs
them; without that, on vLLM on this machine's CPU.
"""

import os
import sys
from collections import Counter, defaultdict

import pytest

from tests.engines.vllm.environment import CannotRun
from tests.engines.vllm.server import vllm_server

SUITES = {
    "the contract": "tests/engines",
    "LangChain's suite": "tests/langchain/test_standard_live.py",
    "LlamaIndex": "tests/llamaindex/test_live.py",
}


class Tally:
    """Counts how the tests of each suite ended."""

    def __init__(self) -> None:
        self.ended: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once: where it was called, or where it did not get so far."""
        if report.when == "call" or report.outcome != "passed":
            suite = next(name for name, path in SUITES.items() if report.nodeid.startswith(path))
            beyond = report.skipped and hasattr(report, "wasxfail")
            self.ended[suite]["more than the model can" if beyond else report.outcome] += 1

    def __str__(self) -> str:
        return "\n".join(
            f"{suite}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(ended.items()))
            for suite, ended in self.ended.items()
        )


def run() -> int:
    """Run all suites; returns pytest's status."""
    tally = Tally()
    status = pytest.main(["-q", "-r", "fEs", *SUITES.values()], plugins=[tally])
    print(f"\n{tally}")
    return int(status)


def main() -> int:
    """Run them on the server that is named, or on vLLM."""
    if "SCAFFOLDING_TEST_URL" in os.environ:
        return run()
    try:
        with vllm_server() as served:
            os.environ["SCAFFOLDING_TEST_URL"] = served.url
            os.environ["SCAFFOLDING_TEST_MODEL"] = served.model
            os.environ["SCAFFOLDING_TEST_KEY"] = served.key
            os.environ["SCAFFOLDING_TEST_ENGINE"] = "vllm"
            return run()
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
