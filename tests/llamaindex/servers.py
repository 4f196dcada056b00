"""A ScaffoldingLLM on an OpenAI-compatible server, in the two ways that there are."""

from contextlib import asynccontextmanager

import httpx
from llama_index.llms.openai_like import OpenAILike

from llamaindex_scaffolding import ScaffoldingLLM

FULL = {"stop_rule": "full"}


@asynccontextmanager
async def own(url, **fields):
    """Through a worker of ours; with a seed, so that samples are requests of their own and can differ."""
    llm = ScaffoldingLLM(**{"api_base": url, "model": "m", "seed": 1, **fields})
    yield llm
    await llm.aclose()


@asynccontextmanager
async def openai_like(url, **fields):
    """Through llama-index-llms-openai-like as the wrapped LLM."""
    with httpx.Client() as client:
        async with httpx.AsyncClient() as async_client:
            inner = OpenAILike(
                model="m",
                api_base=url,
                api_key="sk-secret",
                is_chat_model=True,
                is_function_calling_model=True,
                context_window=777,
                max_retries=0,
                http_client=client,
                async_http_client=async_client,
            )
            yield ScaffoldingLLM.wrap(inner, **fields)
