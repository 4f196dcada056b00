"""LLM: a model and its engine."""

import atexit
import json
import os
import weakref
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from tensorrt_llm.conversation_params import ConversationParams
from tensorrt_llm.executor import LoRARequest
from tensorrt_llm.executor.engine import Engine
from tensorrt_llm.executor.result import RequestOutput
from tensorrt_llm.llmapi.llm_args import LlmArgs
from tensorrt_llm.sampling_params import SamplingParams
from tensorrt_llm.scheduling_params import SchedulingParams
from tensorrt_llm.tokenizer import Tokenizer
from tensorrt_llm.writer import Writer

DEFAULT_REQUEST_PRIORITY: float = 0.5


@dataclass
class PreprocessedInputs:
    prompt_token_ids: list[int]
    query_token_ids: list[int] | None = None
    multimodal_params: Any = None
    encoder_input_token_ids: list[int] | None = None


class BaseLLM:
    """What both versions have in common.

    The model is a folder; what it answers stands in its `answers.json`, if anything does.
    """

    def __init__(
        self,
        model: str | Path,
        tokenizer: Any = None,
        tokenizer_mode: str = "auto",
        skip_tokenizer_init: bool = False,
        trust_remote_code: bool = False,
        tensor_parallel_size: int = 1,
        dtype: str = "auto",
        revision: str | None = None,
        tokenizer_revision: str | None = None,
        **kwargs: Any,
    ) -> None:
        for name in kwargs:
            if name not in {known.name for known in fields(LlmArgs)}:
                raise ValueError(f"{type(self).__name__} got invalid argument: {name}")
        gpus = int(os.environ.get("TRTLLM_DOUBLE_GPUS", "1"))
        if tensor_parallel_size > gpus:
            raise RuntimeError(f"Only {gpus} GPUs are available, but {tensor_parallel_size} are required.")
        if not (Path(model) / "config.json").is_file():
            raise ValueError(f"Failed to load the model {model}: it has no config.json")
        self.args = LlmArgs(model=model, **kwargs)
        answers = Path(model) / "answers.json"
        given = json.loads(answers.read_text()) if answers.is_file() else []
        self._tokenizer = None if skip_tokenizer_init else tokenizer or Tokenizer()
        self._executor: Engine | None = Engine(Tokenizer(), Writer(given), self.args)
        self.double = self._executor
        atexit.register(_shut_down, weakref.ref(self))

    @property
    def tokenizer(self) -> Any:
        return self._tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def shutdown(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()

    def __getstate__(self) -> object:
        raise RuntimeError("LLM object can not be pickled.")

    def _submit(self, inputs: Any, params: SamplingParams | None, streaming: bool, **extras: Any) -> RequestOutput:
        if self._executor is None or self._executor.is_shutdown:
            raise RuntimeError("LLM is shutting down")
        params = self._checked(params)
        tokens, prompt = self._tokens(inputs, params)
        most = self.args.max_num_tokens
        if self.args.backend == "pytorch" and not self.args.enable_chunked_prefill and most and len(tokens) > most:
            raise ValueError(
                f"The sum of prompt length ({float(len(tokens))}), query length (0) should not exceed "
                f"max_num_tokens ({most})"
            )
        assert isinstance(tokens[0], int)
        request = self._executor.submit(tokens, params, streaming, extras)
        return RequestOutput._of(request, self._executor, self._tokenizer, prompt)

    def _checked(self, params: SamplingParams | None) -> SamplingParams:
        params = SamplingParams() if params is None else params
        if not isinstance(params, SamplingParams):
            raise TypeError(f"The sampling_params must be type SamplingParams or None, but got {type(params)}")
        if params.end_id is None and self._tokenizer is None:
            raise ValueError("tokenizer is required to reset end_id if it is None")
        if self.args.backend != "pytorch" and params.logprobs and not self.args.gather_generation_logits:
            raise ValueError(
                f"`sampling_params.logprobs={params.logprobs}` requires `gather_generation_logits=True`"
            )
        if params.guided_decoding is not None and self.args.guided_decoding_backend is None:
            raise ValueError("guided decoding is not enabled")
        return params

    def _tokens(self, inputs: Any, params: SamplingParams) -> tuple[list[int], str | None]:
        if isinstance(inputs, PreprocessedInputs):
            return inputs.prompt_token_ids, None
        if isinstance(inputs, str):
            inputs = {"prompt": inputs}
        if isinstance(inputs, list):
            inputs = {"prompt_token_ids": inputs}
        if not isinstance(inputs, dict) or not inputs.keys() & {"prompt", "prompt_token_ids"}:
            raise TypeError(f"The inputs must be type str or list of int, but got {type(inputs)}")
        if "prompt_token_ids" in inputs:
            return inputs["prompt_token_ids"], None
        tokens = self._tokenizer.encode(inputs["prompt"], add_special_tokens=params.add_special_tokens)
        return tokens[-(params.truncate_prompt_tokens or 0) :], inputs["prompt"]


class LLM(BaseLLM):
    """As of mid-2026."""

    def generate_async(
        self,
        inputs: Any,
        sampling_params: SamplingParams | None = None,
        lora_request: LoRARequest | None = None,
        prompt_adapter_request: Any = None,
        streaming: bool = False,
        kv_cache_retention_config: Any = None,
        disaggregated_params: Any = None,
        trace_headers: Any = None,
        _postproc_params: Any = None,
        scheduling_params: SchedulingParams | None = None,
        conversation_params: ConversationParams | None = None,
        cache_salt: str | None = None,
        priority: float = DEFAULT_REQUEST_PRIORITY,
    ) -> RequestOutput:
        if not 0 <= priority <= 1:
            raise ValueError(f"priority must be in [0, 1], got {priority}")
        return self._submit(
            inputs,
            sampling_params,
            streaming,
            lora_request=lora_request,
            scheduling_params=scheduling_params,
            conversation_params=conversation_params,
            cache_salt=cache_salt,
            priority=priority,
        )

    def preprocess(
        self, inputs: Any, sampling_params: SamplingParams | None = None, disaggregated_params: Any = None
    ) -> PreprocessedInputs:
        return PreprocessedInputs(self._tokens(inputs, self._checked(sampling_params))[0])


def _shut_down(made: "weakref.ref[BaseLLM]") -> None:
    llm = made()
    if llm is not None:
        llm.shutdown()
