"""Recorded data, which is no part of the project: `SCAFFOLDING_DATA` names its folder."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("SCAFFOLDING_DATA") or Path(__file__).parents[3] / "shared/data")


def recorded(name: str) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines, compressed."""
    with gzip.open(DATA / name, "rt") as lines:
        return [json.loads(line) for line in lines]
