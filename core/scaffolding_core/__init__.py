"""Inference-time compute for language models: methods, backends, and what joins them.

A `Controller` is a method, a `Worker` a backend, and a `ScaffoldingLlm` runs the one on the other::

    from scaffolding_core import LocalWorker, MajorityVoteController, NativeChatController, ScaffoldingLlm

    method = MajorityVoteController(NativeChatController({"temperature": 0.8}), default_sample_num=16)
    with LocalWorker() as worker, ScaffoldingLlm(method, worker) as llm:
        print(llm.generate("What is 6 times 7?").text)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from scaffolding_core import errors
from scaffolding_core.answers import (
    Answer,
    Answers,
    Boxed,
    Equivalence,
    Exact,
    Extractor,
    FirstOf,
    FromFunction,
    FromMessage,
    Json,
    KeyEquivalence,
    LastNumber,
    Mathematical,
    Normalised,
    Numeric,
    Parsed,
    PerField,
    Reading,
    Regex,
    Stated,
    StepSplitter,
    Structure,
    ToolCalls,
    WholeText,
    default_extractor,
)
from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import CancelRace, Controller, Outcome, ParallelProcess, Race, Steps
from scaffolding_core.controllers import (
    AbMctsController,
    BanditRoutingController,
    BeamSearchController,
    BestFirstController,
    BestOfNController,
    BudgetForcingController,
    CalibratedController,
    CascadeController,
    ChainOfThoughtController,
    ChainOfVerificationController,
    Criterion,
    CritiqueReviseController,
    DebateController,
    DeepConfOfflineController,
    DeepConfOnlineController,
    DvtsController,
    DynasorController,
    FieldVoteController,
    GenSelectController,
    KnockoutController,
    LatsController,
    MajorityVoteController,
    MctsController,
    MixtureOfAgentsController,
    MultiChainComparisonController,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    PairwiseJudge,
    PanelController,
    ParticleFilteringController,
    ParticleGibbsController,
    PassJudge,
    PivotTournamentController,
    PlanAndSolveController,
    PlanSearchController,
    ReActController,
    RecursiveSelfAggregationController,
    ReflexionController,
    ReReadingController,
    RetryWithFeedbackController,
    RubricJudge,
    ScoreJudge,
    SelfRefineController,
    SemanticVoteController,
    SequentialRevisionController,
    ShortVoteController,
    StepBackController,
    ToolLoopController,
    TreeOfThoughtsController,
    TwoThenThinkController,
    UniversalVoteController,
    threshold_for,
)
from scaffolding_core.controllers.judging import CombinedReward, UnitTests, VerifiedReward
from scaffolding_core.controllers.prompting import ProgramOfThoughtController
from scaffolding_core.controllers.selecting import WeightedVoteController
from scaffolding_core.driver.budget import Budget
from scaffolding_core.driver.order import ANSWER_OPTIONS, REQUEST_OPTIONS
from scaffolding_core.driver.shared_budget import SharedBudget
from scaffolding_core.errors import *  # noqa: F403  # its __all__ is the error tree
from scaffolding_core.messages import (
    AssistantMessage,
    OpenAIToolDescription,
    RoleMessage,
    SystemMessage,
    TokenLogprob,
    ToolCall,
    ToolDescription,
    ToolMessage,
    Usage,
    UserMessage,
    message_from_dict,
)
from scaffolding_core.methods import METHODS, Method, build_method
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.results import (
    CallRecord,
    Candidate,
    CandidateEvent,
    DecisionEvent,
    Event,
    ExecutionTrace,
    FinalEvent,
    Hints,
    Judgement,
    ScaffoldingOutput,
    ScaffoldingResult,
    TokenEvent,
)
from scaffolding_core.rewards import REWARDS, RewardKind, RewardLike, Scorer, resolve_reward
from scaffolding_core.routing import Arm, Bandit
from scaffolding_core.runs import Run, Runs, current_run, per_run, workspace
from scaffolding_core.scaffolding_llm import ScaffoldingLlm, ScaffoldingStream
from scaffolding_core.tasks import (
    SAMPLING_PARAMETERS,
    ChatTask,
    CodeFailure,
    CodeTask,
    ComputeTask,
    Delta,
    GenerationTask,
    MCPCallTask,
    RewardTask,
    StreamChatTask,
    StreamGenerationTask,
    Task,
    ToolListTask,
)
from scaffolding_core.trace import Recording
from scaffolding_core.verifying import Verdict, Verifier
from scaffolding_core.voting import Beta, Dirichlet, Doubling, Full, Lossless, Quorum, StopRule, Window
from scaffolding_core.worker import Worker
from scaffolding_core.workers.function import FunctionWorker
from scaffolding_core.workers.named import WorkerLike
from scaffolding_core.workers.recording import RecordingWorker
from scaffolding_core.workers.replay import ReplayWorker
from scaffolding_core.workers.runs import RunsWorker
from scaffolding_core.workers.simulated import SimulatedWorker
from scaffolding_core.workers.wrapping import WrappingWorker

if TYPE_CHECKING:
    from scaffolding_core.config import Config
    from scaffolding_core.workers.code import CodeWorker
    from scaffolding_core.workers.cross_encoder import CrossEncoderWorker
    from scaffolding_core.workers.local import LocalWorker, shared_local_worker
    from scaffolding_core.workers.mcp import MCPWorker
    from scaffolding_core.workers.openai import OpenAIWorker
    from scaffolding_core.workers.pool import WorkerPool
    from scaffolding_core.workers.process_reward import ProcessRewardWorker
    from scaffolding_core.workers.reward_model import RewardModelWorker
    from scaffolding_core.workers.tools import FunctionTool, ToolsWorker
    from scaffolding_core.workers.trtllm import TRTLLMWorker

_LAZY = {
    "CodeWorker": ("workers.code", "CodeWorker"),
    "Config": ("config", "Config"),
    "LocalWorker": ("workers.local", "LocalWorker"),
    "MCPWorker": ("workers.mcp", "MCPWorker"),
    "OpenAIWorker": ("workers.openai", "OpenAIWorker"),
    "ToolsWorker": ("workers.tools", "ToolsWorker"),
    "FunctionTool": ("workers.tools", "FunctionTool"),
    "CrossEncoderWorker": ("workers.cross_encoder", "CrossEncoderWorker"),
    "ProcessRewardWorker": ("workers.process_reward", "ProcessRewardWorker"),
    "RewardModelWorker": ("workers.reward_model", "RewardModelWorker"),
    "WorkerPool": ("workers.pool", "WorkerPool"),
    "TRTLLMWorker": ("workers.trtllm", "TRTLLMWorker"),
    "shared_local_worker": ("workers.local", "shared_local_worker"),
}
"""What needs an HTTP client or pydantic, whose import takes longer than all the rest."""

_MOVED = (
    "GenerationTokenCounter",
    "OpenaiWorker",
    "TRTOpenaiWorker",
    "TaskCollection",
    "TaskStatus",
    "extract_answer_from_boxed",
    "extract_answer_with_regex",
    "get_digit_majority_vote_result",
    "with_task_collection",
)
"""What programs written for TensorRT-LLM use, and `scaffolding_core.tensorrt_llm` has."""

__all__ = [
    "ANSWER_OPTIONS",
    "METHODS",
    "REQUEST_OPTIONS",
    "REWARDS",
    "SAMPLING_PARAMETERS",
    "AbMctsController",
    "Answer",
    "Answers",
    "Arm",
    "AssistantMessage",
    "Bandit",
    "BanditRoutingController",
    "BeamSearchController",
    "BestFirstController",
    "BestOfNController",
    "Beta",
    "Boxed",
    "Budget",
    "BudgetForcingController",
    "CalibratedController",
    "CallRecord",
    "CancelRace",
    "Candidate",
    "CandidateEvent",
    "Capabilities",
    "CascadeController",
    "ChainOfThoughtController",
    "ChainOfVerificationController",
    "ChatTask",
    "CodeFailure",
    "CodeTask",
    "CodeWorker",
    "CombinedReward",
    "ComputeTask",
    "Config",
    "Controller",
    "Criterion",
    "CritiqueReviseController",
    "CrossEncoderWorker",
    "DebateController",
    "DecisionEvent",
    "DeepConfOfflineController",
    "DeepConfOnlineController",
    "Delta",
    "Dirichlet",
    "Doubling",
    "DvtsController",
    "DynasorController",
    "Equivalence",
    "Event",
    "Exact",
    "ExecutionTrace",
    "Extractor",
    "FieldVoteController",
    "FinalEvent",
    "FirstOf",
    "FromFunction",
    "FromMessage",
    "Full",
    "FunctionTool",
    "FunctionWorker",
    "GenSelectController",
    "GenerationTask",
    "Hints",
    "Json",
    "Judgement",
    "KeyEquivalence",
    "KnockoutController",
    "LastNumber",
    "LatsController",
    "LocalWorker",
    "Lossless",
    "MCPCallTask",
    "MCPWorker",
    "MajorityVoteController",
    "Mathematical",
    "MctsController",
    "Method",
    "MixtureOfAgentsController",
    "ModelInfo",
    "MultiChainComparisonController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "Normalised",
    "Numeric",
    "OpenAIToolDescription",
    "OpenAIWorker",
    "Outcome",
    "PairwiseJudge",
    "PanelController",
    "ParallelProcess",
    "Parsed",
    "ParticleFilteringController",
    "ParticleGibbsController",
    "PassJudge",
    "PerField",
    "PivotTournamentController",
    "PlanAndSolveController",
    "PlanSearchController",
    "ProcessRewardWorker",
    "ProgramOfThoughtController",
    "Quorum",
    "Race",
    "ReActController",
    "ReReadingController",
    "Reading",
    "Recording",
    "RecordingWorker",
    "RecursiveSelfAggregationController",
    "ReflexionController",
    "Regex",
    "ReplayWorker",
    "RetryWithFeedbackController",
    "RewardKind",
    "RewardLike",
    "RewardModelWorker",
    "RewardTask",
    "RoleMessage",
    "RubricJudge",
    "Run",
    "Runs",
    "RunsWorker",
    "ScaffoldingLlm",
    "ScaffoldingOutput",
    "ScaffoldingResult",
    "ScaffoldingStream",
    "ScoreJudge",
    "Scorer",
    "SelfRefineController",
    "SemanticVoteController",
    "SequentialRevisionController",
    "SharedBudget",
    "ShortVoteController",
    "SimulatedWorker",
    "Stated",
    "StepBackController",
    "StepSplitter",
    "Steps",
    "StopRule",
    "StreamChatTask",
    "StreamGenerationTask",
    "Structure",
    "SystemMessage",
    "TRTLLMWorker",
    "Task",
    "TokenEvent",
    "TokenLogprob",
    "ToolCall",
    "ToolCalls",
    "ToolDescription",
    "ToolListTask",
    "ToolLoopController",
    "ToolMessage",
    "ToolsWorker",
    "TreeOfThoughtsController",
    "TwoThenThinkController",
    "UnitTests",
    "UniversalVoteController",
    "Usage",
    "UserMessage",
    "Verdict",
    "VerifiedReward",
    "Verifier",
    "WeightedVoteController",
    "WholeText",
    "Window",
    "Worker",
    "WorkerLike",
    "WorkerPool",
    "WrappingWorker",
    "build_method",
    "current_run",
    "default_extractor",
    "message_from_dict",
    "per_run",
    "resolve_reward",
    "shared_local_worker",
    "threshold_for",
    "workspace",
]
__all__ += errors.__all__


def __getattr__(name: str) -> object:
    if name in _MOVED:
        raise ImportError(f"{name} is in scaffolding_core.tensorrt_llm: import it from there", name=__name__)
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
