"""What servers tell of their models in the answer to `GET /models`: each names its context window otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scaffolding_core.model_info import ModelInfo
from scaffolding_core.workers.openai.known_servers import KnownServer, recognised

__all__ = ["ListedModels"]

_WINDOWS = ("max_model_len", "context_window", "context_length", "max_context_length")
"""Names of the context window: of vLLM and SGLang, and of several services."""


class ListedModels:
    """The models that a server lists.

    Source: `ModelCard` of vLLM's OpenAI-compatible server; `meta` of llama.cpp's, whose `n_ctx` is that of a slot.

    Args:
        answer: to `GET /models`, as JSON.

    Raises:
        KeyError, TypeError: it is no such list.
    """

    def __init__(self, answer: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        self._models = list(answer["data"])
        self.names = [str(model["id"]) for model in self._models]

    @property
    def server(self) -> KnownServer | None:
        """What kind of server lists them, if it is known."""
        return next(filter(None, map(recognised, self._models)), None)

    def info(self, name: str | None) -> ModelInfo:
        """What the list tells of a model: of the first, where none is named.

        A server that serves a single model may answer by any name.
        """
        model = self._named(name) if name is not None else next(iter(self._models), None)
        if model is None and len(self._models) == 1:
            model = self._models[0]
        if model is None:
            return ModelInfo(name=name)
        window = _window(model)
        if window is None:  # an adapter's is that of the model it belongs to
            base = self._named(str(model.get("parent")))
            window = _window(base) if base is not None else None
        return ModelInfo(name=name or str(model["id"]), context_window=window)

    def _named(self, name: str) -> Mapping[str, object] | None:
        for model in self._models:
            aliases = model.get("aliases")
            if name == model["id"] or (isinstance(aliases, list) and name in aliases):
                return model
        return None


def _window(model: Mapping[str, object]) -> int | None:
    told = [model.get(name) for name in _WINDOWS]
    meta = model.get("meta")
    if isinstance(meta, Mapping):  # llama.cpp's; what the model was trained for may be far more than is served
        told.append(meta.get("n_ctx"))
    return next((window for window in told if isinstance(window, int) and window > 0), None)
