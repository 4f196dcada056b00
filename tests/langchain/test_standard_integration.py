"""LangChain's own integration suite: the plain model, a vote and best-of-N. Wrapped: `test_standard_clients.py`.

On a scripted server, since the suite needs a model that calls each tool it is told to, which a small one does
not. What a small model can do is tested on a real one in `test_standard_embedded.py`.

Every feature is on. Pictures, recordings and documents, which the suite fetches from the web, come from here; left
off is only the benchmark of streaming, which needs a recorded provider.
"""

import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_scaffolding import ChatScaffolding
from tests.langchain.obedient import obedient
from tests.servers.scripted import scripted_server

pytestmark = [
    pytest.mark.usefixtures("web"),
    pytest.mark.filterwarnings("ignore:OpenAI may require a filename"),  # the suite's files have none
]

DETAILS = ["reasoning_output", "cache_read_input"]


@pytest.fixture(scope="module", autouse=True)
def server():
    with scripted_server(obedient) as running:
        TestPlain.url = running.url
        yield


class TestPlain(ChatModelIntegrationTests):
    url = ""
    supports_image_inputs = True
    supports_image_urls = True
    supports_image_tool_message = True
    supports_pdf_inputs = True
    supports_pdf_tool_message = True
    supports_audio_inputs = True
    supports_anthropic_inputs = True
    supports_json_mode = True
    fields = {"method": "direct"}

    @property
    def chat_model_class(self):
        return ChatScaffolding

    @property
    def chat_model_params(self):
        return {"base_url": TestPlain.url, "model": "m", **self.fields}

    @property
    def supported_usage_metadata_details(self):
        return {"invoke": DETAILS, "stream": DETAILS}

    def invoke_with_reasoning_output(self, *, stream=False):
        return self.answer(stream)

    def invoke_with_cache_read_input(self, *, stream=False):
        return self.answer(stream)

    def answer(self, stream):
        model = self.chat_model_class(**self.chat_model_params)
        if not stream:
            return model.invoke("Hello")
        first, *rest = model.stream("Hello")
        return sum(rest, first)

    @property
    def model_override_value(self):
        return "other"


class TestMajorityVote(TestPlain):
    """All samples are waited for: a vote that is stopped closes its request before the server tells its cost."""

    fields = {"method": "majority_vote", "sample_num": 3, "method_options": {"stop_rule": "full"}}


class TestBestOfN(TestPlain):
    fields = {"method": "best_of_n", "sample_num": 3, "reward": staticmethod(lambda prompt, answer: len(answer))}


class TestJsonSchema(TestMajorityVote):
    @property
    def structured_output_kwargs(self):
        return {"method": "json_schema"}
