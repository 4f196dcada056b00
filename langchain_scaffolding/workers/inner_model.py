"""What a model with a method tells as the model that it wraps: its tokens, and who traces show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.language_models import BaseLanguageModel
from langchain_core.language_models.base import LangSmithParams
from pydantic import BaseModel

from langchain_scaffolding.workers.sampled_model import unbound

__all__ = ["TellsAsInner", "inner_params"]


class TellsAsInner(BaseModel):
    """Counts tokens as the wrapped model does; where none is wrapped, as LangChain does."""

    inner: Any = None

    # Any, and no arguments by name: each model's own.
    def get_token_ids(self, *args: Any, **kwargs: Any) -> list[int]:
        """Ids of the tokens in a text."""
        ids: list[int] = self._counting("get_token_ids")(*args, **kwargs)
        return ids

    def get_num_tokens(self, *args: Any, **kwargs: Any) -> int:
        """How many tokens a text has."""
        count: int = self._counting("get_num_tokens")(*args, **kwargs)
        return count

    def get_num_tokens_from_messages(self, *args: Any, **kwargs: Any) -> int:
        """How many tokens messages have."""
        count: int = self._counting("get_num_tokens_from_messages")(*args, **kwargs)
        return count

    def _counting(self, name: str) -> Any:
        wrapped = unbound(self.inner)
        counts_itself = getattr(self, "custom_get_token_ids", None) is not None
        known = isinstance(wrapped, BaseLanguageModel) and not counts_itself
        return getattr(wrapped if known else super(), name)


def inner_params(
    inner: object, own: LangSmithParams, stop: list[str] | None, kwargs: Mapping[str, Any]
) -> LangSmithParams:
    """What traces tell of a model: of a wrapped one what it tells itself, but for what is set around it."""
    told = getattr(unbound(inner), "_get_ls_params", None)  # without a public way to ask
    if told is None:
        return own
    kept = () if kwargs.get("model") else ("ls_model_name",)  # a call may name the model
    around = {name: value for name, value in own.items() if name not in ("ls_provider", *kept)}
    return cast("LangSmithParams", {**told(stop=stop, **kwargs), **around})
