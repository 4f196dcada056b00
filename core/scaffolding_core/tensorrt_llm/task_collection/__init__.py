"""Task collections: watch what controllers do, without touching the controllers."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.task_collection.chat_token_counter import ChatTokenCounter
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.drop_kv_cache_scope import (
    ChatCollection,
    DropKVCacheWorkerTag,
    drop_kv_cache_scope,
)
from scaffolding_core.tensorrt_llm.task_collection.execution_tracer import ExecutionTracer, with_execution_tracing
from scaffolding_core.tensorrt_llm.task_collection.generation_token_counter import GenerationTokenCounter
from scaffolding_core.tensorrt_llm.task_collection.query_collector import QueryCollector
from scaffolding_core.tensorrt_llm.task_collection.sub_request_marker import SubRequestMarker, sub_request_node
from scaffolding_core.tensorrt_llm.task_collection.task_metrics_collector import TaskMetricsCollector
from scaffolding_core.tensorrt_llm.task_collection.task_timer import TaskTimer
from scaffolding_core.tensorrt_llm.task_collection.tokenize_trace_scope import (
    TokenizeWorkerTag,
    tokenize_trace_scope,
)
from scaffolding_core.tensorrt_llm.task_collection.with_task_collection import with_task_collection

__all__ = [
    "ChatCollection",
    "ChatTokenCounter",
    "DropKVCacheWorkerTag",
    "ExecutionTracer",
    "GenerationTokenCounter",
    "QueryCollector",
    "SubRequestMarker",
    "TaskCollection",
    "TaskMetricsCollector",
    "TaskTimer",
    "TokenizeWorkerTag",
    "drop_kv_cache_scope",
    "sub_request_node",
    "tokenize_trace_scope",
    "with_execution_tracing",
    "with_task_collection",
]
