"""LangChain's own integration suite on the embedded real model: a vote, and a vote over a wrapped model.

The small model's chat template takes no tools, so what calls tools is tested in `test_standard_integration.py`,
on a scripted server; and only a grammar holds it to a structure, so structured output is by JSON schema. It reads
text alone. The one test whose wrapped model calls a tool all the same has the scripted server, too.
"""

import httpx
import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_scaffolding import ChatScaffolding
from tests.langchain.obedient import obedient
from tests.servers.scripted import scripted_server

QUOTE = "18"  # its token in the model's vocabulary
BY_A_TOOL = ("test_structured_output_pydantic_2_v1",)  # ChatOpenAI asks for a schema of pydantic 1 by a tool


class TestMajorityVote(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def running(self, embedded_worker):
        TestMajorityVote.worker = embedded_worker

    @property
    def chat_model_class(self):
        return ChatScaffolding

    @property
    def chat_model_params(self):
        return {"worker": TestMajorityVote.worker, "max_tokens": 8, "method": "majority_vote", "sample_num": 2}

    @property
    def has_tool_calling(self):
        return False

    @property
    def structured_output_kwargs(self):
        return {"method": "json_schema", "max_tokens": 60, "logit_bias": {QUOTE: 20}}  # texts end soon

    @property
    def model_override_value(self):
        return "other"


@pytest.mark.filterwarnings("ignore:Received a Pydantic BaseModel V1 schema")  # the provider's own word on it
class TestWrapped(TestMajorityVote):
    supports_model_override = False  # whatever model is asked for, llama.cpp answers with the name of its file

    @pytest.fixture(autouse=True)
    async def inner(self, request, running, embedded_url):
        with scripted_server(obedient) as scripted, httpx.Client() as client:
            async with httpx.AsyncClient() as async_client:
                clients = {"http_client": client, "http_async_client": async_client}
                url = scripted.url if request.node.name in BY_A_TOOL else embedded_url
                TestWrapped.inner = ChatOpenAI(base_url=url, api_key="none", model="m", **clients)
                yield

    @property
    def chat_model_params(self):
        return {"inner": TestWrapped.inner, "max_tokens": 8, "method": "majority_vote", "sample_num": 2}
