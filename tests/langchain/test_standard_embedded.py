"""LangChain's own integration suite on the embedded real model: plain, a vote, best-of-N, a wrapped model.

The small model's chat template takes no tools, so what calls tools is tested in `test_standard_integration.py`,
on a scripted server; and only a grammar holds it to a structure, so structured output is by JSON schema. That
takes the small model long, so only the plain one has it here; the others have it in `test_structured_output.py`.
"""

import httpx
import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_scaffolding import ChatScaffolding

QUOTE = "18"  # its token in the model's vocabulary


class TestPlain(ChatModelIntegrationTests):
    fields = {"method": "direct"}

    @pytest.fixture(autouse=True)
    def running(self, embedded_worker):
        TestPlain.worker = embedded_worker

    @property
    def chat_model_class(self):
        return ChatScaffolding

    @property
    def chat_model_params(self):
        return {"worker": TestPlain.worker, "max_tokens": 8, **self.fields}

    @property
    def has_tool_calling(self):
        return False

    @property
    def structured_output_kwargs(self):
        return {"method": "json_schema", "max_tokens": 80, "logit_bias": {QUOTE: 12}}  # texts end soon

    @property
    def model_override_value(self):
        return "other"


class TestMajorityVote(TestPlain):
    has_structured_output = False
    fields = {"method": "majority_vote", "sample_num": 2}


class TestBestOfN(TestPlain):
    has_structured_output = False
    fields = {"method": "best_of_n", "sample_num": 2, "reward": staticmethod(lambda prompt, answer: -len(answer))}


class TestWrapped(TestPlain):
    has_structured_output = False

    @pytest.fixture(autouse=True)
    async def inner(self, running, embedded_url):
        with httpx.Client() as client:
            async with httpx.AsyncClient() as async_client:
                clients = {"http_client": client, "http_async_client": async_client}
                TestWrapped.inner = ChatOpenAI(base_url=embedded_url, api_key="none", model="m", **clients)
                yield

    @property
    def chat_model_params(self):
        return {"inner": TestWrapped.inner, "max_tokens": 8, "method": "majority_vote", "sample_num": 2}
