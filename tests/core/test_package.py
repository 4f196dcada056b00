"""The package as a whole: its public names, and what importing it costs."""

import importlib
import subprocess
import sys

import pytest

import scaffolding_core

HEAVY = ("torch", "transformers", "tensorrt_llm", "openai", "langchain_core", "llama_index", "aiohttp", "pydantic",
         "rich", "typer", "mpmath", "sympy", "xllamacpp")  # fmt: skip


def test_every_public_name_is_there_once():
    assert len(set(scaffolding_core.__all__)) == len(scaffolding_core.__all__)
    for name in scaffolding_core.__all__:
        assert getattr(scaffolding_core, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        scaffolding_core.Nothing  # noqa: B018  # the lookup is what fails


@pytest.mark.parametrize("package", ["langchain_scaffolding", "llamaindex_scaffolding"])
def test_adapters_have_their_public_names(package):
    module = importlib.import_module(package)
    assert all(hasattr(module, name) for name in module.__all__)


def test_importing_the_core_loads_nothing_heavy():
    script = f"import sys, scaffolding_core; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_errors_survive_pickling_and_copying_with_their_attributes():
    import pickle

    from scaffolding_core.errors import BudgetExceededError, InsufficientSamplesError, WorkerError, copy_error

    for error in (
        BudgetExceededError("spent", "tokens"),
        InsufficientSamplesError("few", [ValueError("x")]),
        WorkerError("down", attempts=3),
    ):
        for again in (pickle.loads(pickle.dumps(error)), copy_error(error)):
            assert type(again) is type(error)
            assert str(again) == str(error)
            assert again is not error
    assert copy_error(BudgetExceededError("spent", "tokens")).limit == "tokens"
