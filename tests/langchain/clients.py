"""Other people's chat clients, each against the wire of its provider, and what LangChain's suites ask of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.servers.speaking import Speaking

__all__ = ["CLIENTS", "FEATURES", "Client"]

FEATURES = frozenset(
    {"json_mode", "model_override", "image_inputs", "image_urls", "image_tool_message", "pdf_inputs"}
    | {"pdf_tool_message", "audio_inputs", "anthropic_inputs"}
)
"""What a client may support, as the suites name it."""

_NO_SHAPE = "shows callbacks the schema in another shape than the suite's"
_NO_TYPED_DICT = "takes no TypedDict"


@dataclass(frozen=True)
class Client:
    """A client, and what its authors say or a bare run shows of it."""

    module: str
    name: str
    fields: Callable[[Speaking], dict[str, Any]]
    lacks: frozenset[str] = frozenset()  # features
    details: tuple[str, ...] = ()  # of its usage
    structured: Mapping[str, Any] = field(default_factory=dict)  # how it is asked for a structure
    fails: Mapping[str, str] = field(default_factory=dict)  # tests that the bare client fails, and why

    @property
    def kind(self) -> type:
        """Its class; the test is skipped where the package is not there."""
        kind: type = getattr(pytest.importorskip(self.module), self.name)
        return kind


def _open_ai(server: Speaking) -> dict[str, Any]:
    return {"base_url": server.url, "api_key": "none", "model": "m", "max_retries": 0}


CLIENTS = {
    "Obedient": Client("tests.langchain.obedient", "ObedientModel", lambda server: {}),
    "OpenAI": Client(
        "langchain_openai",
        "ChatOpenAI",
        _open_ai,
        details=("reasoning_output", "cache_read_input"),
        structured={"method": "json_schema"},
    ),
    "Responses": Client(
        "langchain_openai",
        "ChatOpenAI",
        lambda server: {**_open_ai(server), "use_responses_api": True},
        details=("reasoning_output", "cache_read_input"),
        structured={"method": "json_schema"},
    ),
    "Anthropic": Client(
        "langchain_anthropic",
        "ChatAnthropic",
        lambda server: {"base_url": server.root, "api_key": "none", "model": "m", "max_retries": 0},
        lacks=frozenset({"audio_inputs"}),
        details=("cache_read_input", "cache_creation_input"),
    ),
    "Ollama": Client(
        "langchain_ollama",
        "ChatOllama",
        lambda server: {
            "base_url": server.root,
            "model": "m",
            "client_kwargs": {"verify": False},  # reading certificates takes longer than a test
        },
        lacks=frozenset({"image_urls", "pdf_inputs", "pdf_tool_message", "audio_inputs", "anthropic_inputs"}),
        structured={"method": "json_schema"},
    ),
    "NVIDIA": Client(
        "langchain_nvidia_ai_endpoints",
        "ChatNVIDIA",
        lambda server: {"base_url": server.url, "api_key": "none", "model": "m"},
        lacks=frozenset({"model_override"}),
        fails={
            "test_structured_output[pydantic]": _NO_SHAPE,
            "test_structured_output_async[pydantic]": _NO_SHAPE,
            "test_structured_output[typeddict]": _NO_TYPED_DICT,
            "test_structured_output_async[typeddict]": _NO_TYPED_DICT,
            "test_structured_output_optional_param": _NO_TYPED_DICT,
        },
    ),
}
