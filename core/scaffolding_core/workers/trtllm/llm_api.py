"""What is used of TensorRT-LLM's LLM API; its package is imported when the first of it is needed."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

from scaffolding_core.errors import BackendUnavailableError, MissingExtraError

__all__ = ["Llm", "Output", "Result", "Tokenizer", "found", "named_parameters", "takes"]

_MODULES = (
    "tensorrt_llm",
    "tensorrt_llm.llmapi",
    "tensorrt_llm.sampling_params",
    "tensorrt_llm.executor",
    "tensorrt_llm.scheduling_params",
    "tensorrt_llm.conversation_params",
)


# Any, here and below: objects of TensorRT-LLM, which has no types to import without a GPU.
class Output(Protocol):
    """One choice of a `Result`: cumulative, and the same object after each step."""

    text: str
    token_ids: list[int]
    logprobs: Sequence[Any] | None
    finish_reason: str | None


class Result(Protocol):
    """What `generate_async` returns."""

    outputs: Sequence[Output]

    def abort(self) -> None:
        """End it early."""

    def __await__(self) -> Any: ...
    def __aiter__(self) -> AsyncIterator[Any]: ...


class Llm(Protocol):
    """A `tensorrt_llm.LLM`."""

    def generate_async(self, inputs: Any, sampling_params: Any, **extras: Any) -> Result:
        """Begin a request; its result belongs to the event loop that runs."""

    def shutdown(self) -> None:
        """End the engine; blocks."""


class Tokenizer(Protocol):
    """Of the model, as Hugging Face's are."""

    def encode(self, text: str, **options: Any) -> list[int]:
        """The token ids of a text."""

    def decode(self, token_ids: Sequence[int], **options: Any) -> str:
        """The text of token ids."""

    def apply_chat_template(self, conversation: Sequence[Mapping[str, object]], **options: Any) -> Any:
        """The prompt of a chat."""


def found(name: str, *, module: str | None = None) -> Any:
    """A class or function of TensorRT-LLM; most have stood in several of its modules.

    Args:
        name: of it.
        module: that has it; None looks through those that do.

    Raises:
        MissingExtraError: TensorRT-LLM is not installed.
        BackendUnavailableError: it cannot be loaded here, or this version has nothing of that name.
    """
    _imported("tensorrt_llm")
    for place in _MODULES if module is None else (module,):
        try:
            return getattr(_imported(place), name)
        except (AttributeError, MissingExtraError):
            continue
    raise BackendUnavailableError(f"this TensorRT-LLM has no {name}: update it")


def _imported(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "tensorrt_llm":
            raise MissingExtraError("TRTLLMWorker", "trtllm") from error
        cause: Exception = error
    except Exception as error:  # a library of CUDA that is missing, mostly
        cause = error
    raise BackendUnavailableError(
        f"tensorrt_llm cannot be loaded, see that this machine has an NVIDIA GPU and its driver: {cause}"
    ) from cause


def named_parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of what differs between versions, by name."""
    return inspect.signature(function).parameters


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether it takes a keyword of that name."""
    parameters = named_parameters(function)
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())
