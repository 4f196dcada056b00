"""Configurations out of files for NVIDIA's NeMo Agent Toolkit, whose test-time compute is in `ttc_strategies`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scaffolding_core.config_text import Tree, Where, near_miss
from scaffolding_core.methods import METHODS

__all__ = ["FUNCTIONS", "STRATEGIES", "Imported", "from_nat"]

STRATEGIES: Mapping[str, str] = {
    "multi_llm_generation": "samples",
    "single_shot_multi_plan": "samples of plan_and_solve",
    "multi_llm_plan": "samples of plan_and_solve",
    "multi_query_retrieval_search": "",
    "llm_as_a_judge_editor": "critique_revise",
    "iterative_plan_refinement": "self_refine",
    "motivation_aware_editing": "",
    "llm_based_agent_scoring": "judge",
    "llm_based_plan_scoring": "judge",
    "motivation_aware_scoring": "judge",
    "best_of_n_selection": "best_of_n",
    "llm_judge_selection": "gen_select",
    "llm_based_plan_selection": "gen_select",
    "llm_based_agent_output_selection": "universal_self_consistency",
    "llm_based_agent_output_merging": "",
    "threshold_selection": "best_of_n",
}
"""Its strategies, by their `_type`, and what stands for each here; empty for nothing."""

FUNCTIONS = (
    "execute_score_select_function",
    "multi_llm_judge_function",
    "plan_select_execute_function",
    "ttc_tool_orchestration",
    "ttc_tool_wrapper",
)
"""Its functions that use them, by their `_type`."""

_SERVERS: Mapping[str, tuple[str, str]] = {
    "openai": ("https://api.openai.com/v1", "${OPENAI_API_KEY}"),
    "nim": ("https://integrate.api.nvidia.com/v1", "${NVIDIA_API_KEY}"),
}
"""Address and key of its kinds of LLM, where the file has none."""

_SAMPLING = ("temperature", "top_p", "max_tokens")
_MOST = 10
"""The highest score of its judges; the lowest is 1."""

_COUNTS = ("num_plans", "plans_per_llm", "num_iterations")

_ROLES = ("planner", "search_strategy", "editor", "scorer", "selector", "selection_strategy")
"""Where a function names a strategy."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A configuration out of a file for NeMo Agent Toolkit.

    Attributes:
        tree: what a file would hold.
        notes: what has no counterpart, or another one than it seems, a sentence each.
    """

    tree: dict[str, Any]  # Any: texts, numbers and mappings
    notes: list[str] = field(default_factory=list)


def from_nat(file: Tree, function: str | None = None) -> Imported:
    """The configuration that does what a function of test-time compute does, as nearly as there is one.

    Args:
        file: of NeMo Agent Toolkit.
        function: its name among the `functions`, or `workflow`; None takes the only one, or the workflow.

    Raises:
        InvalidRequestError: no such function, none that has a counterpart, or a name that stands for nothing.
    """
    return _Import(file).of(function)


class _Import:
    def __init__(self, file: Tree) -> None:
        self._top = Where(file)
        self._file = self._top.mapping(file.data, "a file of NeMo Agent Toolkit")
        self._notes: list[str] = []
        self._roles: dict[str, Any] = {}

    def of(self, name: str | None) -> Imported:
        where, function = self._function(name)
        kind = function["_type"]
        if kind not in FUNCTIONS[:3]:
            raise where.error(f"{kind} has no counterpart: tool_loop and react call tools, one answer at a time")
        used = {role: self._strategy(function[role], where / role) for role in _ROLES if function.get(role)}
        samples = self._samples(used.get("planner") or used.get("search_strategy"), function)
        tree = {**self._method(used), "sample_num": samples}
        if kind == "plan_select_execute_function":
            self._notes.append(
                "there one plan is chosen and carried out: here each is, and the answers are chosen"
            )
            tree["generation"] = self._edited(used.get("editor"))
        model = self._generating(function, used)
        if model is None:
            self._notes.append("the file does not say which LLM answers: name it in model")
        else:
            innermost = tree
            while "generation" in innermost:
                innermost = innermost["generation"]
            innermost |= self._sampling(model)
            tree = {"model": self._worker(model), **tree}
        if self._roles:
            tree["roles"] = self._roles
        return Imported(tree, self._notes)

    def _function(self, name: str | None) -> tuple[Where, dict[str, Any]]:
        """The function that is asked for, and where it is written."""
        functions: dict[str, Any] = self._section("functions")
        places = {key: self._top / "functions" / key for key in functions}
        functions["workflow"], places["workflow"] = self._file.get("workflow"), self._top / "workflow"
        known = {key: each for key, each in functions.items() if isinstance(each, Mapping)}
        found = [key for key, each in known.items() if each.get("_type") in FUNCTIONS]
        chosen = name or ("workflow" if "workflow" in found else next(iter(found), ""))
        if chosen not in found or (name is None and chosen != "workflow" and len(found) > 1):
            raise self._top.error(f"name one function of test-time compute{near_miss(chosen, found)}")
        return places[chosen], dict(functions[chosen])

    def _method(self, used: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """The method, with the judge that it asks."""
        selector = used.get("selector") or used.get("selection_strategy") or {"_type": "best_of_n_selection"}
        scorer = used.get("scorer")
        method = self._counterpart(selector) or "best_of_n"
        if method != "best_of_n":
            self._judge(selector)
            if scorer is not None:
                self._notes.append(f"{scorer['_type']} scores for a selection that needs no scores here: left out")
            return {"method": method}
        self._judge({**selector, **(scorer or {})})
        if scorer is None:
            self._notes.append("nothing scores there: here a judge does")
        tree: dict[str, Any] = {"method": method, "reward": {"kind": "judge", "scale": _MOST}}
        if selector["_type"] == "threshold_selection":
            tree["enough"] = round((float(selector.get("threshold", 5.0)) - 1) / (_MOST - 1), 4)
            self._notes.append("threshold_selection keeps all above it: here the first to reach it wins")
        return tree

    def _edited(self, editor: Mapping[str, Any] | None) -> dict[str, Any]:
        """What each sample is: a plan and its answer, which an editor may revise."""
        planned = {"method": "plan_and_solve"}
        counterpart = None if editor is None else self._counterpart(editor)
        if editor is None or counterpart is None:
            return planned
        return {"method": counterpart, "max_rounds": editor.get("num_iterations", 1), "generation": planned}

    def _counterpart(self, strategy: Mapping[str, Any]) -> str | None:
        """The method that stands for a strategy; None, with a note, where none does."""
        kind = strategy["_type"]
        for template in (key for key in strategy if key.endswith("_template")):
            self._notes.append(f"{template} of {kind} is not taken over: the methods have prompts of their own")
        if STRATEGIES[kind] in METHODS:
            return STRATEGIES[kind]
        self._notes.append(f"{kind} has no counterpart: left out")
        return None

    def _strategy(self, name: object, where: Where) -> dict[str, Any]:
        named = self._section("ttc_strategies")
        if name not in named:
            raise where.error(f"no strategy is named {name!r}{near_miss(name, named)}")
        at = self._top / "ttc_strategies" / name
        strategy: dict[str, Any] = at.mapping(named[str(name)], "a strategy")
        if strategy.get("_type") not in STRATEGIES:
            raise at.error(f"no strategy is of the type {strategy.get('_type')!r}{near_miss('', STRATEGIES)}")
        counts = [strategy.get(key, 1) for key in _COUNTS] + [strategy.get("threshold", 1)]
        if not all(isinstance(each, int | float) for each in counts) or not isinstance(
            strategy.get("llms", []), list
        ):
            raise at.error(f"a number, or the list of LLMs, of {name!r} is none")
        return strategy

    def _samples(self, planner: Mapping[str, Any] | None, function: Mapping[str, Any]) -> object:
        """How many answers are chosen from."""
        if planner is None:
            return function.get("num_executions", 3)
        if planner["_type"] == "single_shot_multi_plan":
            return planner.get("num_plans", 4)
        each = planner.get("plans_per_llm", 2) if planner["_type"] == "multi_llm_plan" else 1
        return each * max(1, len(planner.get("llms", [])))

    def _generating(self, function: Mapping[str, Any], used: Mapping[str, Mapping[str, Any]]) -> str | None:
        """The name of the LLM that answers."""
        for strategy in used.values():
            if llms := strategy.get("llms"):
                if len(llms) > 1:
                    self._notes.append(
                        f"{', '.join(map(str, llms))} answer there: here {llms[0]} gives all samples"
                    )
                return str(llms[0])
            if planning := strategy.get("planning_llm"):
                return str(planning)
        name = str(function.get("augmented_fn"))
        self._notes.append(f"the function {name!r} is not taken over: its LLM is asked itself")
        augmented = self._section("functions").get(name)
        named = (augmented.get("llm_name") or augmented.get("llm")) if isinstance(augmented, Mapping) else None
        return None if named is None else str(named)

    def _judge(self, strategy: Mapping[str, Any]) -> None:
        named = next(
            (strategy[key] for key in ("scoring_llm", "judge_llm", "selection_llm") if key in strategy), None
        )
        if named is not None:
            self._roles["judge"] = self._worker(str(named))

    def _worker(self, name: str) -> dict[str, Any]:
        """The server of one of its LLMs."""
        llm = self._llm(name)
        url, key = _SERVERS.get(
            str(llm.get("_type")), (f"${{{name.upper()}_URL}}", f"${{{name.upper()}_API_KEY}}")
        )
        if llm.get("_type") not in _SERVERS:
            self._notes.append(
                f"the LLM {name!r} is of the type {llm.get('_type')!r}: set {url[2:-1]} to a server's"
            )
        given = str(llm.get("api_key") or key)
        if not given.startswith("${"):
            given = f"${{{name.upper()}_API_KEY}}"
            self._notes.append(f"the key of {name!r} is not taken over: set {given[2:-1]} in the environment")
        model = llm.get("model_name") or llm.get("model")
        return {"url": llm.get("base_url") or url, "model": model, "api_key": given}

    def _sampling(self, name: str) -> dict[str, Any]:
        sampling = {key: value for key, value in self._llm(name).items() if key in _SAMPLING and value is not None}
        return {"sampling": sampling} if sampling else {}

    def _llm(self, name: str) -> dict[str, Any]:
        named, where = self._section("llms"), self._top / "llms"
        if name not in named:
            raise where.error(f"no LLM is named {name!r}{near_miss(name, named)}")
        return (where / name).mapping(named[name], "an LLM")

    def _section(self, name: str) -> dict[str, Any]:
        return (self._top / name).mapping(self._file.get(name) or {}, name)
