"""check_needs: what a method needs of its parts and its workers, asked when all are put together."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import fields

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller, parts_of
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.worker import Worker

__all__ = ["check_needs"]


def check_needs(method: Controller, worker_of: Callable[[Hashable], Worker | None]) -> None:
    """Refuse a method that needs what a part or a worker cannot do; a worker that says nothing may turn out to.

    Args:
        method: with its sub-controllers.
        worker_of: the worker of a tag, if there is one yet.

    Raises:
        InvalidRequestError: names the first such method, what it needs, and the part or the worker.
    """
    for part in parts_of(method):
        part.check_parts()
        for tag, needed in part.needs.items():
            worker = worker_of(tag)
            able = getattr(worker, "capabilities", Worker.capabilities)
            if able is Worker.capabilities:  # it says nothing
                continue
            lacking = [f.name for f in fields(Capabilities) if getattr(needed, f.name) > getattr(able, f.name)]
            if lacking:
                raise InvalidRequestError(
                    f"{type(part).__name__} needs {' and '.join(lacking)} of {worker!r}, whose capabilities lack "
                    "that: take another worker, or leave out what asks for it"
                )
