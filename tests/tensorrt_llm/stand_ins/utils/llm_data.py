"""Where the models are."""

import os
from pathlib import Path

__all__ = ["llm_models_root"]


class _Models:
    """A folder of models in which all are one."""

    def __truediv__(self, model: str) -> Path:
        return Path(os.environ["LLM_MODELS_ROOT"])


def llm_models_root() -> _Models:
    return _Models()
