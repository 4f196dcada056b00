"""Workers by what a file can say: an address, or a mapping with one and its options."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from scaffolding_core.config_text import Where

if TYPE_CHECKING:
    from scaffolding_core.worker import Worker
    from scaffolding_core.workers.mcp.server import Server

__all__ = [
    "WORKER_KINDS",
    "WorkerLike",
    "checked_worker",
    "from_environment",
    "is_named_worker",
    "named_sandbox",
    "named_server",
    "named_worker",
    "worker_options",
]

WorkerLike: TypeAlias = "str | Sequence[str] | Mapping[str, object]"
"""A server's address; those of several, which make a pool; or a mapping with one of `WORKER_KINDS`, and options of
the worker. `${NAME}` in a text is taken from the environment when the worker is made, so that nobody else holds
it; `${NAME:-text}` is the text where the variable is not set."""

WORKER_KINDS = ("url", "path", "trtllm")
"""What a mapping says of its worker: the address of a server, or a list of those of several; the path of a GGUF
file, which the worker loads; the folder of a model for TensorRT-LLM in this process."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_NOWHERE = Where()


def is_named_worker(value: object) -> bool:
    """Whether it is a `WorkerLike`, as far as its type says."""
    return isinstance(value, str | Mapping) or (
        isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    )


def named_worker(named: object, where: Where = _NOWHERE) -> Worker:
    """The worker.

    Args:
        named: see `WorkerLike`.
        where: it is written.

    Raises:
        InvalidRequestError: it names no worker, an option that the worker does not have, or a variable that the
            environment does not have.
        MissingExtraError: the worker needs a package that is not installed.
    """
    make = checked_worker(named, where)
    with where():
        return make()


def checked_worker(named: object, where: Where = _NOWHERE) -> Callable[[], Worker]:
    """What makes the worker; as `named_worker`, and makes none yet."""
    if not is_named_worker(named):
        raise where.error(f"a worker must be an address, a list of them or a mapping, got {type(named).__name__}")
    options = where.mapping(named if isinstance(named, Mapping) else {"url": named}, "a worker")
    said = [kind for kind in WORKER_KINDS if kind in options]
    if len(said) != 1:
        raise where.error(f"a worker needs one of {', '.join(WORKER_KINDS)}, and has {len(said)} of them")
    several = not isinstance(options[said[0]], str)
    where.mapping(options, "a worker", worker_options(said[0], several=several))
    given: Any = from_environment(options, where)
    return partial(_constructor(said[0], several), given.pop(said[0]), **given)


def worker_options(kind: str, *, several: bool = False) -> Mapping[str, inspect.Parameter] | None:
    """What a mapping may say of its worker, by name; None for whatever the engine takes.

    Args:
        kind: one of `WORKER_KINDS`.
        several: whether it names several servers.
    """
    first, *others = inspect.signature(_constructor(kind, several)).parameters.values()
    options = {kind: first, **{each.name: each for each in others if each.kind is not each.VAR_KEYWORD}}
    if len(options) > len(others):
        return options
    return {**(worker_options(kind) or {}), **options} if several else None


def named_server(named: object, where: Where = _NOWHERE) -> str | Server:
    """A server of tools: an address or a command, or a mapping with `url` or `command` and further options.

    Raises:
        InvalidRequestError: an option that a server does not have, or a missing variable of the environment.
    """
    from scaffolding_core.workers.mcp.server import HttpServer, StdioServer

    given: Any = from_environment(named, where)
    if isinstance(given, str):
        return given
    kind = StdioServer if "command" in where.mapping(given, "a server of tools") else HttpServer
    where.mapping(given, "a server of tools", inspect.signature(kind).parameters)
    if not given.keys() & {"url", "command"}:
        raise where.error("a server of tools needs its url, or its command")
    server: HttpServer | StdioServer = kind(**given)
    return server


def named_sandbox(named: object, where: Where = _NOWHERE) -> Worker:
    """A sandbox for code: the name of its kind, or a mapping with the name in `backend`, and options.

    Raises:
        InvalidRequestError: no sandbox of that name, or an option that it does not have.
        MissingExtraError: it is not installed.
    """
    from scaffolding_core.workers.code import CodeWorker  # it loads slowly

    options: Any = {"backend": named} if isinstance(named, str) else where.mapping(named, "a sandbox")
    with where():
        return CodeWorker(**from_environment(options, where))  # type: ignore[arg-type]  # still a mapping


def from_environment(value: object, where: Where = _NOWHERE) -> object:
    """The value with the variables that its texts name.

    Raises:
        InvalidRequestError: one of them is not set.
    """
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _variable(found, where), value)
    if isinstance(value, Mapping):
        return {name: from_environment(each, where / name) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [from_environment(each, where / place) for place, each in enumerate(value)]
    return value


def _variable(found: re.Match[str], where: Where) -> str:
    text = os.environ.get(found[1], found[2])
    if text is None:
        raise where.error(f"the environment has no variable {found[1]}: set it, or write ${{{found[1]}:-text}}")
    return text


def _constructor(kind: str, several: bool) -> Callable[..., Worker]:
    # Each is imported only where it is wanted: HTTP clients and engines load slowly.
    if kind == "path":
        from scaffolding_core.workers.local import LocalWorker

        return LocalWorker
    if kind == "trtllm":
        from scaffolding_core.workers.trtllm import TRTLLMWorker

        return partial(TRTLLMWorker.init_with_new_llm, guided_decoding_backend="xgrammar")
    if several:
        from scaffolding_core.workers.pool import WorkerPool

        return WorkerPool
    from scaffolding_core.workers.openai import OpenAIWorker

    return OpenAIWorker
