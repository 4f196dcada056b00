"""Which sampling parameters a server takes beyond OpenAI's, and by what name."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DYNAMO_PARAMETERS", "LLAMA_CPP_PARAMETERS", "TRTLLM_PARAMETERS", "VLLM_PARAMETERS"]


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


DYNAMO_PARAMETERS: Mapping[str, str] = _same("top_k", "min_p", "repetition_penalty", "ignore_eos", "min_tokens")
"""What the frontend of NVIDIA Dynamo takes."""

LLAMA_CPP_PARAMETERS: Mapping[str, str] = {
    **_same("top_k", "min_p", "ignore_eos", "chat_template_kwargs"),
    "repetition_penalty": "repeat_penalty",
}
"""What llama.cpp's server takes."""

VLLM_PARAMETERS: Mapping[str, str] = _same(
    "top_k", "min_p", "repetition_penalty", "length_penalty", "stop_token_ids", "include_stop_str_in_output",
    "ignore_eos", "min_tokens", "skip_special_tokens", "spaces_between_special_tokens", "add_special_tokens",
    "truncate_prompt_tokens", "prompt_logprobs", "chat_template_kwargs", "cache_salt", "response_format",
)  # fmt: skip
"""What vLLM takes."""

TRTLLM_PARAMETERS: Mapping[str, str] = {
    **_same(
        "top_k", "top_p_min", "min_p", "repetition_penalty", "length_penalty", "early_stopping", "stop_token_ids",
        "include_stop_str_in_output", "ignore_eos", "min_tokens", "skip_special_tokens",
        "spaces_between_special_tokens", "add_special_tokens", "truncate_prompt_tokens", "lora_request",
        "use_beam_search", "best_of", "prompt_ignore_length", "thinking_token_budget", "return_context_logits",
        "chat_template_kwargs", "cache_salt", "response_format",
    ),
    "skip_detokenizer": "detokenize",  # which is its opposite
}  # fmt: skip
"""What trtllm-serve takes; it answers 400 to any other."""
