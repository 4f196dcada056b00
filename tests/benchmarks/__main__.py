"""All benchmarks: `make bench`. Prints them and writes `bench.json`."""

import importlib
import json
import platform
from pathlib import Path

# Each is imported when its turn comes: in a heap full of other libraries, garbage collection costs more.
PARTS = (
    "overhead",
    "start",
    "stopping",
    "recorded_rewards",
    "game24",
    "http_client",
    "langchain_adapter",
    "llamaindex_adapter",
)

if __name__ == "__main__":
    results: dict[str, object] = {"python": platform.python_version()}
    for name in PARTS:
        results[name] = importlib.import_module(f"tests.benchmarks.{name}").main()
        print()
        Path("bench.json").write_text(json.dumps(results, indent=2) + "\n")
