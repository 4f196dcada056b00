"""The models of both adapters, and what else has a method there, each made and asked alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from llama_index.core.llms import ChatMessage

import langchain_scaffolding as langchain
import llamaindex_scaffolding as llamaindex
from tests.llamaindex.doubles import ScriptedLLM
from tests.llamaindex.engines import KnownEngine


@dataclass(frozen=True)
class Model:
    """A class of models: how its fields are named, and how it is asked.

    Attributes:
        names: of its fields, by what they are here.
        wrapped: a model that it can wrap, which answers "wrapped".
    """

    cls: type[Any]
    names: dict[str, str]
    wrapped: Callable[[], Any]
    ask: Callable[[Any], str]
    aask: Callable[[Any], Any]

    def fields(self, **values: object) -> dict[str, object]:
        """Values by the names that the class has for them."""
        return {self.names.get(name, name): value for name, value in values.items()}

    def of(self, server: Any, **values: object) -> Any:
        """One of a server."""
        given = {"method": "direct", "address": server.url, "model": "m", **values}
        return self.cls(**self.fields(**given))


LANGCHAIN = {"address": "base_url", "key": "api_key", "model": "model_name", "wrapped": "inner"}
LLAMAINDEX = {"address": "api_base", "key": "api_key", "wrapped": "llm"}
CHAT = [ChatMessage("q")]


async def _achat(model: Any) -> str:
    return (await model.ainvoke("q")).text


async def _acomplete(model: Any) -> str:
    return await model.ainvoke("q")


async def _achat_of_llamaindex(llm: Any) -> str:
    return (await llm.achat(CHAT)).message.content


MODELS = {
    "LangChain's chat model": Model(
        langchain.ChatScaffolding,
        LANGCHAIN,
        lambda: FakeListChatModel(responses=["wrapped"]),
        lambda model: model.invoke("q").text,
        _achat,
    ),
    "LangChain's completion model": Model(
        langchain.ScaffoldingLLM,
        LANGCHAIN,
        lambda: FakeListChatModel(responses=["wrapped"]),
        lambda model: model.invoke("q"),
        _acomplete,
    ),
    "LlamaIndex's": Model(
        llamaindex.ScaffoldingLLM,
        LLAMAINDEX,
        lambda: ScriptedLLM(answers=["wrapped"]),
        lambda llm: llm.chat(CHAT).message.content,
        _achat_of_llamaindex,
    ),
}


async def _arun(runnable: Any) -> str:
    return (await runnable.ainvoke("q")).text


async def _aquery(engine: Any) -> str:
    return str(await engine.aquery("q"))


def _wrapping(kind: Model) -> Callable[[], Any]:
    return lambda: kind.cls.wrap(kind.wrapped(), sample_num=2)


ONES_OWN = {
    **{f"{name}, wrapping": (_wrapping(kind), kind.ask, kind.aask) for name, kind in MODELS.items()},
    "a Runnable": (
        lambda: langchain.ScaffoldingRunnable.wrap(RunnableLambda(str), sample_num=2),
        lambda runnable: runnable.invoke("q").text,
        _arun,
    ),
    "a query engine": (
        lambda: llamaindex.ScaffoldingQueryEngine(KnownEngine("7"), sample_num=2),
        lambda engine: str(engine.query("q")),
        _aquery,
    ),
}
"""What opens no connection: how each is made, asked, and asked asynchronously."""
