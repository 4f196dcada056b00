"""Backend: what a model of another library holds."""

import asyncio
import copy
import gc
import pickle
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from scaffolding_core import (
    ChatTask,
    ClosedError,
    Extractor,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MissingExtraError,
    ModelInfo,
    NativeGenerationController,
    OpenAIWorker,
    Quorum,
    Worker,
)
from scaffolding_core.adapting.backend import KEPT_METHODS, Backend
from scaffolding_core.adapting.backends import Backends
from scaffolding_core.adapting.option_key import option_key
from tests.servers.scripted import Reply, scripted_server


class Kinds(Worker):
    """Answers with the kind of its task."""

    async def run_task(self, task):
        task.output_str = f"{type(task).__name__} {task.temperature}"


class Alike(Extractor):
    """Looks like any other of its kind."""

    def __init__(self, pick):
        self.pick = pick

    def __repr__(self):
        return "Alike()"

    def extract(self, message):
        return self.pick(message.text)


@dataclass
class Unhashable(Extractor):
    """Has an equality, and no hash."""

    word: str

    def extract(self, message):
        return self.word


class Incomparable:
    """Answers a comparison as arrays do."""

    __hash__ = None

    def __eq__(self, other):
        raise ValueError("the truth value is ambiguous")


def test_methods_generate_by_chat_turns_or_as_they_are_told():
    chat, plain = Backend(Kinds()), Backend(Kinds(), generation=NativeGenerationController)
    options = {"sampling_params": {"temperature": 0.5}}
    assert chat.llm("direct", options).generate("q").text == f"{ChatTask.__name__} 0.5"
    assert plain.llm("direct", options).generate("q").text == f"{GenerationTask.__name__} 0.5"
    chat.close()
    plain.close()


def test_options_beside_a_controller_are_refused_since_it_has_its_own():
    backend, method = Backend(Kinds()), NativeGenerationController()
    backend.llm(method, {})
    for refusing in (backend.llm, backend.controller):
        with pytest.raises(InvalidRequestError, match="give 'stop_rule' to the controller"):
            refusing(method, {"stop_rule": "full"})
    backend.close()


class TestKeptMethods:
    def test_a_method_that_is_used_again_is_the_same(self):
        backend = Backend(Kinds())
        assert backend.llm("direct", {}) is backend.llm("direct", {})

    def test_options_that_look_alike_and_do_other_things_are_another_method(self):
        backend = Backend(FunctionWorker(lambda task: "seven or eight"))
        first, last = (
            backend.llm("majority_vote", {"extractor": Alike(pick)}).generate("q")
            for pick in (str.split, str.title)
        )
        assert (first.output.answer, last.output.answer) == (["seven", "or", "eight"], "Seven Or Eight")
        backend.close()

    @pytest.mark.parametrize(
        "make",
        [
            lambda: {"stop_rule": Quorum(0.5)},
            lambda: {"sampling_params": {"stop": ["a", "b"], "logit_bias": {"7": 1.0}}},
            lambda: {"answers": "number", "stop_rule": "full"},
            lambda: {"extractor": Unhashable("x")},
        ],
        ids=["values", "nested", "texts", "unhashable"],
    )
    def test_equal_options_are_one_method(self, make):
        backend = Backend(Kinds())
        assert backend.llm("majority_vote", make()) is backend.llm("majority_vote", make())

    @pytest.mark.parametrize(
        ("one", "other"),
        [(1, True), (["a"], ("a",)), ({"a": 1}, {"a": 2}), ({"a"}, {"b"}), (Unhashable("x"), Unhashable("y"))],
        ids=str,
    )
    def test_options_that_differ_are_two(self, one, other):
        assert option_key({"option": one}) != option_key({"option": other})

    def test_an_option_that_was_changed_in_place_is_another(self):
        backend, options = Backend(Kinds()), {"sampling_params": {"temperature": 0.5}}
        before = backend.llm("direct", options)
        options["sampling_params"]["temperature"] = 0.7
        assert backend.llm("direct", options).generate("q").text == f"{ChatTask.__name__} 0.7"
        assert backend.llm("direct", options) is not before
        backend.close()

    def test_objects_that_cannot_be_compared_are_the_same_only_as_themselves(self):
        one, other = Incomparable(), Incomparable()
        assert option_key([one]) == option_key([one])
        assert option_key([one]) != option_key([other])

    def test_those_used_last_are_kept_and_others_are_let_go(self):
        backend = Backend(Kinds())
        first = weakref.ref(backend.llm("direct", {}))
        for number in range(KEPT_METHODS + 5):
            assert backend.llm("majority_vote", {"sample_num": number + 1}).generate("q").text
            assert backend.llm("direct", {}) is first()  # in use
        for number in range(KEPT_METHODS + 5):
            backend.llm("majority_vote", {"sample_num": number + 1})
        gc.collect()
        assert first() is None
        backend.close()

    @pytest.mark.parametrize("way", ["blocking", "async"])
    async def test_one_that_is_let_go_finishes_what_it_runs(self, way):
        started, go_on = threading.Event(), threading.Event()

        async def answer(task):
            started.set()
            await asyncio.to_thread(go_on.wait, 10)
            return "7"

        backend = Backend(FunctionWorker(answer))
        if way == "async":
            running = asyncio.ensure_future(_awaited(backend.llm("direct", {}).generate_async("q")))
        else:
            running = asyncio.ensure_future(asyncio.to_thread(lambda: backend.llm("direct", {}).generate("q")))
        await asyncio.to_thread(started.wait, 10)
        for number in range(KEPT_METHODS + 1):
            backend.llm("majority_vote", {"sample_num": number + 1})
        gc.collect()
        go_on.set()
        assert (await running).text == "7"
        await backend.aclose()


