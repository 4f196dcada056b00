"""How a subcommand fails: one line, and an exit code."""

from __future__ import annotations

from typing import NoReturn

import typer

from scaffolding_core.errors import ScaffoldingError
from scaffolding_core.shown_text import shown

__all__ = ["FAILED", "INTERRUPTED", "WRONG_USE", "fail"]

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


def fail(error: ScaffoldingError, code: int) -> NoReturn:
    """Say what went wrong, and end with the code."""
    typer.echo(f"scaffolding: {shown(str(error))}", err=True)
    raise typer.Exit(code)
