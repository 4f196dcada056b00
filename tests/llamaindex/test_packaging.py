"""What LlamaIndex's hub reads of the package."""

import importlib
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_hubs_entries_name_what_the_package_has():
    hub = tomllib.loads(PROJECT.read_text())["tool"]["llamahub"]
    package = importlib.import_module(hub["import_path"])
    assert set(hub["class_authors"]) <= set(package.__all__)


def test_the_package_is_typed():
    package = importlib.import_module("llamaindex_scaffolding")
    assert (Path(package.__path__[0]) / "py.typed").is_file()
