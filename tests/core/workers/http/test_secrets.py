"""What only the server is to know stands in no error, repr, trace or recording."""

import base64
import json
import pickle
import traceback
from urllib.parse import quote

import pytest

from scaffolding_core import (
    CombinedReward,
    GenerationTask,
    InvalidRequestError,
    MCPWorker,
    OpenAIWorker,
    RewardModelWorker,
    ToolsWorker,
    WorkerError,
    WorkerPool,
    resolve_reward,
)
from scaffolding_core.workers.http.redaction import Redaction
from tests.servers.raw import http, raw_server
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")

KEY = 'sk-"secret"/ü+1'
BASIC = base64.b64encode(f"someone:{KEY}".encode()).decode()


def forms(secret):
    """How a server may send it back."""
    quoted = (json.dumps(secret)[1:-1], quote(secret), quote(secret, ""), repr(secret)[1:-1])
    return (secret, *quoted, base64.b64encode(secret.encode()).decode(), secret.upper())


def chain(error):
    """All that a traceback shows, and the errors below it."""
    shown = "".join(traceback.format_exception(error))
    while error is not None:
        shown += f"{error} {error!r} {pickle.dumps(str(error))}"
        error = error.__cause__ or error.__context__
    return shown


def given():
    """Ways to tell a secret to a worker, each with what may not be shown."""
    yield "api key", {"api_key": "sk-0123456789"}, ["sk-0123456789"]
    yield "odd key", {"headers": {"X-Api-Key": KEY.replace("ü", "u")}}, forms(KEY.replace("ü", "u"))
    yield "short key", {"api_key": "abcd"}, ["abcd"]
    yield "any header", {"headers": {"X-Tenant": "tenant-12345"}}, ["tenant-12345"]
    yield "basic", {"headers": {"Authorization": f"Basic {BASIC}"}}, [BASIC, KEY]
    yield "password", {"user": "someone:pa55word"}, ["pa55word", base64.b64encode(b"someone:pa55word").decode()]
    yield "query", {"query": "?key=que5tion"}, ["que5tion"]


GIVEN = list(given())


def told(url, user="", query="", **options):
    """A worker that was told a secret."""
    url = url.replace("//", f"//{user}@") if user else url
    return OpenAIWorker(url + query, "m", max_attempts=1, **options)


@pytest.mark.parametrize(("options", "secrets"), [case[1:] for case in GIVEN], ids=[case[0] for case in GIVEN])
@pytest.mark.parametrize("how", ["refused", "in a stream", "no answer", "no HTTP", "redirect", "no kind"])
async def test_a_secret_that_the_server_sends_back_is_hidden(how, options, secrets):
    echo = " ".join(secrets)
    padded = "x " * (245 - len(secrets[0]) // 4) + echo  # the limit of the message cuts the secret
    answers = {
        "refused": http(json.dumps({"error": {"message": padded, "code": 1}}).encode(), "text/json", "401 No"),
        "in a stream": http(b"event: error\ndata: " + json.dumps({"message": echo}).encode() + b"\n\n"),
        "no answer": http(b"data: " + (" " * 70 + echo).encode() + b"\n\n"),
        "no HTTP": b"HTTP/1.1 200 OK\r\n" + echo.encode() + b"\r\n\r\n",
        "redirect": http(
            b"", "a/b", "302 There", f"location: http://{secrets[0]}/?{secrets[0]}".replace("\n", "")
        ),
        "no kind": http(b"", quote(secrets[0]) + "/html"),
    }

    async def reply(number, writer):
        writer.write(answers[how])
        writer.close()

    async with raw_server(reply) as server, told(server.url, **options) as worker:
        with pytest.raises(WorkerError) as raised:
            await worker.run_task(GenerationTask(input_str="q"))
        shown = chain(raised.value) + repr(worker) + worker.base_url
    for secret in secrets:
        assert secret[:5] not in shown  # not its head alone, either
        assert quote(secret) not in shown


async def test_user_and_query_of_an_address_are_sent_and_not_shown():
    with scripted_server(Reply()) as server:
        async with told(server.url, "someone:pa%2B55", "?version=1") as worker:
            await worker.run_task(GenerationTask(input_str="q"))
            assert await worker.served_models() == ["scripted-model"]
        assert worker.base_url == server.url
        credentials = base64.b64encode(b"someone:pa+55").decode()
        assert server.headers[0]["Authorization"] == f"Basic {credentials}"
        assert server.routes == ["/completions"]


def test_an_address_with_a_user_takes_no_key_beside_it():
    with pytest.raises(InvalidRequestError, match="leave one of them out") as raised:
        told("http://host/v1", "someone:pa55word", api_key="key")
    assert "pa55word" not in str(raised.value)
    with pytest.raises(InvalidRequestError) as raised:
        told("ftp://host/v1", "someone:pa55word", "?key=que5tion")
    assert "pa55word" not in str(raised.value)
    assert "que5tion" not in str(raised.value)


@pytest.mark.parametrize("key", ["sk-01\n23", "sk-01\x0023", "sk-01\ud80023"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(key):
    with pytest.raises(InvalidRequestError, match="Authorization") as raised:
        told("http://host/v1", api_key=key)
    assert "sk-01" not in str(raised.value)


def test_a_short_secret_is_hidden_as_a_word_alone():
    assert Redaction(["test", ""]).hide("test the latest, key=TEST.") == "*** the latest, key=***."
    assert Redaction([]).hide("test") == "test"


@pytest.mark.parametrize(
    "make",
    [
        lambda: OpenAIWorker("http://a/v1", api_key=["sk-1"]),
        lambda: OpenAIWorker("http://a/v1", api_key=b"sk-1"),
        lambda: RewardModelWorker("http://a", api_key=b"sk-1"),
        lambda: WorkerPool(["http://a/v1"], api_key={"sk-1"}),
        lambda: resolve_reward({"address": "http://a", "api_key": "sk-1"}),
        lambda: CombinedReward({"address": "http://a", "api_key": "sk-1"}),
        lambda: MCPWorker([{"url": "http://a", "headers": {"Authorization": "sk-1"}}]),
        lambda: ToolsWorker([{"url": "http://a", "api_key": "sk-1"}]),
    ],
    ids=["list", "bytes", "reward model", "pool", "reward", "combined", "mcp", "tools"],
)
def test_wrong_use_is_refused_without_what_may_be_a_key(make):
    with pytest.raises(InvalidRequestError) as refused:
        make()
    assert "sk-1" not in str(refused.value)
