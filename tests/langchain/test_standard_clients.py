"""LangChain's own suites over other people's clients, bare and with each kind of method around them.

No test fails that the bare client passes. On scripted servers, since the suites need a model that calls each tool
it is told to; the pictures and documents that they fetch from the web come from here.
"""

import gc

import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_scaffolding import ChatScaffolding
from tests.langchain.clients import CLIENTS, FEATURES, Client
from tests.langchain.obedient import obedient
from tests.servers.scripted import serve
from tests.servers.speaking import Speaking, SpeakingOnce

pytestmark = [pytest.mark.usefixtures("web")] + [
    pytest.mark.filterwarnings(f"ignore:{what}")  # the clients' own words on what the suites ask
    for what in (
        "OpenAI may require a filename",
        "Received a Pydantic BaseModel V1 schema",
        "Pydantic serializer warnings",
        "Model 'm' is not known",
        "The 'method' parameter is unnecessary",
        "Structured output always follows strict validation",
        "The 'max_tokens' parameter is deprecated",
        "Unrecognized structured output method",
        "Unclosed connection",  # ChatNVIDIA's, where a test fails in the midst of a stream
    )
]

MODES = {
    "Plain": lambda inner: {"inner": inner, "method": "direct"},
    "Voted": lambda inner: {"inner": inner, "method": "majority_vote", "sample_num": 3},
    "BestOfN": lambda inner: {"inner": inner, "method": "best_of_n", "sample_num": 3, "reward": length},
    "Nested": lambda inner: {"inner": ChatScaffolding.wrap(inner, "chain_of_thought"), "sample_num": 3},
}
RICHEST = "Anthropic"  # in content: run in every mode, the others bare, voted and nested


def length(prompt, answer):
    return len(answer)


@pytest.fixture(scope="module", autouse=True)
def server():
    with serve(SpeakingOnce(obedient)) as running:
        OfClient.server = running
        yield
        gc.collect()  # what clients left open is told here, and not in a test of others


class OfClient:
    """What the suites are told of a client, wrapped or bare."""

    server: Speaking
    client: Client
    mode: str | None

    @property
    def chat_model_class(self):
        return self.client.kind if self.mode is None else ChatScaffolding

    @property
    def chat_model_params(self):
        fields = self.client.fields(self.server)
        return fields if self.mode is None else MODES[self.mode](self.client.kind(**fields))


class Unit(OfClient):
    """For the suite that calls nothing."""


class Integration(OfClient):
    """For the suite that calls the client."""

    model_override_value = "other"

    @property
    def structured_output_kwargs(self):
        return self.client.structured

    @property
    def supported_usage_metadata_details(self):
        return {"invoke": self.client.details, "stream": self.client.details}

    def answer(self, *, stream=False):
        model = self.chat_model_class(**self.chat_model_params)
        if not stream:
            return model.invoke("Hello")
        first, *rest = model.stream("Hello")
        return sum(rest, first)

    invoke_with_reasoning_output = invoke_with_cache_read_input = invoke_with_cache_creation_input = answer

    @pytest.fixture(autouse=True)
    def known_failures(self, request):
        if reason := self.client.fails.get(request.node.name):
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
            # Told without its source, which pytest would parse: beside threads that crashes Python 3.11.2.
            request.node.repr_failure = lambda failure: failure.exconly()


def suite(name, mode, told, tests):
    """One of the suites over a client; those of a client run in one process, which alone imports it."""
    client = CLIENTS[name]
    supports = {f"supports_{feature}": feature not in client.lacks for feature in FEATURES}
    fields = {"client": client, "mode": mode, "pytestmark": pytest.mark.xdist_group(name), "__module__": __name__}
    return type(f"Test{name}{mode or 'Bare'}{told.__name__}", (told, tests), {**supports, **fields})


def suites():
    for name in CLIENTS:
        yield suite(name, "Voted", Unit, ChatModelUnitTests)
        for mode in (None, *(mode for mode in MODES if mode in ("Voted", "Nested") or name == RICHEST)):
            yield suite(name, mode, Integration, ChatModelIntegrationTests)


globals().update({test.__name__: test for test in suites()})
