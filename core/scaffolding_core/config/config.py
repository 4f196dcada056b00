"""Config: a whole tree of methods, workers and answers by name."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from scaffolding_core.config.method import Methods
from scaffolding_core.config.owning_llm import OwningLlm
from scaffolding_core.config.parts import checked_plain
from scaffolding_core.config_text import Tree, Where, near_miss, read_tree, tree_text
from scaffolding_core.controller import Controller, roles_of
from scaffolding_core.controllers.roles import scores
from scaffolding_core.driver.budget import Budget
from scaffolding_core.driver.order import REQUEST_OPTIONS
from scaffolding_core.rewards import RewardLike
from scaffolding_core.roles import CODE, GENERATION, JUDGE, TOOLS, cast_of, check_names, check_roles, sandbox
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.worker import Worker
from scaffolding_core.workers.named import (
    WorkerLike,
    checked_worker,
    from_environment,
    named_server,
    named_worker,
)

__all__ = ["OF_REQUESTS", "Config", "Parts", "dump", "load"]

OF_REQUESTS = REQUEST_OPTIONS - {"deadline"}
"""Options of requests that a file can say; a deadline is a time of a clock."""

_WRITTEN = (str, int, float, Mapping, list)
"""What a file has; anything else is an object of the program."""

_AROUND = ("model", "roles", *sorted(OF_REQUESTS))
"""What stands beside a method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a configuration describes, with nothing opened yet.

    Attributes:
        method: with all its parts.
        model: what generates, see `WorkerLike`; or a worker, or None for the embedded model.
        roles: who plays the other roles, as `cast_of` takes them.
        options: of each request that gives none of its own.
    """

    method: Controller
    model: WorkerLike | Worker | None = field(repr=False)  # a key may stand in it
    roles: Mapping[Hashable, RewardLike] = field(repr=False)
    options: Mapping[str, object]


class Config:
    """A whole tree of methods, workers and answers by name.

    ::

        model: {url: http://localhost:8000/v1, api_key: "${API_KEY}"}
        method: majority_vote
        sample_num: 16
        answers: number
        generation: {method: chain_of_thought, sampling: {temperature: 0.8}}
        budget: {seconds: 20}

    At the top stand a `method` with its options, or a `controller` as a file of TensorRT-LLM has it, and beside it

    - `model`: who generates, see `WorkerLike`; the embedded model where it is left out;
    - `roles`: who plays the other roles: a worker each, a reward for one that scores, servers of tools for
      `tools`, a kind of sandbox for `code`;
    - `budget`, `seed`, `priority`, `metadata` and `trace`, for each request that gives none of its own.

    A method is a name, or a mapping with it in `method`. It generates with the method in `generation`, or, where
    there is none, in one chat turn, which `sampling`, `system` and `role` tell more of. What it takes by name in
    Python, it takes in a file. `{$ref: NAME}` stands for one of the objects that the program gives.

    Two are equal that say the same. Values of the environment stand in none: they are read when a worker is made.

    Args:
        tree: what a file would hold.
        objects: what no file can hold, by the name in `$ref`.
        name: of the file, for errors.

    Raises:
        InvalidRequestError: the tree is no mapping, or a `$ref` names no object.
    """

    def __init__(self, tree: Mapping[str, object] | Tree, objects: Mapping[str, object] | None = None) -> None:
        self._tree = tree if isinstance(tree, Tree) else Tree(dict(tree) if isinstance(tree, Mapping) else tree)
        self._objects = dict(objects or {})
        self._top = Where(self._tree)
        if not isinstance(self._tree.data, Mapping):
            raise self._top.error(f"a configuration must hold a mapping, got {type(self._tree.data).__name__}")

    @classmethod
    def read(cls, path: str | Path, objects: Mapping[str, object] | None = None) -> Self:
        """That in a file.

        Args:
            path: of the file, YAML unless it ends in `.json`.
            objects: what no file can hold, by the name in `$ref`.

        Raises:
            InvalidRequestError: it cannot be read (also an OSError), or holds no tree.
            MissingExtraError: a YAML file, and the extra `yaml` is not installed.
        """
        return cls(read_tree(path), objects)

    @property
    def tree(self) -> dict[str, object]:
        """What it says."""
        assert isinstance(self._tree.data, Mapping)
        return dict(self._tree.data)

    def __eq__(self, other: object) -> bool:
        return self.tree == other.tree if isinstance(other, Config) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # what it says may change with its objects

    def __repr__(self) -> str:
        return f"Config({self._tree.name or ', '.join(self.tree)})"  # what stands in it may be a key

    def updated(self, **values: object) -> Config:
        """The same with other values at the top."""
        places = {path: place for path, place in self._tree.places.items() if not path or path[0] not in values}
        return Config(Tree({**self.tree, **values}, places, self._tree.name), self._objects)

    def parts(self) -> Parts:
        """What it describes, checked; nothing is opened.

        Raises:
            InvalidRequestError: an unknown name, a wrong value, a variable that the environment does not have; it
                says where.
        """
        try:
            return self._parts()
        except RecursionError:
            raise self._top.error(
                "a configuration has an end: this holds itself, or is nested too deeply"
            ) from None

    def _parts(self) -> Parts:
        tree, methods = self.tree, Methods()
        around = {name: self._with_objects(tree.pop(name), self._top / name) for name in _AROUND if name in tree}
        if "controller" in tree:
            method = self._controller(tree)
        else:
            method = methods.method(self._with_objects(tree, self._top), self._top, beside=_AROUND)
        roles = self._roles(around.get("roles"), methods)
        model: Any = around.get("model")
        if isinstance(model, _WRITTEN):
            checked_worker(model, self._top / "model")
        options = {name: value for name, value in around.items() if name in OF_REQUESTS}
        if "budget" in options:
            where = self._top / "budget"
            with where():
                options["budget"] = Budget(**checked_plain(Budget, options["budget"], "the budget", where))
        return Parts(method=method, model=model, roles={**methods.rewards, **roles}, options=options)

    def fields(self) -> dict[str, object]:
        """What it describes, as the fields of the model of another library.

        Raises:
            InvalidRequestError: see `parts`.
        """
        parts = self.parts()
        options = dict(parts.options)
        seed = {"seed": options.pop("seed")} if "seed" in options else {}
        return {
            "method": parts.method,
            "worker": parts.model,
            "roles": dict(parts.roles) or None,
            "request_options": options,
            **seed,
        }

    def llm(self) -> ScaffoldingLlm:
        """What runs it; the workers that it opens are closed with it.

        Raises:
            InvalidRequestError: see `parts`; or nobody plays a role that the method needs.
            MissingExtraError: a worker needs a package that is not installed.
        """
        parts = self.parts()
        with (self._top / "roles")():
            cast = cast_of(None, parts.roles)
        method, named = cast.plays(parts.method), str(self.tree.get("method", "controller"))
        opened = [*cast.opened]
        try:
            with self._top(parts.options):
                check_names(method, named, frozenset(parts.roles))
                model: Any = parts.model
                if model is None or isinstance(model, _WRITTEN):
                    with (self._top / "model")():
                        model = _model(parts.model)
                    opened.append(model)
                workers: dict[Hashable, Worker] = {GENERATION: model, JUDGE: model, **cast.workers}
                if CODE in roles_of(method) - workers.keys():
                    workers[CODE] = sandbox()
                    opened.append(workers[CODE])
                check_roles(method, named, workers.keys())
                return OwningLlm(method, workers, options=parts.options, opened=opened)
        except BaseException:
            for worker in opened:
                worker.shutdown()
            raise

    def _controller(self, tree: Mapping[str, object]) -> Controller:
        """The controller of a file for TensorRT-LLM."""
        from scaffolding_core.tensorrt_llm import build_controller  # it loads slowly

        self._top.mapping(tree, "a configuration with a controller", ["controller", *_AROUND])
        where = self._top / "controller"
        with where():
            return build_controller(where.mapping(tree["controller"], "the controller"), self._objects)

    def _roles(self, given: object, methods: Methods) -> dict[Hashable, RewardLike]:
        """Who plays the roles, each checked as far as nothing is opened for it."""
        where = self._top / "roles"
        roles: dict[Hashable, Any] = {}
        player: Any  # of no common class
        for role, player in where.mapping(given or {}, "roles").items():
            here = where / role
            if role in methods.rewards:
                raise here.error(f"the role {role!r} is given twice: here, and as reward")
            roles[role] = methods.reward(player, here) if scores(role) else player
            if role == TOOLS:
                roles[role] = player if isinstance(player, list) else [player]
                for place, tool in enumerate(roles[role]):
                    if isinstance(tool, str | Mapping):
                        named_server(tool, here / place)
            elif role == CODE:
                from_environment(player, here)
            elif not scores(role) and isinstance(player, _WRITTEN):
                checked_worker(player, here)
        return roles

    def _with_objects(self, value: object, where: Where) -> Any:  # Any: an object may be anything
        """The value with the objects that it refers to."""
        if isinstance(value, list):
            return [self._with_objects(each, where / place) for place, each in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        if value.keys() != {"$ref"}:
            return {name: self._with_objects(each, where / name) for name, each in value.items()}
        if value["$ref"] not in self._objects:
            raise where.error(f"no object is named {value['$ref']!r}{near_miss(value['$ref'], self._objects)}")
        return self._objects[value["$ref"]]


def load(path: str | Path, objects: Mapping[str, object] | None = None) -> ScaffoldingLlm:
    """What runs the configuration in a file; the workers that it opens are closed with it.

    Args:
        path: of the file, YAML unless it ends in `.json`; see `Config` for what it says.
        objects: what no file can hold, by the name in `$ref`.

    Raises:
        InvalidRequestError: the file cannot be read (also an OSError), or what it says is wrong; it says where.
        MissingExtraError: YAML or a worker needs a package that is not installed.
    """
    return Config.read(path, objects).llm()


def dump(config: Config, path: str | Path | None = None) -> str:
    """The text of a configuration, of which `Config.read` reads the same; variables of the environment stay names.

    Args:
        config: to write.
        path: of the file to write it to, YAML unless it ends in `.json`; None writes none, and gives YAML.

    Raises:
        InvalidRequestError: it holds what no file can.
        MissingExtraError: YAML, and the extra `yaml` is not installed.
    """
    text = tree_text(config.tree, in_json=path is not None and Path(path).suffix == ".json")
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def _model(named: object) -> Worker:
    if named is not None:
        return named_worker(named)
    from scaffolding_core.workers.local import LocalWorker  # its HTTP client loads slowly

    return LocalWorker()
