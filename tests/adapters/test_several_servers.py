"""A model of several servers: a list of addresses, each with its own key where they differ."""

import asyncio
import json
import pickle

import pytest
from langchain_core.load import dumps

from scaffolding_core import InvalidRequestError
from tests.adapters.kinds import MODELS
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server

KINDS = pytest.mark.parametrize("kind", MODELS.values(), ids=MODELS)
KEYS = ["first-secret", "second-secret"]
NOWHERE = ["http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1"]


@pytest.fixture(scope="module")
def servers():
    with scripted_server(Reply(("7",))) as first, scripted_server(Reply(("7",))) as second:
        yield first, second


@KINDS
@pytest.mark.parametrize("first", [KEYS[0], None], ids=["each a key", "one without"])
@pytest.mark.parametrize("by", ["order", "address"])
async def test_prompts_at_once_are_spread_each_server_with_its_key_and_closed_with_the_model(
    kind, by, first, servers
):
    addresses = [server.url for server in servers]
    given = [first, KEYS[1]]
    keys = given if by == "order" else dict(zip(addresses, given, strict=True))
    async with kind.cls(**kind.fields(method="direct", model="m", address=addresses, key=keys)) as model:
        assert await asyncio.gather(*[kind.aask(model) for _ in range(40)]) == ["7"] * 40
    for server, key in zip(servers, given, strict=True):
        assert {headers.get("Authorization") for headers in server.headers} == {key and f"Bearer {key}"}
        server.headers.clear()
        await until(lambda server=server: server.connected == 0)


@KINDS
@pytest.mark.parametrize(
    "keys",
    [KEYS, dict(zip(NOWHERE, KEYS, strict=True)), [None, KEYS[1]], {NOWHERE[0]: None, NOWHERE[1]: KEYS[1]}],
    ids=["order", "address", "order, one without", "address, one without"],
)
def test_no_key_is_shown_or_written(kind, keys):
    model = kind.cls(**kind.fields(method="direct", model="m", address=NOWHERE, key=keys))
    written = dumps(model) if hasattr(model, "lc_secrets") else json.dumps(model.to_dict())
    for text in (repr(model), str(model), written, str(model.model_dump())):
        assert "secret" not in text.replace("lc_secrets", "").replace('"type": "secret"', "")
    assert pickle.loads(pickle.dumps(model)).api_key == model.api_key


@KINDS
@pytest.mark.parametrize("keys", [[KEYS[0], 7], {NOWHERE[0]: [KEYS[0]]}], ids=["order", "address"])
def test_no_key_is_shown_where_keys_are_refused(kind, keys):
    with pytest.raises(ValueError, match="valid string") as refused:
        kind.cls(**kind.fields(method="direct", model="m", address=NOWHERE, key=keys))
    assert KEYS[0] not in str(refused.value)


@KINDS
@pytest.mark.parametrize(
    ("address", "key", "message"),
    [(NOWHERE[0], KEYS, "several keys for the one server"), (NOWHERE, ["a"], "1 keys for 2"), ([], None, "list")],
)
def test_keys_and_addresses_that_do_not_fit_are_refused(kind, address, key, message):
    with pytest.raises(InvalidRequestError, match=message):
        kind.ask(kind.cls(**kind.fields(method="direct", model="m", address=address, key=key)))
