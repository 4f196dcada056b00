"""A new LLM for a worker, and what keeps it from starting."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scaffolding_core.errors import BackendUnavailableError, InvalidRequestError, ModelFileError
from scaffolding_core.shown_text import sentence
from scaffolding_core.workers.trtllm.llm_api import Llm, found

__all__ = ["new_llm"]

_LONGEST = 500


def new_llm(model: object, cache_fraction: float, options: Mapping[str, Any]) -> Llm:
    """A `tensorrt_llm.LLM`; blocks until its model is loaded.

    Args:
        model: the model's folder, or its name at Hugging Face.
        cache_fraction: part of the free GPU memory that the cache of keys and values takes.
        options: further arguments of `LLM`.

    Raises:
        InvalidRequestError: a model that is no path, or an option that `LLM` does not have.
        ModelFileError: there is no such model.
        MissingExtraError: TensorRT-LLM is not installed.
        BackendUnavailableError: the LLM does not start.
    """
    path = _checked(model)
    llm = found("LLM")
    cache = found("KvCacheConfig")
    try:
        given = {"kv_cache_config": cache(free_gpu_memory_fraction=cache_fraction), **options}
        made: Llm = llm(path, **given)
        return made
    except Exception as error:
        raise _failure(path, error) from error


def _checked(model: object) -> str:
    if not isinstance(model, str | os.PathLike) or not str(model).strip():
        raise InvalidRequestError(f"model_dir must be the path of a model's folder, got {model!r}")
    path = Path(model).expanduser()
    if path.is_dir():
        return str(path)
    text = os.fspath(model)
    if path.exists():
        raise ModelFileError(f"{path} is no folder of a model: give the folder that holds its config.json")
    if isinstance(model, os.PathLike) or text.startswith((".", "~", os.sep)) or text.count("/") > 1:
        raise ModelFileError(f"there is no model in {path}: correct the path")
    return text


def _failure(path: str, error: Exception) -> Exception:
    words = sentence(str(error) or type(error).__name__, _LONGEST)
    if isinstance(error, TypeError) or type(error).__name__ == "ValidationError" or "invalid argument" in words:
        return InvalidRequestError(f"tensorrt_llm.LLM does not take these options: {words}")
    if isinstance(error, OSError | ValueError):
        return ModelFileError(
            f"TensorRT-LLM cannot load the model {path}, see that it is there and whole: {words}"
        )
    return BackendUnavailableError(
        f"TensorRT-LLM does not start with {path}, see that a GPU is there with room for it: {words}"
    )
