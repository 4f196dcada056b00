"""What a `RunnableConfig` may set of a method and of a model's sampling, for one call."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from langchain_core.runnables import RunnableConfig, ensure_config

from scaffolding_core import REQUEST_OPTIONS

__all__ = [
    "METHOD_PARAMETERS",
    "MODEL_PARAMETERS",
    "SAMPLING_FIELDS",
    "method_parameters",
    "model_parameters",
    "without_method_parameters",
]

SAMPLING_FIELDS = ("temperature", "max_tokens", "top_p", "seed")

_OF_CHAINS = frozenset({"seed", "metadata", "trace"})
"""Names that chains have in their configurations for things of their own."""

METHOD_PARAMETERS = (REQUEST_OPTIONS - _OF_CHAINS) | {"method", "sample_num", "answers"}
"""What a configuration may set of a method."""

MODEL_PARAMETERS = METHOD_PARAMETERS | {*SAMPLING_FIELDS}
"""What a configuration may set of a method and of a model's sampling."""


def method_parameters(config: RunnableConfig | None) -> dict[str, Any]:
    """What `config["configurable"]`, or that of the chain or graph around, sets of a method; and how many samples
    may run at once.
    """
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


def _set_in(config: RunnableConfig, names: Set[str]) -> dict[str, Any]:
    configurable = config.get("configurable") or {}
    values = {name: configurable[name] for name in names & configurable.keys()}
    if config.get("max_concurrency") is not None:
        values["max_concurrency"] = config["max_concurrency"]
    return values
