"""ReActStep: what a step of LlamaIndex's ReActAgent does, out of the text that its model wrote."""

from __future__ import annotations

from llamaindex_scaffolding.reading.explanations import arguments_without_explanations
from llamaindex_scaffolding.reading.react_action import calls_an_action, react_action
from scaffolding_core import Answer, AssistantMessage, Extractor, Reading, default_extractor
from scaffolding_core.adapting import Calls, Tools

__all__ = ["ReActStep"]


class ReActStep(Extractor):
    """The tool that a ReAct step calls, with its input; or what its final answer answers.

    A step is read as the agent's own `ReActOutputParser` reads it, wherever in the text it stands: behind a
    preamble, a fence or thoughts. Its thoughts do not count, since each sample words them anew, nor whether there
    are any. A step whose action the agent could not run abstains. Any other message is read as the other extractor
    reads it.

    Args:
        otherwise: reads final answers and whatever is no step; `default_extractor()` where it is left out.
        tools: what reads the input of each tool that there is; None where they are not known.
    """

    def __init__(self, otherwise: Extractor | None = None, tools: Tools | None = None) -> None:
        self.otherwise = default_extractor() if otherwise is None else otherwise
        self.tools = tools
        self.costly = self.otherwise.costly

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The call, as `ToolCalls` gives it, or the answer; None if there is neither."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The call, or the answer as the other extractor read it."""
        text = message.text
        action, answer = text.find("Action:"), text.find("Answer:")
        acts = action >= 0 and not 0 <= answer < action
        if message.tool_calls or (acts and not calls_an_action(text)):
            return self.otherwise.read(message)
        if acts:
            call = self._call(text)
            return Reading(None) if call is None else Reading(call, "ReAct action")
        thought = text.find("Thought:")
        answer = text.find("Answer:", thought) if thought >= 0 else -1
        if answer < 0:
            return self.otherwise.read(message)
        return self.otherwise.read(AssistantMessage(text[answer + len("Answer:") :].strip()))

    def _call(self, text: str) -> Calls | None:
        found = react_action(text)
        if found is None:
            return None
        name, arguments = found
        try:
            given = arguments if self.tools is None else self.tools[name](arguments)
        except (KeyError, ValueError):
            return None
        return Calls([[name, arguments_without_explanations(name, given)]])
