"""TensorRT-LLM's scaffolding by its own names: a program runs once `tensorrt_llm.scaffolding` in its imports is
`scaffolding_core.tensorrt_llm`.

Everything here translates: methods run on the core's driver, tasks are the core's with open attributes and plain
defaults, workers are the core's with statuses. What a program does not catch is raised at its caller.
"""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.benchmark import ScaffoldingBenchRequest, async_scaffolding_benchmark
from scaffolding_core.tensorrt_llm.config import build_controller, load_controller_config, register_controller
from scaffolding_core.tensorrt_llm.controller import (
    BestOfNController,
    ChatWithMCPController,
    Controller,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    ParallelProcess,
    PRMController,
)
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope, current_scope
from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace, TraceEvent
from scaffolding_core.tensorrt_llm.math_utils import (
    extract_answer_from_boxed,
    extract_answer_with_regex,
    get_digit_majority_vote_result,
    get_majority_result,
)
from scaffolding_core.tensorrt_llm.replay import (
    QueueExecutor,
    QueueManager,
    ReplayEngine,
    ReplayGenerationStats,
)
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput, ScaffoldingResult
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import (
    AssistantMessage,
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    MCPCallTask,
    OpenAIToolDescription,
    RewardTask,
    RoleMessage,
    StreamGenerationTask,
    SystemMessage,
    Task,
    TaskStatus,
    TokenizeTask,
    ToolDescription,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.tensorrt_llm.task_collection import (
    ChatTokenCounter,
    DropKVCacheWorkerTag,
    ExecutionTracer,
    GenerationTokenCounter,
    QueryCollector,
    TaskCollection,
    TaskMetricsCollector,
    TaskTimer,
    TokenizeWorkerTag,
    drop_kv_cache_scope,
    sub_request_node,
    tokenize_trace_scope,
    with_execution_tracing,
    with_task_collection,
)
from scaffolding_core.tensorrt_llm.utils import system_prompt
from scaffolding_core.tensorrt_llm.worker import (
    ApiaryMCPWorker,
    FunctionWorker,
    LocalWorker,
    MCPWorker,
    OpenaiWorker,
    TRTLLMWorker,
    TRTOpenaiWorker,
    Worker,
)

__all__ = [
    "ApiaryMCPWorker",
    "AssistantMessage",
    "BestOfNController",
    "ChatTask",
    "ChatTokenCounter",
    "ChatWithMCPController",
    "Controller",
    "DropKVCacheTask",
    "DropKVCacheWorkerTag",
    "ExecutionScope",
    "ExecutionTrace",
    "ExecutionTracer",
    "FunctionWorker",
    "GenerationTask",
    "GenerationTokenCounter",
    "LocalWorker",
    "MCPCallTask",
    "MCPWorker",
    "MajorityVoteController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "OpenAIToolDescription",
    "OpenaiWorker",
    "PRMController",
    "ParallelProcess",
    "QueryCollector",
    "QueueExecutor",
    "QueueManager",
    "ReplayEngine",
    "ReplayGenerationStats",
    "RewardTask",
    "RoleMessage",
    "ScaffoldingBenchRequest",
    "ScaffoldingLlm",
    "ScaffoldingOutput",
    "ScaffoldingResult",
    "StreamGenerationTask",
    "SystemMessage",
    "TRTLLMWorker",
    "TRTOpenaiWorker",
    "Task",
    "TaskCollection",
    "TaskMetricsCollector",
    "TaskStatus",
    "TaskTimer",
    "TokenizeTask",
    "TokenizeWorkerTag",
    "ToolDescription",
    "ToolMessage",
    "TraceEvent",
    "UserMessage",
    "Worker",
    "async_scaffolding_benchmark",
    "build_controller",
    "current_scope",
    "drop_kv_cache_scope",
    "extract_answer_from_boxed",
    "extract_answer_with_regex",
    "get_digit_majority_vote_result",
    "get_majority_result",
    "load_controller_config",
    "register_controller",
    "sub_request_node",
    "system_prompt",
    "tokenize_trace_scope",
    "with_execution_tracing",
    "with_task_collection",
]
