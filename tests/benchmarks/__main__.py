"""All benchmarks: `make bench`. Prints them and writes `bench.json`."""

import json
import platform
from pathlib import Path

from tests.benchmarks import langchain_adapter, overhead, start, stopping

if __name__ == "__main__":
    results = {"python": platform.python_version()}
    for part in (overhead, langchain_adapter, start, stopping):
        results[part.__name__.rsplit(".", 1)[-1]] = part.main()
        print()
    Path("bench.json").write_text(json.dumps(results, indent=2) + "\n")
