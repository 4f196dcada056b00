"""ReAct: a model without tool calls writes its actions as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scaffolding_core.controller import Steps
from scaffolding_core.controllers.acting.calls import tool_message
from scaffolding_core.controllers.acting.limits import Spent
from scaffolding_core.controllers.acting.react_text import OBSERVATION, final_answer, instructions, written_call
from scaffolding_core.controllers.acting.tool_loop import ToolLoopController, messages_of
from scaffolding_core.controllers.apart import apart
from scaffolding_core.messages import (
    AssistantMessage,
    JsonObject,
    RoleMessage,
    SystemMessage,
    ToolDescription,
    UserMessage,
)
from scaffolding_core.tasks import ChatTask, GenerationTask, MCPCallTask

__all__ = ["ReActController"]

_NEITHER = "there was neither an action with its input nor a final answer: write one of them, in the form above"
_LAST = "No further action is possible. Give the final answer from what is there."


class ReActController(ToolLoopController):
    """Lets a model without tool calls act: it writes a thought, an action and its input, and reads an observation.

    Works as `ToolLoopController`, with the same limits, roles and arguments; one action a turn. The answer is what
    stands behind `Final Answer:`. A text that has neither is told so, as an observation.

    Cost: at most `max_turns` + 1 generations, one after another, each with the instructions and all before it.

    Source: Yao et al. 2022, arXiv 2210.03629.
    """

    def converse(
        self, task: GenerationTask, added: list[RoleMessage], spent: Spent, options: Mapping[str, object]
    ) -> Steps[None]:
        """Ask turn after turn, until the task holds the answer, and all that was said is added."""
        tools: Sequence[ToolDescription | JsonObject] | None = None
        while True:
            tools = yield from self.listed(task, tools)
            last = spent.stopped is not None
            turn = self.turn(task, added, tools, last=last)
            yield from apart(self.generation_controller.clone().process([turn], **options))
            said = turn.message()
            text = said.text.partition(f"\n{OBSERVATION}")[0]  # what it thinks up of the answer is not heard
            call = None if last else written_call(text, _functions(tools))
            answer = final_answer(text)
            task.take_results(turn)
            if call is None and (last or answer is not None):
                task.said = replace(said, content=text if answer is None else answer, original=None)
                added.append(task.said)
                return
            added.append(AssistantMessage(text))
            if call is None:
                added.append(_observed(_NEITHER))
                spent.turn_ended([])
                continue

            def tell(ended: Sequence[MCPCallTask]) -> None:
                added.extend(_observed(tool_message(each).text) for each in ended)

            yield from self.run_calls([(call, call)], tools, spent, tell)

    def turn(
        self,
        task: GenerationTask,
        added: Sequence[RoleMessage],
        tools: Sequence[ToolDescription | JsonObject],
        *,
        last: bool,
    ) -> ChatTask:
        """The chat that asks for the next turn, with the instructions before it."""
        turn = super().turn(task, added, (), last=last)
        asked = [*messages_of(task), *added]
        if last and isinstance(observed := asked[-1], UserMessage):  # templates want user and assistant in turns
            asked[-1] = observed.with_paragraph(_LAST)
        turn.messages = _instructed(asked, instructions(_functions(tools)))
        given = [turn.stop] if isinstance(turn.stop, str) else [*(turn.stop or ())]
        turn.stop = [*given, f"\n{OBSERVATION}"]
        turn.tool_choice = None
        return turn


def _functions(tools: Sequence[ToolDescription | JsonObject]) -> list[JsonObject]:
    written = (tool.to_dict() if isinstance(tool, ToolDescription) else tool for tool in tools)
    functions = (tool.get("function", tool) for tool in written)
    return [function for function in functions if isinstance(function, Mapping) and "name" in function]


def _instructed(messages: list[RoleMessage], told: str) -> list[RoleMessage]:
    """The messages with the instructions behind what the system says already."""
    first = messages[0]
    if isinstance(first, SystemMessage):
        return [SystemMessage(f"{first.text}\n\n{told}", role=first.role), *messages[1:]]
    return [SystemMessage(told), *messages]


def _observed(text: str) -> UserMessage:
    return UserMessage(f"{OBSERVATION} {text}")
