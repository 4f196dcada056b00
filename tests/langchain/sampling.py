"""Chains that are sampled, and both ways to call them."""

from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from langchain_scaffolding import (
    ScaffoldingRunnable,
)
from tests.langchain.doubles import FULL, KnownChat

RETRIEVED = [Document("6 times 7 is 42")]


def rag(answers):
    """A chain from `{"question"}` to `{"question", "documents", "answer"}`, and its model."""
    model = KnownChat(answers=answers)
    writer = ChatPromptTemplate.from_template("{documents}\n{question}") | model | StrOutputParser()
    chain = RunnablePassthrough.assign(documents=lambda _: RETRIEVED) | RunnablePassthrough.assign(answer=writer)
    return chain, model


def sampled(runnable, n=3, **fields):
    fields = {"method_options": FULL, **fields}
    return ScaffoldingRunnable.wrap(runnable, sample_num=n, **fields)


async def both(runnable, given, config=None, **kwargs):
    """The output by `invoke` and by `ainvoke`."""
    return runnable.invoke(given, config, **kwargs), await runnable.ainvoke(given, config, **kwargs)


# What goes in and what comes out.
