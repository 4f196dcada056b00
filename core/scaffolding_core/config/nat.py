"""Configurations out of the test-time compute of NVIDIA's NeMo Agent Toolkit (its `ttc_strategies`)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FUNCTIONS", "STRATEGIES", "Imported", "from_nat"]

_SCALE = 10
"""Scores of its judges go from 1 to this."""

_SCORED = "a judge's score"

STRATEGIES: Mapping[str, str | None] = {
    # Search.
    "multi_llm_generation": "samples of best_of_n or gen_select",
    "single_shot_multi_plan": "samples of plan_and_solve",
    "multi_llm_plan": "samples of plan_and_solve",
    "multi_query_retrieval_search": None,
    # Editing.
    "llm_as_a_judge_editor": "critique_revise",
    "iterative_plan_refinement": "self_refine",
    "motivation_aware_editing": None,
    # Scoring.
    "llm_based_agent_scoring": _SCORED,
    "llm_based_plan_scoring": _SCORED,
    "motivation_aware_scoring": _SCORED,
    # Selection.
    "best_of_n_selection": "best_of_n",
    "llm_judge_selection": "gen_select",
    "llm_based_plan_selection": "gen_select",
    "llm_based_agent_output_selection": "universal_self_consistency",
    "llm_based_agent_output_merging": None,
    "threshold_selection": "enough of best_of_n",
}
"""Its strategies, and what stands for each here; None for nothing."""

FUNCTIONS = (
    "execute_score_select_function",
    "multi_llm_judge_function",
    "plan_select_execute_function",
    "ttc_tool_orchestration",
    "ttc_tool_wrapper",
)
"""Its functions that use them."""
