"""TRTLLMWorker with an LLM of its own: what keeps it from starting is one error, in one sentence."""

import sys

import pytest

from scaffolding_core import (
    BackendUnavailableError,
    GenerationTask,
    InvalidRequestError,
    MissingExtraError,
    ModelFileError,
    TRTLLMWorker,
)
from tests.servers.trtllm.double import model_folder


@pytest.fixture
def folder(tmp_path):
    return model_folder(tmp_path / "model", "7")


def start(*args, **options):
    return TRTLLMWorker.init_with_new_llm(*args, **options)


async def test_an_llm_is_made_with_what_is_said_and_ends_with_its_worker(tensorrt_llm, folder):
    with start(folder, max_batch_size=4, kv_cache_free_gpu_memory_fraction=0.5, max_seq_len=100) as worker:
        task = GenerationTask(input_str="q")
        await worker.run_task(task)
        args, engine = worker.llm.args, worker.llm.double
    assert task.output_str == "7"
    assert (args.max_batch_size, args.max_num_tokens, args.max_seq_len) == (4, 4096, 100)
    assert args.kv_cache_config.free_gpu_memory_fraction == 0.5
    assert (worker.model_info.name, worker.model_info.context_window) == ("model", 100)
    assert engine.is_shutdown


@pytest.mark.parametrize("path", ["/no/such/folder", "./no-such", "a/b/c"])
def test_a_path_that_is_no_model_is_told(tensorrt_llm, path):
    with pytest.raises(ModelFileError, match="there is no model in .*: correct the path"):
        start(path)


@pytest.mark.parametrize("name", [".", "a-name-at-hugging-face"])
def test_what_the_llm_finds_no_model_in_is_told(tensorrt_llm, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match="see that it is there and whole: .* it has no config.json"):
        start(name)


@pytest.mark.parametrize("wrong", [None, 7, ""])
def test_what_is_no_path_is_refused(tensorrt_llm, wrong):
    with pytest.raises(InvalidRequestError, match="model_dir must be the path"):
        start(wrong)


def test_a_gpu_that_is_not_there_is_told(tensorrt_llm, folder):
    with pytest.raises(BackendUnavailableError, match="see that a GPU is there.*Only 1 GPUs are available"):
        start(folder, tensor_parallel_size=2)


@pytest.mark.parametrize("wrong", [{"no_such_option": 1}, {"max_batch_size": 0}, {"siblings": 0}, {"timeout": -1}])
def test_an_option_that_makes_no_sense_is_refused(tensorrt_llm, folder, wrong):
    with pytest.raises(InvalidRequestError):
        start(folder, **wrong)


def test_a_missing_tensorrt_llm_is_named_with_its_extra(folder):
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[trtllm\]"):
        start(folder)


def test_a_tensorrt_llm_that_does_not_load_here_is_told(folder, tmp_path, monkeypatch):
    (tmp_path / "tensorrt_llm").mkdir()
    broken = 'raise ImportError("libcuda.so.1: cannot open shared object file")'
    (tmp_path / "tensorrt_llm/__init__.py").write_text(broken)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendUnavailableError, match="NVIDIA GPU and its driver: libcuda"):
        start(folder)
    sys.modules.pop("tensorrt_llm", None)


def test_what_is_no_llm_is_refused():
    with pytest.raises(InvalidRequestError, match="needs a tensorrt_llm.LLM"):
        TRTLLMWorker("/a/model")
