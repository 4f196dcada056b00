"""LangChain's own integration suite on a server that runs already: the bare client, one sample, and a vote.

Collected only where `SCAFFOLDING_TEST_URL` names one.
"""

import httpx
import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_scaffolding import ChatScaffolding
from tests.bare_first import BareFirst
from tests.servers import live

BARE_FIRST = BareFirst()
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{what}")  # the client's own words on what the suite asks
    for what in ("Received a Pydantic BaseModel V1 schema", "Pydantic serializer warnings")
]


class OnServer(ChatModelIntegrationTests):
    """What the suite is told of a model on that server."""

    fields: dict[str, object] = {}

    @property
    def chat_model_class(self):
        return ChatScaffolding

    @property
    def chat_model_params(self):
        served = {"base_url": live.URL, "api_key": live.KEY or "none", "model": live.model()}
        return {**served, "temperature": 0.0, "max_tokens": 100, **self.fields}

    @property
    def structured_output_kwargs(self):
        return {"method": "json_schema"}

    @pytest.fixture(autouse=True)
    def what_the_model_can(self, request):
        BARE_FIRST.excuse(request, request.node.name)


class TestBare(OnServer):
    @pytest.fixture(autouse=True)
    def what_the_model_can(self, request):
        BARE_FIRST.note(request, request.node.name)

    @pytest.fixture(autouse=True)
    async def clients(self):
        with httpx.Client() as client:
            async with httpx.AsyncClient() as async_client:
                TestBare.fields = {"http_client": client, "http_async_client": async_client, "max_retries": 0}
                yield

    @property
    def chat_model_class(self):
        return ChatOpenAI


class TestDirect(OnServer):
    fields = {"method": "direct"}


class TestVoted(OnServer):
    fields = {"method": "majority_vote", "sample_num": 3, "method_options": {"stop_rule": "full"}}
