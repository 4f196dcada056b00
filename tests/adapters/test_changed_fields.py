"""A field of a model that is changed counts from the next call on, whichever way it was changed."""

import asyncio
import copy
import gc
import pickle
import threading

import pytest
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

from scaffolding_core import FunctionWorker, InvalidRequestError
from scaffolding_core.adapting.backends import KEPT_BACKENDS
from tests.adapters.kinds import MODELS
from tests.eventually import until
from tests.left import own_loops
from tests.servers.scripted import Reply, scripted_server

KINDS = pytest.mark.parametrize("kind", MODELS.values(), ids=MODELS)


def assigned(model, fields):
    for name, value in fields.items():
        setattr(model, name, value)
    return model


def in_a_copy(model, fields):
    return model.model_copy(update=fields)


def in_a_shallow_copy(model, fields):
    return assigned(copy.copy(model), fields)


def in_a_deep_copy(model, fields):
    return assigned(copy.deepcopy(model), fields)


def after_a_round_trip(model, fields):
    return assigned(pickle.loads(pickle.dumps(model)), fields)


def by_configuration(model, fields):
    named = {name: ConfigurableField(name) for name in fields}
    return model.configurable_fields(**named).with_config(configurable=fields)


def in_plain_data(model, fields):
    key = {"api_key": model.api_key} if fields.get("api_base", "") is not None else {}
    return type(model).from_dict({**model.to_dict(), **key, **fields})


WAYS = [
    assigned,
    in_a_copy,
    in_a_shallow_copy,
    in_a_deep_copy,
    after_a_round_trip,
    by_configuration,
    in_plain_data,
]
OF_ONE_LIBRARY = {by_configuration: "langchain", in_plain_data: "llamaindex"}


def of_each(ways):
    """Each kind of model with each way that its library has."""
    cells = [
        pytest.param(kind, way, id=f"{name}, {way.__name__}")
        for name, kind in MODELS.items()
        for way in ways
        if kind.cls.__module__.startswith(OF_ONE_LIBRARY.get(way, ""))
    ]
    return pytest.mark.parametrize(("kind", "way"), cells)


NOBODY = "http://127.0.0.1:9/v1"
ELSEWHERE = {"address": None, "key": None, "model": ""}


class Asked:
    """Two servers, what each was asked last, and a worker."""

    def __init__(self, first, second):
        self.servers = {"first": first, "second": second}
        self.worker = FunctionWorker(lambda task: "worker")

    def last(self):
        """Which server was asked last, with which key and model, for how many samples at which temperature."""
        told = [
            (name, headers.get("Authorization"), body["model"], body.get("n", 1), body.get("temperature"))
            for name, server in self.servers.items()
            for headers, body in zip(server.headers, server.requests, strict=True)
        ]
        for server in self.servers.values():
            server.headers.clear()
            server.requests.clear()
        return told


@pytest.fixture
def asked():
    with scripted_server(Reply(("7",))) as first, scripted_server(Reply(("8",))) as second:
        yield Asked(first, second)


CHANGES = {
    "address": (
        lambda asked, kind: {"address": asked.servers["second"].url},
        ("second", "Bearer one", "m", 1, None),
    ),
    "addresses": (
        lambda asked, kind: {"address": [NOBODY, asked.servers["second"].url], "key": ["none", "two"]},
        ("second", "Bearer two", "m", 1, None),
    ),
    "key": (lambda asked, kind: {"key": "two"}, ("first", "Bearer two", "m", 1, None)),
    "typed key": (lambda asked, kind: {"key": SecretStr("two")}, ("first", "Bearer two", "m", 1, None)),
    "model": (lambda asked, kind: {"model": "n"}, ("first", "Bearer one", "n", 1, None)),
    "method": (
        lambda asked, kind: {"method": "majority_vote", "sample_num": 3},
        ("first", "Bearer one", "m", 3, None),
    ),
    "options": (
        lambda asked, kind: {"method_options": {"sampling_params": {"temperature": 0.5}}},
        ("first", "Bearer one", "m", 1, 0.5),
    ),
    "worker": (lambda asked, kind: {**ELSEWHERE, "worker": asked.worker}, "worker"),
    "wrapped": (lambda asked, kind: {**ELSEWHERE, "wrapped": kind.wrapped()}, "wrapped"),
}


@of_each(WAYS)
@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_counts(kind, way, change, asked):
    made, expected = CHANGES[change]
    model = kind.of(asked.servers["first"], key="one")
    assert kind.ask(model) == "7"
    asked.last()
    changed = way(model, kind.fields(**made(asked, kind)))
    answers = [kind.ask(changed), await kind.aask(changed)]
    if change in ("worker", "wrapped"):
        assert (answers, asked.last()) == ([expected] * 2, [])
    else:
        assert asked.last() == [expected] * 2
    if changed is not model:  # which goes on as it was
        kind.ask(model)
        assert asked.last() == [("first", "Bearer one", "m", 1, None)]


@of_each([assigned, in_a_copy, in_a_shallow_copy, in_a_deep_copy, by_configuration])
def test_copies_with_the_same_settings_share_what_is_open(kind, way, asked):
    before = own_loops()
    model = kind.of(asked.servers["first"], key="one")
    kind.ask(model)
    same = {"address": "".join(asked.servers["first"].url), "key": "one", "temperature": 0.5}
    copies = [way(model, kind.fields(**same)) for _ in range(3)]
    for each in copies:
        kind.ask(each)
    assert len(own_loops() - before) == 1


@KINDS
async def test_a_change_harms_nothing_that_runs(kind):
    held = threading.Event()
    with scripted_server(Reply(("7",), held=held)) as first, scripted_server(Reply(("8",))) as second:
        model = kind.of(first)
        running = [
            asyncio.ensure_future(kind.aask(model)),
            asyncio.ensure_future(asyncio.to_thread(kind.ask, model)),
        ]
        await until(lambda: first.open == 2)
        assigned(model, kind.fields(address=second.url))
        assert (await kind.aask(model), kind.ask(model)) == ("8", "8")
        gc.collect()
        held.set()
        assert await asyncio.gather(*running) == ["7", "7"]


@KINDS
@pytest.mark.parametrize("way", [assigned, in_a_copy])
def test_a_change_that_leaves_two_backends_is_refused_by_the_next_call(kind, way):
    model = kind.cls.wrap(kind.wrapped(), "direct")
    changed = way(model, kind.fields(address="http://127.0.0.1:9/v1"))
    with pytest.raises(InvalidRequestError, match="leave all but one out|give one of"):
        kind.ask(changed)


@KINDS
def test_what_is_kept_for_settings_that_change_with_each_call_is_bounded(kind, asked):
    before = own_loops()
    model = kind.of(asked.servers["first"])
    for number in range(3 * KEPT_BACKENDS):
        kind.ask(assigned(model, kind.fields(key=str(number))))
    gc.collect()
    assert len(own_loops() - before) <= KEPT_BACKENDS + 1


@pytest.mark.parametrize("name", ["model", "model_name"])
def test_a_copy_takes_a_field_by_either_of_its_names_and_no_other(name, asked):
    model = MODELS["LangChain's chat model"].of(asked.servers["first"])
    model.model_copy(update={name: "n"}).invoke("q")
    assert asked.last()[0][2] == "n"
    with pytest.raises(InvalidRequestError, match="no field 'modle'"):
        model.model_copy(update={"modle": "n"})
