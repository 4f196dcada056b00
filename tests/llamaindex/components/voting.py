"""Five samples a call, for the real components of LlamaIndex: three agree in what the component reads.

Scripted, because what agrees with what has to be known.
"""

import threading

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import AssistantMessage, Capabilities, FunctionWorker, ToolCall


class Scripted:
    """A model that answers the n-th call with the n-th list of samples, and each after that with the last."""

    def __init__(self, *rounds):
        self.rounds = rounds
        self.prompts = []
        self._groups = []
        self._lock = threading.Lock()

    def __call__(self, task):
        with self._lock:
            if not any(group is task.group for group, _ in self._groups):
                samples = self.rounds[min(len(self._groups), len(self.rounds) - 1)]
                self._groups.append((task.group, iter(samples)))
                self.prompts.append(task.input_str or "\n".join(message.text for message in task.messages))
            return next(next(samples for group, samples in self._groups if group is task.group))


def voting(*rounds, tools=False, **fields):
    """An LLM that votes on each list of samples in turn; a single message stands for five of its kind."""
    rounds = [[each] * 5 if isinstance(each, str | AssistantMessage) else each for each in rounds]
    worker = FunctionWorker(Scripted(*rounds), capabilities=Capabilities(tools=tools))
    options = {"method_options": {"stop_rule": "full"}, "sample_num": 5, "context_window": 8000, **fields}
    return ScaffoldingLLM(worker=worker, **options)


def calls(*named, text=None):
    """A message that calls tools, each a name and the arguments as the model wrote them."""
    return AssistantMessage(text, tool_calls=[ToolCall(f"call-{i}", *call) for i, call in enumerate(named)])


def told(events):
    """What each call of an LLM tells of its vote."""
    ends = [
        event.response for event in events if type(event).__name__ in ("LLMChatEndEvent", "LLMCompletionEndEvent")
    ]
    return [response.raw for response in ends]


def agreements(events):
    """How much the samples of each call agree."""
    return [raw["agreement"] for raw in told(events)]
