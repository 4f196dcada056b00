"""`scaffolding methods`: the methods by name, with what they cost and need."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from scaffolding_core.config.method import method_options
from scaffolding_core.methods import METHODS

__all__ = ["methods"]


def methods(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON, with their options.")] = False,
) -> None:
    """List the methods, with what each does, costs and needs."""
    if as_json:
        rows = [
            {
                "name": row.name,
                "summary": row.summary,
                "cost": row.cost,
                "roles": row.roles,
                "options": [*method_options(row)],
            }
            for row in METHODS.values()
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console  # it loads slowly
    from rich.table import Table

    table = Table("method", "what it does", "cost", "needs", box=None, pad_edge=False)
    for row in METHODS.values():
        table.add_row(row.name.replace("_", "-"), row.summary, row.cost, ", ".join(row.roles))
    Console(highlight=False).print(table)
