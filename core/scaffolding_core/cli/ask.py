"""`scaffolding ask`: one question, one method, one answer."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Collection, Hashable, Mapping, Sequence, Set
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scaffolding_core.answers import KINDS
from scaffolding_core.cli.failing import FAILED, INTERRUPTED, WRONG_USE, fail
from scaffolding_core.cli.reward import REWARD_HELP, said_reward
from scaffolding_core.config import Config
from scaffolding_core.config_text import near_miss
from scaffolding_core.controller import roles_of
from scaffolding_core.errors import InvalidRequestError, ScaffoldingError
from scaffolding_core.messages import SystemMessage, UserMessage
from scaffolding_core.methods import METHODS, method_named
from scaffolding_core.results import FinalEvent
from scaffolding_core.roles import CODE, GENERATION, JUDGE
from scaffolding_core.shown_text import json_safe
from scaffolding_core.voting import STOP_RULES

if TYPE_CHECKING:
    from scaffolding_core.results import ScaffoldingOutput
    from scaffolding_core.scaffolding_llm import ScaffoldingLlm
    from scaffolding_core.tasks import Prompt

__all__ = ["ask"]

_ANSWERS = (
    f"What samples answer with: {', '.join(KINDS).replace('_', '-')}. With parameters, or for each field of "
    """field-vote, as JSON: '{"kind": "choice", "choices": ["A", "B"]}', '{"price": "number"}'."""
)


_ROLES = (
    """Worker for a further role, as ROLE=URL, or ROLE='{"url": URL, "model": NAME, "api_key": KEY}', such as """
    "strong=http://localhost:8001/v1 for cascade; those of generation.1, generation.2, ... take turns at the "
    "samples with the model itself. Repeatable."
)
_METHODS = "; ".join(f"{row.name.replace('_', '-')}: {row.summary}" for row in METHODS.values()) + "."


def ask(
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    config: Annotated[
        Path | None,
        typer.Option(help="File of a configuration; what the options beside it say counts before what it says."),
    ] = None,
    method: Annotated[str | None, typer.Option("--method", "-m", help=_METHODS)] = None,
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
    stop_rule: Annotated[str | None, typer.Option(help=f"Of majority-vote: {', '.join(STOP_RULES)}.")] = None,
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
        roles = _roles(role or ())
        said = {
            "method": method,
            "sample_num": samples,
            "stop_rule": stop_rule,
            "answers": _answers(answers),
            "reward": None if reward is None else said_reward(reward),
            "roles": {**roles, **({"tools": mcp} if mcp else {})} or None,
            "budget": None if seconds is None else {"seconds": seconds},
            "model": _model(url, engine, model, api_key, siblings),
        }
        tree = {name: value for name, value in said.items() if value is not None}
        if config is None:
            _check(method or "direct", reward, mcp, roles)
        llm = (Config(tree) if config is None else _over(Config.read(config), tree)).llm()
        asyncio.run(_run(_prompt(question, system), llm, options, as_json, roles))
    except InvalidRequestError as error:
        fail(error, WRONG_USE)
    except ScaffoldingError as error:
        fail(error, FAILED)
    except KeyboardInterrupt:
        typer.echo(err=True)  # below what it had written so far
        raise typer.Exit(INTERRUPTED) from None


async def _run(
    prompt: Prompt, llm: ScaffoldingLlm, options: dict[str, Any], as_json: bool, roles: Collection[str]
) -> None:
    from scaffolding_core.cli.show import Show  # rich loads slowly, and what comes before may fail

    started = time.monotonic()
    show = Show(live=llm.prototype_controller.streams_answer, quiet=as_json)
    output: ScaffoldingOutput | None = None
    try:
        async with llm:
            _check_asked(roles, roles_of(llm.prototype_controller))
            async with aclosing(aiter(llm.stream(prompt, **options))) as events:
                async for event in events:
                    show.event(event)
                    if isinstance(event, FinalEvent):
                        output = event.output
    finally:
        show.close()
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


def _prompt(question: str, system: str | None) -> Prompt:
    text = sys.stdin.read() if question == "-" else question
    return text if system is None else [SystemMessage(system), UserMessage(text)]


def _over(config: Config, said: dict[str, Any]) -> Config:
    """The configuration, with what the command says in place of what it says."""
    own: dict[str, Any] = config.tree
    for name in ("budget", "roles"):
        if name in said and isinstance(own.get(name), Mapping):
            said[name] = {**own[name], **said[name]}
    backend = own.get("model")
    if "path" in said.get("model", {}) and backend is not None:  # --model alone: of the backend in the file
        given = backend if isinstance(backend, Mapping) else {"url": backend}
        named = next((kind for kind in ("path", "trtllm") if kind in given), "model")
        said["model"] = {**given, named: said["model"]["path"]}
    return config.updated(**said)


def _check(method: str, reward: str | None, mcp: list[str] | None, given_roles: Collection[str]) -> None:
    """Refuse what is lacking or left over, by the names of the command's own options."""
    roles = method_named(method).roles
    for role in roles:
        if role not in ("reward", "tools", JUDGE, CODE, *given_roles):
            raise InvalidRequestError(f"{method} needs a worker for the role {role!r}: add --role {role}=URL")
    for role, given, option, does in (("reward", reward, "--reward", "judges"), ("tools", mcp, "--mcp", "acts")):
        if role in roles and not given:
            raise InvalidRequestError(f"{method} {does}, and needs something for it: add {option}")
        if given and role not in roles:
            raise InvalidRequestError(f"{method} needs none: leave {option} out")


def _check_asked(given: Collection[str], asked: Set[Hashable]) -> None:
    """Refuse a role that nobody would ask: its name is wrong, or the method needs none."""
    names = {str(getattr(role, "value", role)) for role in asked}
    for role in given:
        if role not in names:
            known = sorted((names - {GENERATION.value}) | {f"{GENERATION.value}.1"})
            raise InvalidRequestError(f"the method asks nobody by the role {role!r}{near_miss(role, known)}")


def _roles(given: Sequence[str]) -> dict[str, object]:
    """What names a worker, by role."""
    said = {role: worker for role, _, worker in (each.partition("=") for each in given)}
    if not all(said.values()):
        raise InvalidRequestError("--role must be ROLE=URL, or ROLE= and JSON")
    try:
        return {role: json.loads(worker) if worker.startswith("{") else worker for role, worker in said.items()}
    except ValueError as error:
        raise InvalidRequestError(f"--role must be JSON where it has a brace: {error}") from error


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


def _model(
    url: list[str] | None,
    engine: str | None,
    model: str | None,
    api_key: list[str] | None,
    siblings: int | None,
) -> dict[str, object] | None:
    """What the command says of the model, as a configuration does."""
    if engine is not None and engine != "trtllm":
        raise InvalidRequestError(f"--engine must be trtllm, got {engine!r}: servers are named by --url")
    if engine is not None and url:
        raise InvalidRequestError("--url and --engine name two backends: leave one out")
    if siblings is not None and not url and engine is None:
        raise InvalidRequestError("--siblings is for a server: add --url, or leave it out")
    limits = {} if siblings is None else {"siblings": siblings}
    if engine is not None:
        return {"trtllm": model or "", **limits}
    if not url:
        return None if model is None else {"path": model}
    if len(url) == 1 and api_key and len(api_key) > 1:
        raise InvalidRequestError("--api-key was given several times for one --url: give one, or every --url")
    keys = {} if not api_key else {"api_key": api_key[0] if len(api_key) == 1 else api_key}
    return {"url": url[0] if len(url) == 1 else url, "model": model, **keys, **limits}
