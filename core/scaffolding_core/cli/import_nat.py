"""`scaffolding import-nat`: a configuration out of a file for NVIDIA's NeMo Agent Toolkit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaffolding_core.cli.failing import WRONG_USE, fail
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.shown_text import shown

__all__ = ["import_nat"]


def import_nat(
    file: Annotated[Path, typer.Argument(help="The file, in YAML or JSON.")],
    function: Annotated[
        str | None, typer.Option(help="Which function of test-time compute, or workflow; where there are several.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the configuration as JSON.")] = False,
) -> None:
    """Print the configuration that does as a file for NeMo Agent Toolkit, and say what has no counterpart."""
    from scaffolding_core.config.nat import from_nat
    from scaffolding_core.config_text import read_tree, tree_text

    try:
        imported = from_nat(read_tree(file), function)
        text = tree_text(imported.tree, in_json=as_json)
    except InvalidRequestError as error:
        fail(error, WRONG_USE)
    typer.echo(shown(text), nl=False)
    for note in imported.notes:
        typer.echo(f"scaffolding: {shown(note)}", err=True)
