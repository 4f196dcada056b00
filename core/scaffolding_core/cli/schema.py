"""`scaffolding schema`: the JSON schema of configurations, for editors."""

from __future__ import annotations

import json

import typer

__all__ = ["schema"]


def schema() -> None:
    """Print the JSON schema of configurations, for editors."""
    from scaffolding_core.config import schema as of_configurations

    typer.echo(json.dumps(of_configurations(), indent=2))
