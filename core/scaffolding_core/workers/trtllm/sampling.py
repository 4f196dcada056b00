"""The sampling parameters of a task, as `SamplingParams` has them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from scaffolding_core.errors import InvalidRequestError, UnsupportedParameterError
from scaffolding_core.tasks import ChatTask, GenerationTask
from scaffolding_core.workers.greedy import is_greedy
from scaffolding_core.workers.trtllm.checked import checked, whole
from scaffolding_core.workers.trtllm.guides import guide
from scaffolding_core.workers.trtllm.llm_api import found, takes

__all__ = ["sampling_params", "sampling_values"]

_DEFAULTS: Mapping[str, object] = {"temperature": 1.0, "top_p": 1.0, "max_tokens": None}
"""As trtllm-serve has them; in process TensorRT-LLM would take the likeliest 32 tokens."""

_ELSEWHERE = frozenset({"skip_tokenizer", "cache_salt", "lora_request"})
"""What is part of the prompt or of the request."""

_NEUTRAL: Mapping[str, object] = {"n": 1, "best_of": 1, "echo": False}
"""Values that ask for nothing."""

_OF_CHATS = frozenset({"chat_template_kwargs", "parallel_tool_calls", "tool_choice"})
_SAMPLED_HERE = frozenset({"n", "best_of"})
_INSTEAD = {
    "echo": "put the prompt in front yourself",
    "extra_body": "it is for servers",
    "prompt_logprobs": "ask for return_context_logits",
    "reasoning_effort": "say it in chat_template_kwargs, if the model's template has a place for it",
    "user": "there is nobody to tell",
}


def sampling_values(task: GenerationTask) -> dict[str, Any]:  # Any: as SamplingParams takes them
    """The arguments of `SamplingParams` for one answer, in plain data.

    Raises:
        UnsupportedParameterError: a parameter is set that would not be honoured.
        InvalidRequestError: a value that makes no sense.
        MissingExtraError: TensorRT-LLM is not installed.
    """
    params = found("SamplingParams")
    chat = isinstance(task, ChatTask)
    values: dict[str, Any] = {**_DEFAULTS, "add_special_tokens": not chat}  # the template has put them in
    for name, value in task.sampling().items():
        if name in _ELSEWHERE or (name in _OF_CHATS and chat) or _NEUTRAL.get(name) == value:
            continue
        if name == "num_logprobs":
            values["logprobs"] = max(1, whole(name, value))
        elif name == "skip_detokenizer":
            values["detokenize"] = not value
        elif name == "response_format":
            values["guided_decoding"] = guide(value)
        elif name == "logit_bias":
            values["embedding_bias"] = _biases(value)
        elif name not in _SAMPLED_HERE and name not in _INSTEAD and takes(params, name):
            values[name] = checked(name, value)
        else:
            raise UnsupportedParameterError(_unsupported(name))
    return values


def sampling_params(values: Mapping[str, Any], n: int, vocabulary: int | None) -> Any:  # Any: SamplingParams
    """The `SamplingParams` for so many answers.

    Args:
        values: as `sampling_values` gives them.
        n: answers.
        vocabulary: tokens that the model knows; None if nobody told.

    Raises:
        InvalidRequestError: TensorRT-LLM refuses a value.
    """
    given = {name: value for name, value in values.items() if value is not None or name in _DEFAULTS}
    if given.get("guided_decoding"):
        given["guided_decoding"] = found("GuidedDecodingParams")(**given["guided_decoding"])
    if "embedding_bias" in given:
        given["embedding_bias"] = _spread(given["embedding_bias"], vocabulary)
    if "seed" not in given and not is_greedy(given):
        given["seed"] = random.getrandbits(32)  # the engine's own is 0, with which samples may be alike
    try:
        return found("SamplingParams")(n=n, **given)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"TensorRT-LLM does not take the sampling parameters: {error}") from error


def _biases(given: object) -> dict[int, float]:
    try:
        return {int(token): float(bias) for token, bias in dict(given).items()}  # type: ignore[call-overload]  # tried
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"logit_bias must map token ids to numbers, got {given!r}") from error


def _spread(biases: Mapping[int, float], vocabulary: int | None) -> list[float]:
    """A bias for each token that the model knows."""
    if vocabulary is None:
        raise UnsupportedParameterError(
            "logit_bias needs a tokenizer that tells its vocab_size: give the worker one"
        )
    if not all(0 <= token < vocabulary for token in biases):
        raise InvalidRequestError(f"logit_bias names a token that the model does not have: it knows {vocabulary}")
    return [biases.get(token, 0.0) for token in range(vocabulary)]


def _unsupported(name: str) -> str:
    if name in _SAMPLED_HERE:
        return (
            f"TRTLLMWorker does not take {name!r}: sample with MajorityVoteController or BestOfNController instead"
        )
    if name in _OF_CHATS:
        return f"TRTLLMWorker takes {name!r} only with a chat: leave it out here"
    if name in _INSTEAD:
        return f"TRTLLMWorker does not take {name!r}: {_INSTEAD[name]}"
    return f"TRTLLMWorker does not take {name!r}, this TensorRT-LLM has no such parameter: leave it out"
