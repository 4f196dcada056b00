"""What a `RunnableConfig` may set of a method and of a model's sampling, for one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from langchain_core.runnables import ConfigurableFieldSpec, RunnableConfig, ensure_config
from langchain_core.runnables.utils import get_unique_config_specs

from langchain_scaffolding.request.checks import checked_limit
from scaffolding_core import REQUEST_OPTIONS

__all__ = [
    "METHOD_PARAMETERS",
    "MODEL_PARAMETERS",
    "SAMPLING_FIELDS",
    "config_specs",
    "method_parameters",
    "model_parameters",
    "without_method_parameters",
]

SAMPLING_FIELDS = ("temperature", "max_tokens", "top_p", "seed")

_OF_CHAINS = frozenset({"seed", "metadata", "trace"})
"""Names that chains have in their configurations for things of their own."""

METHOD_PARAMETERS = (REQUEST_OPTIONS - _OF_CHAINS) | {"method", "sample_num", "answers", "max_concurrent_samples"}
"""What a configuration may set of a method."""

_KINDS: Mapping[str, Any] = {
    "sample_num": int | None,
    "max_concurrent_samples": int | None,
    "priority": int | None,
    "deadline": float | None,
    "temperature": float | None,
    "top_p": float | None,
    "max_tokens": int | None,
    "seed": int | None,
}
"""What values of some parameters are; of the others a class of the core, or a name of it."""

MODEL_PARAMETERS = METHOD_PARAMETERS | {*SAMPLING_FIELDS}
"""What a configuration may set of a method and of a model's sampling."""


def method_parameters(config: RunnableConfig | None) -> dict[str, Any]:
    """What `config["configurable"]`, or that of the chain or graph around, sets of a method."""
    return _set_in(ensure_config(config), METHOD_PARAMETERS)


def model_parameters(config: RunnableConfig | None) -> dict[str, Any]:
    """As `method_parameters`, and what it sets of a model's sampling."""
    return _set_in(ensure_config(config), MODEL_PARAMETERS)


def without_method_parameters(config: RunnableConfig) -> RunnableConfig:
    """The same for what runs inside a sample: a method in there is not the one that was meant."""
    configurable = config.get("configurable") or {}
    if METHOD_PARAMETERS.isdisjoint(configurable):
        return config
    kept = {name: value for name, value in configurable.items() if name not in METHOD_PARAMETERS}
    return RunnableConfig(**{**config, "configurable": kept})


def config_specs(
    names: Iterable[str], inner: Sequence[ConfigurableFieldSpec], renamed: Set[str]
) -> list[ConfigurableFieldSpec]:
    """What a configuration may set, as LangChain tells it; it is the same for all models of a chain.

    Args:
        names: of parameters.
        inner: what is configurable in what is wrapped.
        renamed: ids that `configurable_fields` gave to fields, which tells them itself.
    """
    mine = [
        ConfigurableFieldSpec(name, _KINDS.get(name, Any), description=f"{name} of scaffolding methods")
        for name in names
    ]
    known = [spec for spec in inner if spec.id not in {*names}]
    return get_unique_config_specs(spec for spec in [*mine, *known] if spec.id not in renamed)


def _set_in(config: RunnableConfig, names: Set[str]) -> dict[str, Any]:
    configurable = config.get("configurable") or {}
    if config.get("max_concurrency") is not None:
        checked_limit(config["max_concurrency"], "max_concurrency")
    return {name: configurable[name] for name in names & configurable.keys()}
