"""Five samples a call, for the real components of LlamaIndex: three agree in what the component reads.

Scripted, because what agrees with what has to be known.
"""

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import AssistantMessage, Capabilities, FunctionWorker, ToolCall


class Scripted:
    """A model that answers the n-th call with the n-th list of samples, and each after that with the last."""

    def __init__(self, *rounds):
        self.rounds = rounds
        self._calls = []

    async def __call__(self, task):  # on the loop, so that samples get their texts in order
        samples = next((samples for group, samples in self._calls if group is task.group), None)
        if samples is None:
            samples = iter(self.rounds[min(len(self._calls), len(self.rounds) - 1)])
            self._calls.append((task.group, samples))
        return next(samples)


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
