"""What an adapter says where the library that it adapts is not installed."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("package", "library", "extra"),
    [
        ("langchain_scaffolding", "langchain_core", "langchain"),
        ("llamaindex_scaffolding", "llama_index", "llamaindex"),
    ],
    ids=["langchain", "llamaindex"],
)
def test_a_missing_library_names_the_extra(package, library, extra):
    script = f"import sys; sys.modules[{library!r}] = None; import {package}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    told = f"{package} needs an extra: pip install 'scaffolding-llm[{extra}]'"
    assert done.stderr.splitlines()[-1].endswith(told)
