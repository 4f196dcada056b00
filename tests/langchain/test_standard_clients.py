"""LangChain's own suites over other people's clients, wrapped by each kind of method.

No test may fail that the bare client passes.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_scaffolding import ChatScaffolding
from tests.langchain.obedient import obedient
from tests.servers.scripted import serve
from tests.servers.speaking import Speaking

pytestmark = [
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename"),
    pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:Model 'm' is not known"),
    pytest.mark.filterwarnings("ignore:The 'method' parameter is unnecessary"),
    pytest.mark.filterwarnings("ignore:Unrecognized structured output method"),
]


@pytest.fixture(scope="session", autouse=True)
def server():
    with serve(Speaking(obedient)) as running:
        Suite.server = running
        yield


@dataclass
class Client:
    module: str
    kind: str
    fields: Any
    supports: dict = field(default_factory=dict)


def openai(server):
    return {"base_url": server.url, "api_key": "none", "model": "m", "max_retries": 0}


CLIENTS = {
    "ChatCompletions": Client("langchain_openai", "ChatOpenAI", openai, {}),
    "Responses": Client("langchain_openai", "ChatOpenAI", lambda server: {**openai(server), "use_responses_api": True}, {}),
    "Anthropic": Client("langchain_anthropic", "ChatAnthropic", lambda server: {"base_url": server.root, "api_key": "none", "model": "m", "max_retries": 0}, {}),
    "Ollama": Client("langchain_ollama", "ChatOllama", lambda server: {"base_url": server.root, "model": "m"}, {}),
    "NVIDIA": Client("langchain_nvidia_ai_endpoints", "ChatNVIDIA", lambda server: {"base_url": server.url, "api_key": "none", "model": "m"}, {}),
}

MODES = {
    "Bare": lambda inner: inner,
    "Plain": lambda inner: {"inner": inner, "method": "direct"},
    "Voted": lambda inner: {"inner": inner, "method": "majority_vote", "sample_num": 3},
    "BestOfN": lambda inner: {"inner": inner, "method": "best_of_n", "sample_num": 3, "reward": lambda prompt, answer: len(answer)},
    "Nested": lambda inner: {"inner": ChatScaffolding.wrap(inner, "chain_of_thought"), "method": "majority_vote", "sample_num": 3},
}


class Suite:
    server: Speaking
    client: Client
    mode: str

    @property
    def kind(self):
        return getattr(pytest.importorskip(self.client.module), self.client.kind)

    @property
    def chat_model_class(self):
        return self.kind if self.mode == "Bare" else ChatScaffolding

    @property
    def chat_model_params(self):
        fields = self.client.fields(self.server)
        return fields if self.mode == "Bare" else MODES[self.mode](self.kind(**fields))

    @property
    def model_override_value(self):
        return "other"

    supports_json_mode = True
    supports_image_inputs = True
    supports_image_urls = True
    supports_pdf_inputs = True
    supports_audio_inputs = True
    supports_anthropic_inputs = True
    supports_image_tool_message = True
    supports_pdf_tool_message = True

    @pytest.fixture(autouse=True)
    def web(self, monkeypatch):
        monkeypatch.setenv("LANGCHAIN_TESTS_USER_AGENT", "tests")
        monkeypatch.setattr(httpx, "get", lambda url, **options: httpx.Response(200, content=b"from " + url.encode()))


for name, client in CLIENTS.items():
    for mode in MODES:
        for kind, suite in (("Unit", ChatModelUnitTests), ("", ChatModelIntegrationTests)):
            title = f"Test{name}{mode}{kind}"
            globals()[title] = type(title, (Suite, suite), {"client": client, "mode": mode, "__module__": __name__})
