"""LangChain's own unit suite: the plain model, a vote and best-of-N. Wrapped: `test_standard_clients.py`.

Nothing is called; the model's server need not be there.
"""

from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_scaffolding import ChatScaffolding

SERVER = "http://127.0.0.1:9/v1"


class TestPlain(ChatModelUnitTests):
    fields = {"method": "direct"}

    @property
    def chat_model_class(self):
        return ChatScaffolding

    @property
    def chat_model_params(self):
        return {"base_url": SERVER, "model": "m", **self.fields}

    @property
    def init_from_env_params(self):
        return {"SCAFFOLDING_API_KEY": "key"}, self.chat_model_params, {"api_key": "key"}


class TestMajorityVote(TestPlain):
    fields = {"method": "majority_vote", "sample_num": 3}


class TestBestOfN(TestPlain):
    fields = {"method": "best_of_n", "sample_num": 3, "reward": staticmethod(lambda prompt, answer: 1)}
