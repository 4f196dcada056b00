"""The package as a whole: what importing it costs, and its errors."""

import subprocess
import sys

HEAVY = ("torch", "transformers", "tensorrt_llm", "openai", "langchain_core", "llama_index", "aiohttp", "pydantic",
         "rich", "typer", "mpmath", "sympy", "xllamacpp", "numpy", "scipy", "treequest")  # fmt: skip


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
