"""LangChain's own unit suite."""

from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_scaffolding import ChatScaffolding


class TestChatScaffolding(ChatModelUnitTests):
    @property
    def chat_model_class(self):
        return ChatScaffolding

    @property
    def chat_model_params(self):
        return {"base_url": "http://127.0.0.1:9/v1", "model": "m"}

    @property
    def init_from_env_params(self):
        return {"SCAFFOLDING_API_KEY": "key"}, self.chat_model_params, {"api_key": "key"}
