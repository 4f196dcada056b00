"""ToolLoopController: turns, calls, limits, and calls that run once however many samples make them."""

import asyncio
import json
import re
from collections import Counter

import pytest

from scaffolding_core import (
    AssistantMessage,
    Budget,
    BudgetExceededError,
    ClosedError,
    FunctionTool,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    ScaffoldingLlm,
    ToolCall,
    ToolDescription,
    ToolLoopController,
    ToolsWorker,
    UserMessage,
    WorkerError,
    message_from_dict,
)


def calling(*calls):
    return AssistantMessage(None, tool_calls=[ToolCall(*call) for call in calls])


def turns_of(task):
    return sum(isinstance(message, AssistantMessage) for message in task.messages)


class Tools:
    """A counter that tools may raise, and what else they may do."""

    def __init__(self):
        self.runs = Counter()

    def add(self, a: int, b: int = 1) -> int:
        """Adds."""
        self.runs["add"] += 1
        return a + b

    async def pay(self, amount: int, to: str = "Ann") -> str:
        await asyncio.sleep(0)
        self.runs["pay"] += 1
        return f"paid {amount}, receipt {self.runs['pay']}"

    def fail(self) -> str:
        raise RuntimeError("out of order")


@pytest.fixture
def tools():
    return Tools()


def asked(model, tools, method=None, prompt="go", **options):
    workers = {
        "generation": FunctionWorker(model),
        "tools": ToolsWorker([tools.add, FunctionTool(tools.pay, changes=True), tools.fail]),
    }
    with ScaffoldingLlm(method or ToolLoopController(NativeChatController()), workers) as llm:
        return llm.generate(prompt, **options).outputs[0]


def checked(transcript):
    """A chat as servers take it: each call has one answer, in order, before anybody else speaks."""
    waiting = []
    for message in transcript:
        written = message.to_dict()
        if written["role"] == "tool":
            assert written["tool_call_id"] == waiting.pop(0)
            continue
        assert waiting == []
        waiting = [call["id"] for call in written.get("tool_calls", ())]
        for function in (call["function"] for call in written.get("tool_calls", ())):
            assert isinstance(json.loads(function["arguments"], parse_constant=pytest.fail), dict)
            assert re.fullmatch("[a-zA-Z0-9_-]{1,64}", function["name"])
    assert waiting == []
    ids = [call.id for message in transcript for call in getattr(message, "tool_calls", None) or ()]
    assert len(ids) == len(set(ids))
    return [message.text for message in transcript]


def test_calls_of_a_turn_are_each_answered_in_order_whatever_is_wrong_with_them(tools):
    wrong = [("a", "add", '{"a": '), ("a", "add", '{"b": 1}'), ("", "nothing", ""), ("b", "fail", "[]")]

    def model(task):
        if turns_of(task):
            return "done"
        assert {tool.name for tool in task.tools} == {"add", "pay", "fail"}
        return calling(("", "add", '{"a": 1}'), *wrong, ("c", "fail", ""))

    output = asked(model, tools)
    told = checked(output.transcript)
    assert told[1] == "2"
    assert told[2].startswith("Error: the arguments are no JSON object, and nothing was called")
    assert told[3] == "Error: the arguments do not fit, and nothing was called: a: Field required"
    assert told[4] == "Error: there is no tool named 'nothing'"
    assert told[6:] == ["Error: RuntimeError: out of order", "done"]
    assert (output.text, output.stopped, tools.runs["add"]) == ("done", "complete", 1)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("add", '{"a": NaN}', "Error: the arguments are no JSON object, and nothing was called"),
        ("add", "[" * 100_000, "Error: the arguments are no JSON object, and nothing was called"),
        ("fail", "null", "Error: RuntimeError: out of order"),
        ("math.add", "{}", "Error: there is no tool named 'math.add'"),
        ("", "{}", "Error: there is no tool named ''"),
        ("a" * 65, "{}", "Error: there is no tool named 'aaa"),
    ],
    ids=["no-number", "deep", "null", "dotted", "nameless", "long"],
)
def test_whatever_a_model_calls_is_told_to_it_and_servers_take_the_chat(tools, name, arguments, told):
    output = asked(lambda task: "done" if turns_of(task) else calling(("a", name, arguments)), tools)
    assert checked(output.transcript)[1].startswith(told)


