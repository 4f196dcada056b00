"""What a task asks the engine for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scaffolding_core.errors import UnsupportedParameterError
from scaffolding_core.results import Hints
from scaffolding_core.tasks import ChatTask, GenerationTask
from scaffolding_core.workers.greedy import is_greedy
from scaffolding_core.workers.trtllm.extras import request_extras
from scaffolding_core.workers.trtllm.hints import request_hints
from scaffolding_core.workers.trtllm.llm_api import Llm, Tokenizer
from scaffolding_core.workers.trtllm.parsers import Parsers
from scaffolding_core.workers.trtllm.prompts import Prompts, check_prompt
from scaffolding_core.workers.trtllm.sampling import sampling_params, sampling_values
from scaffolding_core.workers.trtllm.tool_choice import offered_tools

__all__ = ["Asked", "Asking"]


# Any, in this file: as SamplingParams and generate_async take them.
@dataclass(frozen=True)
class Asked:
    """What a request asks for.

    Args:
        values: sampling parameters, in plain data.
        extras: further keywords of `generate_async`.
        hints: what they tell besides what is asked.
        prepare: makes the inputs and the `SamplingParams` for so many answers; it is to be called in a thread.
        streamed: the answer is read as it is written; else whole.
        shared_as: siblings with the same text may be answered with one request; None for one of its own.
    """

    values: Mapping[str, Any]
    extras: Mapping[str, Any]
    hints: Hints
    prepare: Callable[[int], tuple[object, Any]]
    streamed: bool
    shared_as: str | None


class Asking:
    """Says what tasks ask for.

    Args:
        llm: that they ask.
        tokenizer: of its model; None where there is none.
        parsers: of the model's answers.
    """

    def __init__(self, llm: Llm, tokenizer: Tokenizer | None, parsers: Parsers) -> None:
        self._llm = llm
        self._tokenizer = tokenizer
        self._prompts = Prompts(llm, tokenizer)
        self._parsers = parsers

    def asked(self, task: GenerationTask) -> Asked:
        """What a task asks for.

        Raises:
            InvalidRequestError: what makes no sense, or this LLM does not take.
            MissingExtraError: TensorRT-LLM is not installed.
        """
        check_prompt(task)
        values = sampling_values(task)
        self._check_made_for(task, values)
        if self._parsers.needs_special_tokens(task):
            values.setdefault("skip_special_tokens", False)
        streamed = _is_followed(task)
        alone = streamed or task.group is None or task.seed is not None or task.use_beam_search
        # Of several answers, the first that meets a stop text ends all, and only the last loses its stop token.
        stops = bool(task.stop or task.stop_token_ids)
        shares = not alone and not stops and not is_greedy(values)
        told, hints = request_hints(self._llm, task)
        return Asked(
            values,
            {**request_extras(self._llm, task), **told},
            hints,
            lambda n: self._prepared(task, values, n),
            streamed,
            _described(task, values) if shares else None,
        )

    def _prepared(self, task: GenerationTask, values: Mapping[str, Any], n: int) -> tuple[object, Any]:
        params = sampling_params(values, n, getattr(self._tokenizer, "vocab_size", None))
        if getattr(self._llm, "tokenizer", None) is None and self._tokenizer is not None:
            params.end_id = getattr(self._tokenizer, "eos_token_id", None)
            params.pad_id = getattr(self._tokenizer, "pad_token_id", None) or params.end_id
        return self._prompts.prepared(task, params), params

    def _check_made_for(self, task: GenerationTask, values: Mapping[str, Any]) -> None:
        """Refuse what this LLM was not made for."""
        if isinstance(task, ChatTask) and offered_tools(task) and not self._parsers.takes_tools:
            raise UnsupportedParameterError(
                "TRTLLMWorker takes tools only if it can read the model's calls: make it with tool_parser=, ask "
                "for a structure with method='json_schema', or take trtllm-serve"
            )
        args = getattr(self._llm, "args", None)
        if values.get("guided_decoding") and getattr(args, "guided_decoding_backend", "unknown") is None:
            raise UnsupportedParameterError(
                "this LLM takes no 'response_format': make it with guided_decoding_backend='xgrammar'"
            )


def _is_followed(task: GenerationTask) -> bool:
    """Whether somebody needs the answer while it is written."""
    scope = task.scope
    return task.goes_on or (scope is not None and (scope.listening or getattr(scope, "counts_tokens", True)))


def _described(task: GenerationTask, values: Mapping[str, Any]) -> str:
    """What a task asks for, as a text."""
    asked: list[object] = [task.input_str, task.input_tokens, task.skip_tokenizer, task.chat_template_kwargs]
    asked += [values, task.cache_salt, task.lora_request]
    if isinstance(task, ChatTask):
        asked += [task.messages_to_dict_content(), task.tools_to_dict(), task.tool_choice]
        asked += [task.parallel_tool_calls]
    return json.dumps(asked, sort_keys=True, default=repr)
