"""The methods, one a file, and what they are made of."""

from __future__ import annotations

from scaffolding_core.controllers.acting.react import ReActController
from scaffolding_core.controllers.acting.tool_loop import ToolLoopController
from scaffolding_core.controllers.best_of_n import BestOfNController
from scaffolding_core.controllers.chain_of_thought import ChainOfThoughtController
from scaffolding_core.controllers.field_vote import FieldVoteController
from scaffolding_core.controllers.majority_vote import MajorityVoteController
from scaffolding_core.controllers.native_chat import NativeChatController
from scaffolding_core.controllers.native_generation import NativeGenerationController
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.controllers.retry_with_feedback import RetryWithFeedbackController
from scaffolding_core.controllers.roles import part_for

__all__ = [
    "BestOfNController",
    "ChainOfThoughtController",
    "FieldVoteController",
    "MajorityVoteController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "ReActController",
    "RetryWithFeedbackController",
    "ToolLoopController",
    "part_for",
]
