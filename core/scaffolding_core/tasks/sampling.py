"""SampledTask: the sampling parameters of every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from scaffolding_core.messages import JsonObject
from scaffolding_core.tasks.task import Task

__all__ = ["SAMPLING_PARAMETERS", "SampledTask"]


@dataclass(slots=True, eq=False, repr=False)
class SampledTask(Task):
    """The sampling parameters of every backend, each None until somebody sets it.

    Names and meanings are those of OpenAI's API and of TensorRT-LLM's `SamplingParams`.
    """

    max_tokens: int | None = field(default=None, kw_only=True)
    min_tokens: int | None = field(default=None, kw_only=True)
    temperature: float | None = field(default=None, kw_only=True)
    top_p: float | None = field(default=None, kw_only=True)
    top_k: int | None = field(default=None, kw_only=True)
    min_p: float | None = field(default=None, kw_only=True)
    top_p_min: float | None = field(default=None, kw_only=True)
    top_p_decay: float | None = field(default=None, kw_only=True)
    top_p_reset_ids: int | None = field(default=None, kw_only=True)
    seed: int | None = field(default=None, kw_only=True)
    n: int | None = field(default=None, kw_only=True)
    best_of: int | None = field(default=None, kw_only=True)
    use_beam_search: bool | None = field(default=None, kw_only=True)
    beam_search_diversity_rate: float | None = field(default=None, kw_only=True)
    length_penalty: float | None = field(default=None, kw_only=True)
    early_stopping: bool | int | str | None = field(default=None, kw_only=True)
    frequency_penalty: float | None = field(default=None, kw_only=True)
    presence_penalty: float | None = field(default=None, kw_only=True)
    repetition_penalty: float | None = field(default=None, kw_only=True)
    no_repeat_ngram_size: int | None = field(default=None, kw_only=True)
    logit_bias: Mapping[str, float] | None = field(default=None, kw_only=True)
    stop: str | Sequence[str] | None = field(default=None, kw_only=True)
    stop_token_ids: Sequence[int] | None = field(default=None, kw_only=True)
    bad: str | Sequence[str] | None = field(default=None, kw_only=True)
    bad_token_ids: Sequence[int] | None = field(default=None, kw_only=True)
    include_stop_str_in_output: bool | None = field(default=None, kw_only=True)
    ignore_eos: bool | None = field(default=None, kw_only=True)
    echo: bool | None = field(default=None, kw_only=True)
    suffix: str | None = field(default=None, kw_only=True)
    num_logprobs: int | None = field(default=None, kw_only=True)
    prompt_logprobs: int | None = field(default=None, kw_only=True)
    return_context_logits: bool | None = field(default=None, kw_only=True)
    return_generation_logits: bool | None = field(default=None, kw_only=True)
    skip_tokenizer: bool | None = field(default=None, kw_only=True)
    skip_detokenizer: bool | None = field(default=None, kw_only=True)
    skip_special_tokens: bool | None = field(default=None, kw_only=True)
    spaces_between_special_tokens: bool | None = field(default=None, kw_only=True)
    add_special_tokens: bool | None = field(default=None, kw_only=True)
    truncate_prompt_tokens: int | None = field(default=None, kw_only=True)
    prompt_ignore_length: int | None = field(default=None, kw_only=True)
    reasoning_effort: str | None = field(default=None, kw_only=True)
    thinking_token_budget: int | None = field(default=None, kw_only=True)
    response_format: JsonObject | None = field(default=None, kw_only=True)
    tool_choice: str | JsonObject | None = field(default=None, kw_only=True)
    parallel_tool_calls: bool | None = field(default=None, kw_only=True)
    chat_template_kwargs: JsonObject | None = field(default=None, kw_only=True)
    lora_request: JsonObject | None = field(default=None, kw_only=True)
    cache_salt: str | None = field(default=None, kw_only=True)
    user: str | None = field(default=None, kw_only=True)
    extra_body: JsonObject | None = field(default=None, kw_only=True)


SAMPLING_PARAMETERS = frozenset(f.name for f in fields(SampledTask)) - {f.name for f in fields(Task)}
"""Names of the parameters that a caller or a controller may set on a `GenerationTask`."""
