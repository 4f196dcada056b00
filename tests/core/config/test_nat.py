"""Files for NVIDIA's NeMo Agent Toolkit become configurations, and what has no counterpart is said."""

import pytest

from scaffolding_core.config import Config
from scaffolding_core.config.nat import FUNCTIONS, STRATEGIES, from_nat
from scaffolding_core.config_text import tree_of
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.methods import METHODS

FILE = """
llms:
  nim: {_type: nim, model_name: llama, temperature: 0.7, max_tokens: 512}
  judge: {_type: openai, base_url: http://localhost:9/v1, model: j, api_key: sk-literal}
  cloud: {_type: aws_bedrock, model_name: c}
functions:
  agent: {_type: react_agent, llm_name: nim}
  other: {_type: react_agent, llm_name: cloud}
  best:
    _type: execute_score_select_function
    augmented_fn: agent
    num_executions: 5
    scorer: score
    selector: best_of_n
  enough: {_type: execute_score_select_function, augmented_fn: agent, scorer: score, selector: threshold}
  merged: {_type: execute_score_select_function, augmented_fn: other, selector: merge}
  plans:
    _type: plan_select_execute_function
    augmented_fn: agent
    planner: plan
    editor: edit
    scorer: score
    selector: best_of_n
  many: {_type: multi_llm_judge_function, search_strategy: several, selection_strategy: jury}
  tools: {_type: ttc_tool_orchestration, augmented_fns: [agent], selection_strategy: threshold}
ttc_strategies:
  score: {_type: llm_based_agent_scoring, scoring_llm: judge, scoring_template: x}
  best_of_n: {_type: best_of_n_selection}
  threshold: {_type: threshold_selection, threshold: 5.5}
  merge: {_type: llm_based_agent_output_merging, selection_llm: judge}
  plan: {_type: multi_llm_plan, llms: [nim, judge], plans_per_llm: 3}
  edit: {_type: motivation_aware_editing, editor_llm: nim}
  several: {_type: multi_llm_generation, llms: [nim, judge]}
  jury: {_type: llm_judge_selection, judge_llm: judge}
"""

NIM = {"url": "https://integrate.api.nvidia.com/v1", "model": "llama", "api_key": "${NVIDIA_API_KEY}"}
JUDGE = {"url": "http://localhost:9/v1", "model": "j", "api_key": "${JUDGE_API_KEY}"}
SAMPLING = {"temperature": 0.7, "max_tokens": 512}


def imported(function):
    return from_nat(tree_of(FILE, "f"), function)


def test_executions_that_are_scored_are_best_of_n():
    tree = imported("best").tree
    assert tree == {
        "model": NIM,
        "method": "best_of_n",
        "sample_num": 5,
        "reward": {"kind": "judge", "scale": 10},
        "sampling": SAMPLING,
        "roles": {"judge": JUDGE},
    }


def test_what_is_not_taken_over_is_said():
    notes = imported("best").notes
    assert any("the function 'agent' is not taken over" in note for note in notes)
    assert any("the key of 'judge' is not taken over: set JUDGE_API_KEY" in note for note in notes)
    assert any("llm_based_agent_output_merging has no counterpart" in note for note in imported("merged").notes)
    assert any("'cloud' is of the type 'aws_bedrock': set CLOUD_URL" in note for note in imported("merged").notes)


def test_a_threshold_is_a_reward_that_is_enough():
    assert imported("enough").tree["enough"] == 0.5


def test_plans_are_samples_that_plan():
    tree = imported("plans").tree
    assert (tree["sample_num"], tree["model"]) == (6, NIM)
    assert tree["generation"] == {"method": "plan_and_solve", "sampling": SAMPLING}
    assert any("motivation_aware_editing has no counterpart" in note for note in imported("plans").notes)


def test_several_llms_are_said_to_be_one_here():
    many = imported("many")
    assert (many.tree["sample_num"], many.tree["model"]) == (2, NIM)
    assert many.tree["roles"] == {"judge": JUDGE}
    assert "nim, judge answer there: here nim gives all samples" in many.notes


@pytest.mark.parametrize("function", ["best", "enough", "merged", "plans", "many"])
def test_what_comes_out_is_a_configuration(function, monkeypatch):
    for name in ("NVIDIA_API_KEY", "JUDGE_API_KEY", "CLOUD_API_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("CLOUD_URL", "http://localhost:9/v1")
    with Config(imported(function).tree).llm() as llm:
        assert llm.prototype_controller is not None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_is_known(strategy):
    text = f"""
        llms: {{a: {{_type: openai, model_name: m}}}}
        workflow: {{_type: execute_score_select_function, augmented_fn: x, {_role_of(strategy)}: s}}
        ttc_strategies: {{s: {{_type: {strategy}, scoring_llm: a, selection_llm: a, judge_llm: a, llms: [a]}}}}
    """
    tree = from_nat(tree_of(text)).tree
    assert tree["method"] in METHODS


def _role_of(strategy):
    return (
        "selector"
        if "selection" in strategy or "merging" in strategy
        else "scorer"
        if "scoring" in strategy
        else "editor"
    )


@pytest.mark.parametrize(
    ("function", "match"),
    [
        ("tools", r"^f:25:3: ttc_tool_orchestration has no counterpart"),
        ("agent", r"^f:.*name one function of test-time compute; there are: best, enough"),
        (None, "name one function of test-time compute"),
    ],
)
def test_a_function_without_a_counterpart_is_an_error(function, match):
    with pytest.raises(InvalidRequestError, match=match):
        imported(function)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (
            "selector: best_of_n\n",
            "selector: bestofn\n",
            "no strategy is named 'bestofn', did you mean",
        ),
        ("_type: best_of_n_selection", "_type: best", "no strategy is of the type 'best'"),
        ("scoring_llm: judge", "scoring_llm: jury", "no LLM is named 'jury'"),
        ("plans_per_llm: 3", "plans_per_llm: x", "a number, or the list of LLMs, of 'plan' is none"),
        ("ttc_strategies:", "ttc:", "no strategy is named"),
        ("llms:\n", "models:\n", "no LLM is named"),
    ],
)
def test_names_that_stand_for_nothing_are_told(old, new, match):
    with pytest.raises(InvalidRequestError, match=match):
        from_nat(tree_of(FILE.replace(old, new), "f"), "plans")


def test_all_that_it_has_is_known():
    assert len(STRATEGIES) == 16
    assert len(FUNCTIONS) == 5
