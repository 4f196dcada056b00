"""LangChain's own integration suite: the plain model, a vote, and best-of-N.

On a scripted server, since the suite needs a model that calls each tool it is told to, which a small one does not.
"""

import json

import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_scaffolding import ChatScaffolding
from tests.servers.scripted import Reply, scripted_server

SAID = "Hello! I am fine, thank you."
OF_TYPE = {"integer": 3, "number": 3, "boolean": True, "array": [], "object": {}}
USAGE = {"prompt_tokens": 5, "completion_tokens": 6}


def obedient(body):
    """Calls the tool it has to, with the user's words as text; otherwise says hello, up to the stop text."""
    last, choice = body["messages"][-1], body.get("tool_choice")
    named = choice["function"]["name"] if isinstance(choice, dict) else None
    tools = [tool["function"] for tool in body.get("tools", ()) if named in (None, tool["function"]["name"])]
    if tools and (named or choice == "required" or (last["role"] == "user" and choice != "none")):
        properties = tools[0]["parameters"].get("properties", {})
        arguments = {name: OF_TYPE.get(kind.get("type"), words(last)) for name, kind in properties.items()}
        call = (tools[0]["name"], json.dumps(arguments))
        return Reply(pieces=(), tool_calls=(call,), finish="tool_calls", usage=USAGE)
    text = SAID.split((body.get("stop") or ["\0"])[0])[0]
    return Reply(pieces=tuple(word + " " for word in text.split()), usage=USAGE)


def words(message):
    content = message["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


@pytest.fixture(scope="module", autouse=True)
def server():
    with scripted_server(obedient) as running:
        TestPlain.url = running.url
        yield


class TestPlain(ChatModelIntegrationTests):
    url = ""

    @property
    def chat_model_class(self):
        return ChatScaffolding

    @property
    def chat_model_params(self):
        return {"base_url": TestPlain.url, "model": "m", "method": "direct"}

    @property
    def supports_image_inputs(self):
        return False  # the suite fetches its pictures from the web

    @property
    def model_override_value(self):
        return "other"


class TestMajorityVote(TestPlain):
    @property
    def chat_model_params(self):
        return {"base_url": TestPlain.url, "model": "m", "method": "majority_vote", "sample_num": 3}


class TestBestOfN(TestPlain):
    @property
    def chat_model_params(self):
        reward = {"reward": lambda prompt, answer: len(answer)}
        return {"base_url": TestPlain.url, "model": "m", "method": "best_of_n", "sample_num": 3, **reward}


class TestWrapped(TestPlain):
    @property
    def chat_model_params(self):
        inner = ChatOpenAI(base_url=TestPlain.url, api_key="none", model="m", max_retries=0)
        return {"inner": inner, "method": "majority_vote", "sample_num": 3}
