"""Where a model is."""

from utils.llm_data import llm_models_root

__all__ = ["get_model_path"]


def get_model_path(model_name: str) -> str:
    return str(llm_models_root() / model_name)