async def _awaited(result):
    await result
    return result


VLLM = [{"id": "big", "max_model_len": 32768}]
BIG = ModelInfo(name="big", context_window=32768)


@pytest.fixture
def server():
    with scripted_server(Reply()) as server:
        server.listed = VLLM
        yield server


@pytest.fixture
def backend(server):
    with OpenAIWorker(server.url) as worker:
        yield Backend(worker)


class TestTheModel:
    def test_a_server_is_asked_once(self, backend, server):
        assert [backend.model_info(ModelInfo(), on_loop=False) for _ in range(3)] == [BIG] * 3
        assert server.asked == ["/v1/models"]

    async def test_a_running_loop_is_held_up_only_where_that_was_said(self, backend, server):
        assert backend.model_info(ModelInfo(), on_loop=False) == ModelInfo()
        assert backend.model_info(ModelInfo(), on_loop=True) == BIG
        assert backend.model_info(ModelInfo(), on_loop=False) == BIG

    def test_what_was_given_counts_and_is_not_asked_for(self, backend, server):
        given = ModelInfo(name="m", context_window=99)
        assert backend.model_info(given, on_loop=True) == given
        assert server.asked == []
        assert backend.model_info(ModelInfo(context_window=99), on_loop=True) == ModelInfo(
            name="big", context_window=99
        )

    def test_threads_that_ask_at_once_ask_once(self, backend, server):
        server.list_wait = 0.2
        with ThreadPoolExecutor(8) as threads:
            told = list(threads.map(lambda _: backend.model_info(ModelInfo(), on_loop=False), range(8)))
        assert told == [BIG] * 8
        assert len(server.asked) == 1

    def test_a_server_that_cannot_tell_is_not_asked_again(self, backend, server):
        server.listed = [{"id": "llama"}]
        for _ in range(3):
            assert backend.model_info(ModelInfo(), on_loop=False) == ModelInfo(name="llama")
        assert len(server.asked) == 1

    async def test_a_server_that_is_silent_holds_nobody_up_for_long(self, backend, server, monkeypatch):
        monkeypatch.setattr("scaffolding_core.adapting.backend.ASKING_SECONDS", 0.2)
        server.list_wait = 5
        started = time.monotonic()
        assert [backend.model_info(ModelInfo(), on_loop=True) for _ in range(5)] == [ModelInfo()] * 5
        assert time.monotonic() - started < 2
        assert len(server.asked) == 1

    def test_one_that_did_not_answer_is_asked_again_later(self, backend, server, monkeypatch):
        monkeypatch.setattr("scaffolding_core.adapting.backend.NOT_ASKED_AGAIN_SECONDS", 0.1)
        server.listed = None
        assert backend.model_info(ModelInfo(), on_loop=False) == ModelInfo()
        server.listed = VLLM
        time.sleep(0.2)
        assert backend.model_info(ModelInfo(), on_loop=False) == BIG

    def test_a_worker_that_knows_nothing_leaves_it_unknown(self):
        assert Backend(Kinds()).model_info(ModelInfo(), on_loop=True) == ModelInfo()


class TestClosing:
    @pytest.mark.parametrize("way", ["blocking", "async"])
    @pytest.mark.parametrize("own", [True, False])
    async def test_a_worker_is_closed_by_its_owner_alone(self, server, way, own):
        async with OpenAIWorker(server.url, "m") as worker:
            backend = Backend(worker, closes_worker=own)
            backend.llm("direct", {}).generate("q")
            if way == "blocking":
                backend.close()
            else:
                await backend.aclose()
            if own:
                with pytest.raises(ClosedError):
                    await worker.run_task(GenerationTask(input_str="q"))
            else:
                await worker.run_task(GenerationTask(input_str="q"))


def test_backends_go_to_other_processes_as_what_is_yet_to_be_opened():
    backends = Backends()
    backend = backends.get(("m",), lambda: Backend(Kinds()))
    assert backends.get(("m",), lambda: Backend(Kinds())) is backend
    assert pickle.loads(pickle.dumps(backends)).get(("m",), lambda: Backend(Kinds())) is not backend
    assert copy.deepcopy(backends) is backends


def test_a_mapping_among_the_settings_counts_by_what_it_holds():
    backends, roles = Backends(), {"judge": Kinds()}
    first = backends.get((roles,), lambda: Backend(Kinds()))
    assert backends.get((dict(roles),), lambda: Backend(Kinds())) is first
    roles["judge"] = Kinds()
    assert backends.get((roles,), lambda: Backend(Kinds())) is not first
    assert backends.get(({},), lambda: Backend(Kinds())) is not first


class TestSandbox:
    def programs(self, **given):
        worker = FunctionWorker(lambda task: "```python\nprint(6 * 7)\n```")
        backend = Backend(worker, **given)
        try:
            return backend.llm("program_of_thought", {}).generate("6 times 7?").text
        finally:
            backend.close()

    def test_is_the_backends_own_where_nobody_gives_one(self):
        assert self.programs() == "42"

    def test_may_be_said_by_name(self):
        assert self.programs(roles={"code": "monty"}) == "42"
        with pytest.raises(InvalidRequestError, match="no sandbox is named 'nowhere'; there are: monty"):
            self.programs(roles={"code": "nowhere"})

    def test_of_a_users_own_is_asked(self):
        def run(task):
            task.stdout = "sandboxed"

        assert self.programs(roles={"code": FunctionWorker(run)}) == "sandboxed"

    def test_that_is_not_installed_is_said_when_the_method_is_put_together(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "pydantic_monty", None)
        with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[sandbox\]"):
            Backend(FunctionWorker(lambda task: "")).controller("program_of_thought", {})
