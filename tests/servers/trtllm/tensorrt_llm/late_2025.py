"""The LLM of 1.2 rc: without trace headers, conversations, priorities and `preprocess`."""

from typing import Any

from tensorrt_llm.executor import LoRARequest
from tensorrt_llm.executor.result import RequestOutput
from tensorrt_llm.llmapi.llm import BaseLLM
from tensorrt_llm.sampling_params import SamplingParams
from tensorrt_llm.scheduling_params import SchedulingParams


class LLM(BaseLLM):
    def generate_async(
        self,
        inputs: Any,
        sampling_params: SamplingParams | None = None,
        lora_request: LoRARequest | None = None,
        prompt_adapter_request: Any = None,
        streaming: bool = False,
        kv_cache_retention_config: Any = None,
        disaggregated_params: Any = None,
        _postproc_params: Any = None,
        scheduling_params: SchedulingParams | None = None,
        cache_salt: str | None = None,
    ) -> RequestOutput:
        return self._submit(
            inputs,
            sampling_params,
            streaming,
            lora_request=lora_request,
            scheduling_params=scheduling_params,
            cache_salt=cache_salt,
        )
