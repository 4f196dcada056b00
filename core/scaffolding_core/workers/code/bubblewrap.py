"""BubblewrapBackend: programs in namespaces of their own, without a daemon."""

from __future__ import annotations

from typing import Any, ClassVar

from scaffolding_core.workers.code.backend import Program
from scaffolding_core.workers.code.container import ContainerBackend, most_told

__all__ = ["BubblewrapBackend"]


class BubblewrapBackend(ContainerBackend):
    """Runs each program in Linux namespaces of its own, with the host's `python3` and its `/usr` to read.

    It needs the program `bwrap`, and a host that lets its users make namespaces. Memory is bounded for each
    process of a program, of which it may have some.

    Cost: some 0.1 s a program.

    Args:
        max_processes: programs at once.

    Raises:
        MissingExtraError: the extra `containers` is not installed.
    """

    name: ClassVar[str] = "bubblewrap"

    def options(self, program: Program) -> dict[str, Any]:
        """Namespaces without network."""
        return {"sandbox_config": self._library.LocalSandboxConfig(max_output_bytes=2 * most_told(program))}
