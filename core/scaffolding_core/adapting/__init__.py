"""What an adapter is made of; beside the public names, all of the core that it may import."""

from __future__ import annotations

from scaffolding_core.adapting.backend import Backend
from scaffolding_core.adapting.backends import Backends, Closable
from scaffolding_core.adapting.blocking_or_async import call_function, read_either, run_either
from scaffolding_core.adapting.call import Call
from scaffolding_core.adapting.checks import check_method, checked_answers
from scaffolding_core.adapting.engines import engine_worker
from scaffolding_core.adapting.keywords import as_asked, split
from scaffolding_core.adapting.own_server import server_settings, server_worker
from scaffolding_core.adapting.plain_data import candidate_data, result_data
from scaffolding_core.adapting.shown_events import ShownEvents
from scaffolding_core.answers import (
    Acceptance,
    AnswersLike,
    Classes,
    KnownTools,
    ReadArguments,
    Tools,
    as_written,
    read_as_type,
    read_by_schema,
    tools_of,
)
from scaffolding_core.answers.code import Code
from scaffolding_core.answers.json_text import read_arguments, read_json
from scaffolding_core.answers.model_values import model_values
from scaffolding_core.answers.tool_calls import Calls
from scaffolding_core.controllers.roles import SCORING_ROLES
from scaffolding_core.controllers.samples import checked_sample_num
from scaffolding_core.driver import computing
from scaffolding_core.driver.request import current_request
from scaffolding_core.messages import JsonObject
from scaffolding_core.messages.tools import lawful_name
from scaffolding_core.rewards import RewardLike, converted_reward
from scaffolding_core.runs import current_runs, in_run_of
from scaffolding_core.threads import on_abandoned, run_in_thread
from scaffolding_core.worker import TaskHandler, around_calls, before_sending
from scaffolding_core.workers.named import named_worker
from scaffolding_core.workers.reward import RewardFunction, check_reward_function, prompt_text
from scaffolding_core.workers.tools import ToolAnswer, ToolSource, tool_source
from scaffolding_core.workers.tools.fitting import fitted

__all__ = [
    "SCORING_ROLES",
    "Acceptance",
    "AnswersLike",
    "Backend",
    "Backends",
    "Call",
    "Calls",
    "Classes",
    "Closable",
    "Code",
    "JsonObject",
    "KnownTools",
    "ReadArguments",
    "RewardFunction",
    "RewardLike",
    "ShownEvents",
    "TaskHandler",
    "ToolAnswer",
    "ToolSource",
    "Tools",
    "around_calls",
    "as_asked",
    "as_written",
    "before_sending",
    "call_function",
    "candidate_data",
    "check_method",
    "check_reward_function",
    "checked_answers",
    "checked_sample_num",
    "computing",
    "converted_reward",
    "current_request",
    "current_runs",
    "engine_worker",
    "fitted",
    "in_run_of",
    "lawful_name",
    "model_values",
    "named_worker",
    "on_abandoned",
    "prompt_text",
    "read_arguments",
    "read_as_type",
    "read_by_schema",
    "read_either",
    "read_json",
    "result_data",
    "run_either",
    "run_in_thread",
    "server_settings",
    "server_worker",
    "split",
    "tool_source",
    "tools_of",
]
