"""`scaffolding ask`: one question, one method, one answer."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Hashable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaffolding_core.adapting.engines import engine_worker
from scaffolding_core.answers import KINDS
from scaffolding_core.cli.reward import REWARD_HELP, said_reward
from scaffolding_core.controller import roles_of
from scaffolding_core.driver.budget import Budget
from scaffolding_core.errors import InvalidRequestError, ScaffoldingError
from scaffolding_core.methods import METHODS, build_method, method_named
from scaffolding_core.results import FinalEvent
from scaffolding_core.roles import CODE, GENERATION, JUDGE, cast_of, check_roles, sandbox
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.shown_text import json_safe, shown

if TYPE_CHECKING:
    from scaffolding_core.controller import Controller
    from scaffolding_core.results import ScaffoldingOutput
    from scaffolding_core.worker import Worker

__all__ = ["ask"]

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

_ANSWERS = (
    f"What samples answer with: {', '.join(KINDS).replace('_', '-')}. With parameters, or for each field of "
    """field-vote, as JSON: '{"kind": "choice", "choices": ["A", "B"]}', '{"price": "number"}'."""
)


_ROLES = (
    """Server for a further role, as ROLE=URL, or ROLE='{"url": URL, "model": NAME, "api_key": KEY}', such as """
    "strong=http://localhost:8001/v1 for cascade; those of generation.1, generation.2, ... take turns at the "
    "samples with the model itself. Repeatable."
)
_METHODS = "; ".join(f"{row.name.replace('_', '-')}: {row.summary}" for row in METHODS.values()) + "."


def ask(
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    method: Annotated[str, typer.Option("--method", "-m", help=_METHODS)] = "direct",
    samples: Annotated[
        int | None, typer.Option("--samples", "-n", help="Samples, for methods that take several.")
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(help="OpenAI-compatible server, once for each replica; the embedded model by default."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="Instead of --url: trtllm, which loads the folder that --model names.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the model at the server; without --url, path of a GGUF file.")
    ] = None,
    api_key: Annotated[
        list[str] | None,
        typer.Option(
            envvar="SCAFFOLDING_API_KEY",
            help="Key for the server; one for all, or once for each --url in its order.",
        ),
    ] = None,
    siblings: Annotated[
        int | None, typer.Option(help="With --url: samples in one request at most; 1 sends each alone.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="What the model is told to be.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens of each sample at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes sampling repeatable, where the backend is.")] = None,
    stop_rule: Annotated[
        str | None, typer.Option(help="Of majority-vote: lossless, beta, dirichlet, window or full.")
    ] = None,
    answers: Annotated[str | None, typer.Option(help=_ANSWERS)] = None,
    reward: Annotated[str | None, typer.Option(help=REWARD_HELP)] = None,
    role: Annotated[list[str] | None, typer.Option(help=_ROLES)] = None,
    mcp: Annotated[
        list[str] | None,
        typer.Option(help="Of methods that call tools: address or command of a server of tools; repeatable."),
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Give the best answer so far after this time.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole result as JSON.")] = False,
) -> None:
    """Ask one question and show the answer, the votes, and what they cost."""
    given = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    try:
        if seconds is not None:
            options["budget"] = Budget(seconds=seconds)
        of_method = {"stop_rule": stop_rule, "answers": _answers(answers)}
        controller = _controller(method, samples, system, of_method)
        judges = "reward" in method_named(method).roles
        if reward is None and judges:
            raise InvalidRequestError(f"{method} needs something to judge by: add --reward")
        if reward is not None and not judges:
            raise InvalidRequestError(f"{method} judges nothing: leave --reward out")
        acts = "tools" in method_named(method).roles
        if acts != bool(mcp):
            raise InvalidRequestError(
                f"{method} calls no tools: leave --mcp out" if mcp else f"{method} needs tools: add --mcp"
            )
        players = _players(role or ())
        cast = cast_of(None if reward is None else said_reward(reward), players)
        controller = cast.plays(controller)
        for name in players.keys() - roles_of(controller):
            raise InvalidRequestError(f"{method} has no role {name!r}: leave its --role out")
        answering = _worker(url, engine, model, api_key, siblings)
        workers = {GENERATION: answering, JUDGE: answering, **cast.workers}
        if mcp:
            workers["tools"] = _tools(mcp)
        if CODE in roles_of(controller) - workers.keys():
            workers[CODE] = sandbox()
        check_roles(controller, method, workers.keys())
        asyncio.run(_run(_text(question), controller, options, workers, as_json))
    except InvalidRequestError as error:
        _fail(error, WRONG_USE)
    except ScaffoldingError as error:
        _fail(error, FAILED)
    except KeyboardInterrupt:
        typer.echo(err=True)  # below what it had written so far
        raise typer.Exit(INTERRUPTED) from None


async def _run(
    question: str, controller: Controller, options: dict[str, Any], workers: dict[Hashable, Worker], as_json: bool
) -> None:
    from scaffolding_core.cli.show import Show  # rich loads slowly, and what comes before may fail

    started = time.monotonic()
    show = Show(live=controller.streams_answer, quiet=as_json)
    output: ScaffoldingOutput | None = None
    try:
        llm = ScaffoldingLlm(controller, workers)
        async with llm, aclosing(aiter(llm.stream(question, **options))) as events:
            async for event in events:
                show.event(event)
                if isinstance(event, FinalEvent):
                    output = event.output
    finally:
        show.close()
        for worker in set(workers.values()):
            await worker.async_shutdown()
    assert output is not None
    spent = time.monotonic() - started
    if as_json:
        result = {"text": output.text, **output.summary(), "seconds": round(spent, 3)}
        typer.echo(_json(result))
    else:
        show.result(output, spent)


def _json(result: dict[str, Any]) -> str:
    # What a method of one's own tells may be infinite, which JSON has no number for.
    return json_safe(json.dumps(json.loads(json.dumps(result), parse_constant=str), ensure_ascii=False))


def _text(question: str) -> str:
    return sys.stdin.read() if question == "-" else question


def _controller(name: str, samples: int | None, system: str | None, of_method: dict[str, Any]) -> Controller:
    from scaffolding_core.controllers import NativeChatController

    options: dict[str, Any] = {option: value for option, value in of_method.items() if value is not None}
    generation = NativeChatController(system_prompt=system)
    return build_method(name, sample_num=samples, generation=generation, **options)


def _answers(given: str | None) -> object:
    """The name of a kind as it is, JSON as what it says."""
    if given is None or not given.lstrip().startswith("{"):
        return given
    try:
        return json.loads(given)
    except ValueError as error:
        raise InvalidRequestError(
            f"--answers must be the name of a kind, or JSON; {given!r} is neither: {error}"
        ) from error


def _worker(
    url: list[str] | None,
    engine: str | None,
    model: str | None,
    api_key: list[str] | None,
    siblings: int | None,
) -> Worker:
    if engine is not None:
        if url:
            raise InvalidRequestError("--url and --engine name two backends: leave one out")
        return engine_worker(engine, model or "", siblings=siblings)
    if not url:
        if siblings is not None:
            raise InvalidRequestError("--siblings is for a server: add --url, or leave it out")
        from scaffolding_core.workers.local import LocalWorker

        return LocalWorker(model)
    keys: Sequence[str | None] = api_key or (None,)
    if len(url) > 1:
        from scaffolding_core.workers.pool import WorkerPool

        return WorkerPool(url, model, api_key=keys[0] if len(keys) == 1 else keys, siblings=siblings)
    if len(keys) > 1:
        raise InvalidRequestError("--api-key was given several times for one --url: give one, or every --url")
    from scaffolding_core.workers.openai import OpenAIWorker

    return OpenAIWorker(url[0], model, api_key=keys[0], siblings=siblings)


def _players(roles: Sequence[str]) -> dict[Hashable, Worker]:
    """Who plays each further role."""
    players: dict[Hashable, Worker] = {}
    for each in roles:
        role, _, said = each.partition("=")
        server = {"url": said}
        if said.startswith("{"):
            try:
                server = json.loads(said)
            except ValueError as error:
                raise InvalidRequestError(f"--role {role} must be an address, or JSON: {error}") from error
        if not server.get("url") or server.keys() - {"url", "model", "api_key"}:
            raise InvalidRequestError(
                f"--role must be ROLE=URL, or JSON with url, model and api_key, got {each!r}"
            )
        key = server.get("api_key")
        players[role] = _worker([server["url"]], None, server.get("model"), None if key is None else [key], None)
    return players


def _tools(mcp: list[str]) -> Worker:
    from scaffolding_core.workers.mcp import MCPWorker

    return MCPWorker(mcp)


def _fail(error: ScaffoldingError, code: int) -> None:
    typer.echo(f"scaffolding: {shown(str(error))}", err=True)
    raise typer.Exit(code)
