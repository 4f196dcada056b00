"""The arrows between the parts of the project: imports point down, never up, and never across.

Read from the source, so that an import inside a function counts, and one for types alone too: whoever reads a part
has to know what it names. A place is a module, or a folder with all that it holds; what happens inside a folder is
its own affair.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE, LANGCHAIN, LLAMAINDEX = (
    ROOT / "core/scaffolding_core",
    ROOT / "langchain_scaffolding",
    ROOT / "llamaindex_scaffolding",
)

FLOORS = {
    CORE: (
        {"shown_text"},
        {"errors", "threads", "model_info", "capabilities"},
        {"messages", "config_text", "runs"},
        {"answers", "voting", "search", "routing"},
        {"confidence"},
        {"verifying"},
        {"results"},
        {"tasks"},
        {"worker", "controller"},
        {"trace"},
        {"workers", "controllers", "driver"},
        {"scaffolding_llm", "methods", "rewards"},
        {"roles"},
        {"adapting", "tensorrt_llm"},
        {"config"},
        {"cli"},
        {"__init__"},
    ),
    LANGCHAIN: (
        {"translation"},
        {"request"},
        {"tracing"},
        {"memory"},
        {"workers"},
        {"judging"},
        {"decisions"},
        {"middleware", "call_context", "identity", "structured_output"},
        {"configured", "fields", "provider_structure"},
        {"chat_model", "llm", "runnable"},
        {"wrappers"},
        {"__init__"},
    ),
    LLAMAINDEX: (
        {"translation", "instrumentation"},
        {"reading"},
        {"workers"},
        {"judging"},
        {"llm", "query_engine"},
        {"sampled_workflow", "workflow", "wrappers"},
        {"__init__"},
    ),
}
"""The places of each package, from the ground up; a place may import from the floors below its own."""


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    """Each file of a package, with its place there."""
    for file in sorted(package.rglob("*.py")):
        yield file.relative_to(package).parts[0].removesuffix(".py"), file


def imported(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The modules that a file imports, anywhere in it, each with the names that are taken from it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports by dots: write the whole path"
            yield node.module or "", tuple(alias.name for alias in node.names)


def places(package: Path, file: Path) -> Iterator[str]:
    """The places of its own package that a file imports from."""
    known = {place for place, _ in modules(package)}
    for module, names in imported(file):
        path = module.split(".")
        if path[0] != package.name:
            continue
        if len(path) > 1:
            yield path[1]
        else:
            yield from (name if name in known else "__init__" for name in names or ("__init__",))


@pytest.mark.parametrize("package", FLOORS, ids=lambda package: package.name)
class TestInsideAPackage:
    def test_every_place_has_its_floor(self, package):
        placed = [place for floor in FLOORS[package] for place in floor]
        assert len(placed) == len(set(placed))
        assert {place for place, _ in modules(package)} <= set(placed)

    def test_imports_point_down(self, package):
        floor_of = {place: number for number, floor in enumerate(FLOORS[package]) for place in floor}
        wrong = [
            f"{file.relative_to(ROOT)} imports from {other}"
            for place, file in modules(package)
            for other in places(package, file)
            if other != place and floor_of[other] >= floor_of[place]
        ]
        assert wrong == []

    def test_the_top_floor_is_small_enough_to_read(self, package):
        assert len(list(package.glob("*.py"))) <= 12


@pytest.mark.parametrize("adapter", [LANGCHAIN, LLAMAINDEX], ids=lambda package: package.name)
def test_an_adapter_imports_public_names_and_what_is_made_for_adapters(adapter):
    import scaffolding_core
    import scaffolding_core.adapting

    public = {
        "scaffolding_core": set(scaffolding_core.__all__),
        "scaffolding_core.adapting": set(scaffolding_core.adapting.__all__),
    }
    wrong = [
        f"{file.relative_to(ROOT)}: {name or 'all'} of {module}"
        for _, file in modules(adapter)
        for module, names in imported(file)
        if module.split(".")[0] == "scaffolding_core"
        for name in names or ("",)
        if name not in public.get(module, ())
    ]
    assert wrong == []


def test_all_that_is_made_for_adapters_is_used_by_one():
    import scaffolding_core.adapting

    used = {
        name
        for adapter in (LANGCHAIN, LLAMAINDEX)
        for _, file in modules(adapter)
        for module, names in imported(file)
        if module == "scaffolding_core.adapting"
        for name in names
    }
    assert set(scaffolding_core.adapting.__all__) - used == set()


def test_nobody_imports_an_adapter_but_itself():
    wrong = [
        f"{file.relative_to(ROOT)} imports {module}"
        for package in FLOORS
        for _, file in modules(package)
        for module, _ in imported(file)
        if module.split(".")[0] in {LANGCHAIN.name, LLAMAINDEX.name} - {package.name}
    ]
    assert wrong == []
