"""What an LLM is made with."""

from dataclasses import dataclass
from typing import Any


@dataclass(kw_only=True)
class KvCacheConfig:
    enable_block_reuse: bool = True
    max_tokens: int | None = None
    free_gpu_memory_fraction: float | None = 0.9
    event_buffer_max_size: int = 0


@dataclass(kw_only=True)
class SchedulerConfig:
    capacity_scheduler_policy: str = "GUARANTEED_NO_EVICT"
    waiting_queue_policy: str = "fcfs"


@dataclass(kw_only=True)
class LlmArgs:
    """The arguments beyond those that the constructor names; any other is refused."""

    model: Any = None
    backend: str = "pytorch"
    kv_cache_config: KvCacheConfig | None = None
    max_batch_size: int | None = 2048
    max_num_tokens: int | None = 8192
    max_seq_len: int | None = 4096
    scheduler_config: SchedulerConfig | None = None
    disable_overlap_scheduler: bool = False
    enable_chunked_prefill: bool = False
    return_perf_metrics: bool = False
    perf_metrics_max_requests: int = 0
    enable_iter_perf_stats: bool = False
    num_postprocess_workers: int = 0
    stream_interval: int = 1
    reasoning_parser: str | None = None
    gather_generation_logits: bool = False
    guided_decoding_backend: str | None = None
    lora_config: Any = None
