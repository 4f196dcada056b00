"""Workers by what a file can say of them."""

import pytest

from scaffolding_core import InvalidRequestError, MCPWorker, ModelFileError, OpenAIWorker, ToolsWorker, WorkerPool
from scaffolding_core.roles import cast_of
from scaffolding_core.workers.code import CodeWorker
from scaffolding_core.workers.named import (
    WORKER_KINDS,
    from_environment,
    named_sandbox,
    named_server,
    named_worker,
    worker_options,
)

URL = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        (URL, OpenAIWorker),
        ([URL, "http://127.0.0.1:8/v1"], WorkerPool),
        ({"url": URL, "model": "m", "timeout": 3.0, "headers": {"a": "b"}}, OpenAIWorker),
        ({"url": [URL], "model": "m", "hedge_after": None, "siblings": 1}, WorkerPool),
    ],
)
def test_an_address_is_a_server_and_several_are_a_pool(named, kind):
    with named_worker(named) as worker:
        assert type(worker) is kind


def test_a_path_is_a_file_that_is_loaded_here(tmp_path):
    with pytest.raises(ModelFileError, match=r"no model file .*a\.gguf"):
        named_worker({"path": str(tmp_path / "a.gguf"), "n_ctx": 512})


def test_options_are_those_of_the_worker_and_of_the_replicas_of_a_pool():
    assert {"url", "model", "api_key", "extra_body"} <= {*worker_options("url")}
    assert {"hedge_after", "extra_body"} <= {*worker_options("url", several=True)}
    assert "n_ctx" in worker_options("path")
    assert worker_options("trtllm") is None
    assert WORKER_KINDS == ("url", "path", "trtllm")


@pytest.mark.parametrize(
    ("named", "match"),
    [
        (3, "must be an address"),
        ([URL, 3], "must be an address"),
        ({}, "has 0 of them"),
        ({"url": URL, "hedge_after": 3}, "a worker has no 'hedge_after'"),
        ({"url": URL, 3: 4}, "no text"),
        ("${NOT_SET_ANYWHERE}", "the environment has no variable NOT_SET_ANYWHERE"),
    ],
)
def test_what_names_no_worker_is_refused(named, match):
    with pytest.raises(InvalidRequestError, match=match):
        named_worker(named)


def test_texts_take_variables_of_the_environment(monkeypatch):
    monkeypatch.setenv("SET", "x")
    value = {"a": ["${SET}-${SET}", 3, None], "b": "${UNSET:-y}${UNSET:-}", "c": "$SET $$ {SET}"}
    assert from_environment(value) == {"a": ["x-x", 3, None], "b": "y", "c": "$SET $$ {SET}"}


def test_a_variable_is_read_when_the_worker_is_made_and_not_shown(monkeypatch):
    monkeypatch.setenv("THE_KEY", "sk-secret")
    named = {"url": URL, "api_key": "${THE_KEY}"}
    with named_worker(named) as worker:
        assert "sk-secret" not in repr(worker) + repr(named)


def test_servers_of_tools():
    servers = ["http://a/mcp", {"url": "http://b/mcp", "prefix": "b_"}, {"command": "x", "args": ["y"]}]
    plain, http, program = map(named_server, servers)
    assert (plain, http.url, http.prefix, program.command) == ("http://a/mcp", "http://b/mcp", "b_", "x")


def test_a_sandbox_is_named_alone_or_with_its_limits():
    for named in ("monty", {"seconds": 2.0}, {"backend": "monty"}):
        with named_sandbox(named) as sandbox:
            assert type(sandbox) is CodeWorker
    with pytest.raises(InvalidRequestError):
        named_sandbox({"backend": "none"})


class TestInACast:
    def test_roles_take_what_names_a_worker_and_it_is_opened_for_them(self):
        mine = OpenAIWorker(URL)
        cast = cast_of(None, {"judge": URL, "critic": mine, "code": {"seconds": 2.0}, "reward": {"url": URL}})
        assert [type(cast.workers[role]) for role in ("judge", "code")] == [OpenAIWorker, CodeWorker]
        assert mine not in cast.opened
        assert {*cast.opened} == {*cast.workers.values()} - {mine}
        for worker in (*cast.opened, mine):
            worker.shutdown()

    def test_tools_are_functions_and_named_servers_together(self):
        def add(a: int, b: int) -> int:
            """Add."""
            return a + b

        servers, both, functions = (
            cast_of(None, {"tools": tools}) for tools in (["http://a/mcp"], [add, "http://a/mcp"], [add])
        )
        assert [type(cast.workers["tools"]) for cast in (servers, both, functions)] == [
            MCPWorker,
            ToolsWorker,
            ToolsWorker,
        ]
        assert [[type(worker) for worker in cast.opened] for cast in (servers, both, functions)] == [
            [MCPWorker],
            [MCPWorker],
            [],
        ]
        for worker in (*servers.opened, *both.opened):
            worker.shutdown()
