"""A query engine on two servers of one model: one is stopped while it answers, and the other goes on.

Needs: pip install 'scaffolding-llm[llamaindex,demo]'
"""

from __future__ import annotations

import asyncio

from llama_index.core import Document, SummaryIndex

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import LocalWorker

DOCUMENTS = [
    "The lighthouse of Farsund was built in 1836.",
    "The lighthouse stands 24 metres tall and is painted red.",
    "Boats to the lighthouse leave the harbour at 9 every morning.",
]
QUESTIONS = [
    "In which year was the lighthouse built?",
    "How tall is the lighthouse?",
    "When do the boats leave?",
]


async def main() -> None:
    # Two replicas on this machine; any servers that speak OpenAI's API will do.
    servers = [LocalWorker(), LocalWorker()]
    for server in servers:
        server.start()

    # The one line: several addresses are a pool.
    llm = ScaffoldingLLM(
        "direct", api_base=[server.base_url for server in servers], max_tokens=16, temperature=0.2
    )

    engine = SummaryIndex([Document(text=text) for text in DOCUMENTS]).as_query_engine(llm=llm)
    async with llm:
        asking = [asyncio.ensure_future(engine.aquery(question)) for question in QUESTIONS]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        await servers[0].async_shutdown()
        print(f"stopped {servers[0].base_url}")
        for question, answer in zip(QUESTIONS, await asyncio.gather(*asking), strict=True):
            print(f"- {question} {str(answer).strip()!r}")
    await servers[1].async_shutdown()


if __name__ == "__main__":
    asyncio.run(main())
