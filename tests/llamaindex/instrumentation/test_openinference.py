"""What OpenInference, the tracer of Phoenix, shows of a call: its output and its tokens, streamed or not."""

import json

import pytest
from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.llamaindex.instrumentation.test_spans import CALLS, CHATS, achat, standing_alone, wrapping


@pytest.fixture
def exported():
    """The spans that were exported."""
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield spans.get_finished_spans
    instrumentor.uninstrument()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("make", [wrapping, standing_alone])
@pytest.mark.parametrize("method", ["majority_vote", "direct"])
async def test_the_span_of_a_call_has_its_output_and_tokens(exported, make, method, call):
    samples = 3 if method == "majority_vote" else 1
    await call(make(method=method) if samples > 1 else make(method="direct", sample_num=None, method_options={}))
    name = f"ScaffoldingLLM.{call.__name__}"
    (span,) = [span for span in exported() if span.name == name]
    assert span.attributes["output.value"].removeprefix("assistant: ") == "7"
    assert span.attributes["llm.token_count.prompt"] == 3 * samples
    assert span.attributes["llm.token_count.completion"] == 2 * samples
    if call in CHATS:
        assert span.attributes["llm.output_messages.0.message.role"] == "assistant"


async def test_the_span_of_a_stream_that_is_left_ends(exported):
    llm = wrapping()
    stream = await llm.astream_chat([])
    async for _ in stream:
        break
    await stream.aclose()
    sync_stream = llm.stream_chat([])
    next(sync_stream)
    sync_stream.close()
    names = [span.name for span in exported()]
    assert {"ScaffoldingLLM.astream_chat", "ScaffoldingLLM.stream_chat"} <= set(names)


async def test_the_span_of_a_sample_has_its_prompt(exported):
    await achat(standing_alone())
    samples = [span for span in exported() if span.name == "sample"]
    assert [json.loads(span.attributes["input.value"])["asked"] for span in samples] == ["q"] * 3
