"""Several runs of an agent, each with a folder and tools' state of its own."""

from __future__ import annotations

from scaffolding_core.runs.run import Run, current_run, per_run, workspace
from scaffolding_core.runs.runs import Runs, current_runs, in_run_of

__all__ = ["Run", "Runs", "current_run", "current_runs", "in_run_of", "per_run", "workspace"]