@pytest.mark.parametrize(
    ("limits", "stopped", "runs"),
    [({"max_turns": 2}, "turns", 2), ({"max_calls": 3}, "calls", 3), ({"max_repeats": 1}, "repeats", 1)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_at_a_limit_the_model_answers_from_what_is_there(tools, limits, stopped, runs):
    def model(task):
        if task.tool_choice == "none":
            return "from what is there"
        a = 0 if stopped == "repeats" else turns_of(task)
        return calling(("same", "add", json.dumps({"a": a})))

    output = asked(model, tools, ToolLoopController(NativeChatController(), **limits))
    assert (output.text, output.stopped, tools.runs["add"]) == ("from what is there", stopped, runs)
    checked(output.transcript)


def test_a_model_that_calls_on_without_tools_is_not_heard(tools):
    method = ToolLoopController(NativeChatController(), max_turns=1)
    output = asked(lambda task: calling(("a", "add", '{"a": 1}')), tools, method)
    assert output.message.tool_calls is None
    checked(output.transcript)


def test_a_chat_goes_on_where_it_stood(tools):
    stood = [
        UserMessage("go"),
        calling(("call_0", "add", '{"a": 1}')),
        message_from_dict({"role": "tool", "tool_call_id": "call_0", "content": "2"}),
    ]
    output = asked(
        lambda task: "done" if turns_of(task) > 1 else calling(("call_0", "add", "{}")), tools, prompt=stood
    )
    checked([*stood, *output.transcript])


def paying(task):
    return "paid" if turns_of(task) else calling(("", "pay", '{"amount": 5}'))


@pytest.mark.parametrize("vote_on", ["turns", "loops"])
def test_what_changes_things_runs_once_however_many_samples_vote(tools, vote_on):
    def vote(generation):
        return MajorityVoteController(generation, 5, stop_rule="full")

    turn = NativeChatController()
    method = vote(ToolLoopController(turn)) if vote_on == "loops" else ToolLoopController(vote(turn))
    output = asked(paying, tools, method)
    assert output.text == "paid"
    assert tools.runs["pay"] == 1
    assert "paid 5, receipt 1" in checked(output.transcript)


def test_a_call_that_changes_things_is_the_same_in_other_words(tools):
    words = iter(['{"amount": 5}', '{"amount": "5"}', '{"amount": 5, "to": "Ann"}', '{"to":"Ann","amount":5.0}'])
    method = MajorityVoteController(ToolLoopController(NativeChatController()), 4, stop_rule="full")
    asked(lambda task: "paid" if turns_of(task) else calling(("", "pay", next(words))), tools, method)
    assert tools.runs["pay"] == 1


def test_the_same_call_made_again_after_its_answer_is_a_new_one(tools):
    output = asked(lambda t: "paid" if turns_of(t) > 1 else calling(("", "pay", '{"amount":5}')), tools)
    assert tools.runs["pay"] == 2
    assert output.stopped == "complete"


def test_what_changes_nothing_runs_for_each_sample(tools):
    method = MajorityVoteController(ToolLoopController(NativeChatController(), changes=()), 3, stop_rule="full")
    asked(lambda task: "3" if turns_of(task) else calling(("", "add", '{"a": 2}')), tools, method)
    assert tools.runs["add"] == 3


@pytest.mark.parametrize(
    "error",
    [BudgetExceededError("spent", limit="tokens"), ClosedError("closed")],
    ids=lambda it: type(it).__name__,
)
def test_an_error_of_a_tool_that_asks_a_model_itself_is_told_and_ends_nothing(tools, error):
    def fail():
        raise error

    tools.fail = FunctionTool(fail)
    output = asked(lambda task: "done" if turns_of(task) else calling(("a", "fail", "{}")), tools)
    assert checked(output.transcript)[1] == f"Error: {type(error).__name__}: {error}"
    assert (output.text, output.stopped) == ("done", "complete")


def test_where_nobody_tells_the_tools_any_more_the_model_answers_from_what_is_there():
    class Leaving:
        """A source that tells its tools once."""

        def __init__(self):
            self.told = iter([[ToolDescription("look", "Looks.", {})]])

        async def tools(self):
            for tools in self.told:
                return tools
            raise WorkerError("gone")

        async def answer(self, task):
            raise AssertionError

    model = FunctionWorker(lambda task: "done" if turns_of(task) else calling(("a", "look", "{}")))
    workers = {"generation": model, "tools": ToolsWorker([Leaving()])}
    with ScaffoldingLlm(ToolLoopController(NativeChatController()), workers) as llm:
        assert checked(llm.generate("go").output.transcript)[1:] == ["Error: gone", "done"]


def test_at_the_end_of_the_budget_the_last_text_counts(tools):
    def model(task):
        said = calling((f"c{turns_of(task)}", "add", json.dumps({"a": turns_of(task)})))
        said.content = "thinking so far"
        return said

    output = asked(model, tools, budget=Budget(samples=2))
    assert (output.text, output.stopped) == ("thinking so far", "budget")
    checked(output.transcript)


@pytest.mark.parametrize(
    "wrong", [{"max_turns": 0}, {"max_calls": 1.5}, {"changes": "pay"}, {"tools": [asked]}, {"tools": "pay"}]
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InvalidRequestError):
        ToolLoopController(NativeChatController(), **wrong)
