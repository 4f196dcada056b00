"""DockerBackend: programs in containers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from scaffolding_core.workers.code.backend import Program
from scaffolding_core.workers.code.container import ContainerBackend

__all__ = ["DockerBackend"]

_LONGEST_START = 60
"""Seconds after which a container ends by itself, beside those of its program: its host may be gone."""

_MOST_PROCESSES = 128


class DockerBackend(ContainerBackend):
    """Runs each program in a container of its own; Docker's daemon has to run, or another with its API.

    Cost: a second or so a program.

    Args:
        max_processes: containers at once.
        image: of the container, with `python3` from 3.9 on; None takes the library's own, which it pulls.

    Raises:
        MissingExtraError: the extra `containers` is not installed.
    """

    name: ClassVar[str] = "docker"
    user: ClassVar[int | None] = 65_534

    def __init__(self, max_processes: int, image: str | None = None) -> None:
        super().__init__(max_processes)
        self._image = image

    def options(self, program: Program) -> dict[str, Any]:
        """A container without network and rights, which ends by itself."""
        # The runner needs some itself, and its program may not take what is the container's.
        memory = program.memory_bytes + 128 * 2**20
        return {
            "image": self._image,
            "keep_template": True,  # else an image that was pulled is gone with its first container
            "runtime_configs": {
                "command": ["sleep", str(math.ceil(program.seconds) + _LONGEST_START)],
                "stop_signal": "SIGKILL",
                "network_mode": "none",
                "cap_drop": ["ALL"],
                "cap_add": ["SETUID", "SETGID", "KILL"],  # for the runner to give them up, and to end its program
                "security_opt": ["no-new-privileges"],
                "pids_limit": _MOST_PROCESSES,
                "mem_limit": memory,
                "memswap_limit": memory,
                "auto_remove": True,
            },
        }
