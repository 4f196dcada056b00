"""Models run on a TensorRT-LLM in this process: one that is given, or one of their own."""

import pytest
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from langchain_scaffolding import ChatScaffolding
from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import InvalidRequestError, TRTLLMWorker
from tests.adapters.kinds import MODELS
from tests.servers.trtllm.double import model_folder

KINDS = pytest.mark.parametrize("kind", MODELS.values(), ids=MODELS)


@KINDS
async def test_a_given_llm_answers_blocking_and_async_calls_and_stays_open(kind, make_llm):
    llm = make_llm("It is 7.")
    with kind.cls(method="majority_vote", sample_num=3, worker=TRTLLMWorker(llm)) as model:
        assert [kind.ask(model), await kind.aask(model)] == ["It is 7."] * 2
    assert {request.params.n for request in llm.double.requests} == {3}
    assert not llm.double.is_shutdown


class Point(BaseModel):
    x: int


def calling(name):
    """An answer that calls a tool."""
    return f'<tool_call>{{"name": "{name}", "arguments": {{"x": 7}}}}</tool_call>'


def test_a_structure_is_extracted_by_a_call_of_a_tool(make_llm):
    worker = TRTLLMWorker(make_llm(calling("Point")), tool_parser="qwen3")
    model = ChatScaffolding(method="majority_vote", sample_num=3, worker=worker)
    assert model.with_structured_output(Point).invoke("q") == Point(x=7)


def test_a_tool_is_predicted_and_called(make_llm):
    worker = TRTLLMWorker(make_llm(calling("add")), tool_parser="qwen3")
    model = ScaffoldingLLM("majority_vote", sample_num=3, worker=worker)
    add = FunctionTool.from_defaults(lambda x: x + 1, name="add")
    assert model.predict_and_call([add], "q").response == "8"


@KINDS
def test_an_engine_by_name_is_loaded_once_and_ends_with_its_model(kind, tensorrt_llm, tmp_path, monkeypatch):
    made = []
    new = TRTLLMWorker.init_with_new_llm
    monkeypatch.setattr(
        TRTLLMWorker, "init_with_new_llm", lambda *args, **kwargs: made.append(new(*args, **kwargs)) or made[-1]
    )
    with kind.cls(
        **kind.fields(method="direct", engine="trtllm", model=str(model_folder(tmp_path, "7")))
    ) as model:
        assert [kind.ask(model) for _ in range(2)] == ["7", "7"]
    assert [worker.llm.double.is_shutdown for worker in made] == [True]


def test_an_engine_by_name_guides_a_structure(tensorrt_llm, tmp_path):
    with ChatScaffolding(method="direct", engine="trtllm", model=str(model_folder(tmp_path))) as model:
        assert model.with_structured_output(Point, method="json_schema").invoke("q") == Point(x=7)


@KINDS
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"engine": "vllm"}, "engine must be 'trtllm'"),
        ({"engine": "trtllm"}, "needs a model"),
        ({"engine": "trtllm", "address": "http://127.0.0.1:9/v1"}, "engine"),
    ],
)
def test_an_engine_that_makes_no_sense_is_refused_where_it_is_named(kind, fields, message):
    with pytest.raises(InvalidRequestError, match=message):
        kind.cls(**kind.fields(**fields))
