"""A query engine whose answers are voted on: two retrievers, each sample with a context order of its own.

Needs: pip install 'scaffolding-llm[llamaindex,demo]' llama-index-retrievers-bm25
"""

from __future__ import annotations

import argparse

from llama_index.core import Document, SummaryIndex
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.retrievers.bm25 import BM25Retriever

from llamaindex_scaffolding import RotatedContext, ScaffoldingLLM, ScaffoldingQueryEngine, SourceSupport

DOCUMENTS = [
    "The lighthouse of Farsund was built in 1836.",
    "The lighthouse stands 24 metres tall and is painted red.",
    "Boats to the lighthouse leave the harbour at 9 every morning.",
]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("question", nargs="?", default="In which year was the lighthouse built?")
    options.add_argument("--samples", type=int, default=8)
    given = options.parse_args()

    llm = ScaffoldingLLM("direct", temperature=0.8, max_tokens=24)  # the embedded model; any LLM will do
    index = SummaryIndex([Document(text=text) for text in DOCUMENTS])
    everything = index.as_query_engine(llm=llm, node_postprocessors=[RotatedContext()])
    best_match = RetrieverQueryEngine.from_args(
        BM25Retriever.from_defaults(index=index, similarity_top_k=1), llm=llm
    )

    # The one line: samples go round both engines, and answers that are not in their sources do not vote.
    engine = ScaffoldingQueryEngine([everything, best_match], sample_num=given.samples, support=SourceSupport())

    response = engine.query(given.question)
    told = response.metadata["scaffolding"]
    print(response)
    print(f"answer {told['answer']}, votes {told['votes']}, {told['usage']['total_tokens']} tokens")
    for candidate in told["candidates"]:
        print(
            "-", candidate["error"] or ("cut: no longer needed" if candidate["cut"] else candidate["text"].strip())
        )


if __name__ == "__main__":
    main()
