"""Methods that a file names, with all their parts."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any, cast

from scaffolding_core.config.options import Option, options_of
from scaffolding_core.config.parts import check_complete, checked_plain, named_part
from scaffolding_core.config_text import Where, near_miss
from scaffolding_core.controller import Controller
from scaffolding_core.controllers import NativeChatController, NativeRewardController
from scaffolding_core.controllers.roles import scores
from scaffolding_core.driver.order import REQUEST_OPTIONS
from scaffolding_core.errors import UnknownMethodError
from scaffolding_core.methods import METHODS, Method, build_method
from scaffolding_core.rewards import REWARDS, RewardLike
from scaffolding_core.tasks import SAMPLING_PARAMETERS, GenerationTask
from scaffolding_core.workers.named import from_environment

__all__ = ["TURN", "Methods", "method_options", "reward_options"]

TURN: Mapping[str, str] = {"sampling": "sampling_params", "system": "system_prompt", "role": "role"}
"""What may be said of the generation itself, and the argument of `NativeChatController` for it."""

_TAKEN = {"method", "model", "roles", "controller", *TURN, *REQUEST_OPTIONS}
"""Names that mean the same of every method; an option of one keeps its whole name beside them."""


def method_options(row: Method) -> Mapping[str, Option]:
    """What a mapping may say of a method beside its name and its generation, by name."""
    own = options_of(row.constructor)
    options = {
        option.argument if name in _TAKEN else name: option
        for name, option in own.items()
        if name not in ("generation", row.samples)
    }
    return options if row.samples is None else {"sample_num": own[row.samples], **options}


def reward_options(kind: str) -> Mapping[str, Option] | None:
    """What a mapping may say of a reward beside its kind, by name; None if there is no such reward.

    Args:
        kind: a name in `REWARDS`, or the address of a server with a reward model.
    """
    if kind in REWARDS:
        return options_of(REWARDS[kind].constructor)
    if "://" not in kind:
        return None
    from scaffolding_core.workers.reward_model import RewardModelWorker  # its HTTP client loads slowly

    return {name: option for name, option in options_of(RewardModelWorker).items() if name != "url"}


class Methods:
    """Makes methods, and collects who scores for them.

    Attributes:
        rewards: by the role that a method asks for it.
    """

    def __init__(self) -> None:
        self.rewards: dict[Hashable, RewardLike] = {}

    def method(
        self, value: object, where: Where, role: Hashable = None, beside: Collection[str] = ()
    ) -> Controller:
        """The method that a value names; a controller is itself.

        Args:
            value: a name, or a mapping with it in `method` and with options.
            where: it is written.
            role: whose worker generates, where it does not say.
            beside: what else may stand there, for errors.

        Raises:
            InvalidRequestError: no such method, or options that it does not take.
        """
        if isinstance(value, Controller):
            return value
        given = {"method": value} if isinstance(value, str) else where.mapping(value, "a method")
        row = _row(given.pop("method", "direct"), where / "method")
        known = method_options(row)
        where.mapping(given, f"the method {row.name!r}", ["method", *known, "generation", *TURN, *beside])
        own = {name: value for name, value in given.items() if name in known}
        options: dict[str, Any] = {
            known[name].argument: self._option(known[name], own[name], where / name, row.roles) for name in own
        }
        generation = self._generation(given, where, role)
        with where(own):
            return build_method(row.name, generation=generation, **options)

    def reward(self, value: object, where: Where) -> RewardLike:
        """What scores, as `resolve_reward` takes it.

        Args:
            value: a name or an address, or a mapping with one in `kind` or `url` and with options.
            where: it is written.

        Raises:
            InvalidRequestError: no such reward, or options that it does not take.
        """
        if not isinstance(value, str | Mapping):
            return cast("RewardLike", value)
        given = {"kind": value} if isinstance(value, str) else where.mapping(value, "a reward")
        said = given.pop("kind", None) or given.pop("url", None)
        kind = str(from_environment(said, where))
        kind = kind if "://" in kind else kind.replace("-", "_")
        known = reward_options(kind)
        if known is None:
            raise where.error(f"no reward is named {said!r}{near_miss(said, [*REWARDS, 'http://...'])}")
        where.mapping(given, f"the reward {kind!r}", known)
        check_complete(given, known, f"the reward {kind!r}", where)
        if kind not in REWARDS:
            from_environment(given, where)
        roles = REWARDS[kind].roles if kind in REWARDS else ()
        options = {name: self._option(known[name], each, where / name, roles) for name, each in given.items()}
        if kind == "combined" and isinstance(options.get("rewards"), list):
            parts = enumerate(cast("list[object]", given["rewards"]))
            options["rewards"] = [self.reward(part, where / "rewards" / place) for place, part in parts]
        return {"kind": said, **options}

    def _generation(self, given: Mapping[str, object], where: Where, role: Hashable) -> Controller:
        """What a method generates with: another method, or one turn of a chat."""
        if "generation" in given:
            for name in TURN.keys() & given.keys():
                raise (where / name).error(f"{name} is of the generation itself: write it there")
            return self.method(given["generation"], where / "generation", role)
        turn: dict[str, Any] = {TURN[name]: value for name, value in given.items() if name in TURN}
        named = (where / "sampling").mapping(turn.get("sampling_params") or {}, "sampling", SAMPLING_PARAMETERS)
        checked_plain(GenerationTask, named, "sampling", where / "sampling")
        if "seed" in named:
            raise (where / "sampling" / "seed").error("one seed would make all samples alike: write it at the top")
        if not isinstance(turn.get("system_prompt", ""), str):
            raise (where / "system").error(f"system must be a text, got {turn['system_prompt']!r}")
        return NativeChatController(**{"role": role, **turn})

    def _option(self, option: Option, value: object, where: Where, roles: Collection[str]) -> object:
        if option.part is None:
            if (wrong := option.wrong(value)) is not None:
                raise where.error(f"{where.path[-1]} must be {wrong}, got {value!r}")
            return value
        if value is None and not option.needed:
            return None
        if option.many and isinstance(value, list):
            return [self._part(option, each, where / place, roles) for place, each in enumerate(value)]
        if option.many and isinstance(value, Mapping):
            return {name: self._part(option, each, where / name, roles) for name, each in value.items()}
        return self._part(option, value, where, roles)

    def _part(self, option: Option, value: object, where: Where, roles: Collection[str]) -> object:
        if option.part != "method":
            return named_part(str(option.part), value, where)
        if not scores(option.name) or isinstance(value, Controller):
            return self.method(value, where, option.name if option.name in roles else None)
        role = f"{option.name}.{len(self.rewards)}" if option.name in self.rewards else option.name
        self.rewards[role] = self.reward(value, where)
        return NativeRewardController(role=role)


def _row(name: object, where: Where) -> Method:
    row = METHODS.get(name.replace("-", "_")) if isinstance(name, str) else None
    if row is None:
        raise where.error(f"no method is named {name!r}{near_miss(name, METHODS)}", UnknownMethodError)
    return row
