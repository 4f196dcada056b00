"""The command `scaffolding`."""

from __future__ import annotations

from typing import Annotated

import typer

from scaffolding_core.cli.ask import ask
from scaffolding_core.cli.import_nat import import_nat
from scaffolding_core.cli.methods import methods
from scaffolding_core.cli.schema import schema

__all__ = ["app", "main"]

app = typer.Typer(
    name="scaffolding",
    help="Inference-time compute for language models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (ask, methods, schema, import_nat):
    app.command()(command)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"scaffolding-llm {version('scaffolding-llm')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command."""
    app()
