"""LLMs out of a configuration."""

import asyncio

import pytest
import yaml

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import Budget, ClosedError, GenerationTask, InvalidRequestError
from tests.servers.scripted import Reply, scripted_server


@pytest.fixture
def server():
    with scripted_server(Reply(pieces=("7",))) as server:
        yield server


@pytest.fixture
def vote(tmp_path, server, monkeypatch):
    monkeypatch.setenv("THE_KEY", "sk-secret")
    path = tmp_path / "vote.yaml"
    tree = {
        "model": {"url": server.url, "model": "m", "api_key": "${THE_KEY}", "siblings": 1},
        "method": "majority_vote",
        "sample_num": 3,
        "answers": "number",
        "stop_rule": "full",
        "sampling": {"temperature": 0.5},
        "budget": {"samples": 9},
        "seed": 5,
    }
    path.write_text(yaml.safe_dump(tree))
    return path


def test_the_file_says_all(vote, server):
    with ScaffoldingLLM.from_config(vote) as llm:
        assert llm.complete("q").text == "7"
    assert [(body["model"], body["temperature"]) for body in server.requests] == [("m", 0.5)] * 3
    assert {headers["Authorization"] for headers in server.headers} == {"Bearer sk-secret"}


async def test_fields_and_calls_count_before_the_file(vote, server):
    async with ScaffoldingLLM.from_config(vote, temperature=0.9, sample_num=2) as llm:
        assert (await llm.acomplete("q")).raw["samples"] == 2
        assert (await llm.acomplete("q", sample_num=1)).raw["samples"] == 1
    assert {body["temperature"] for body in server.requests} == {0.9}


def test_the_budget_holds_for_each_call_that_gives_none(vote):
    vote.write_text(vote.read_text().replace("samples: 9", "samples: 1"))
    with ScaffoldingLLM.from_config(vote) as llm:
        assert llm.complete("q").raw["stopped"] == "budget"
        assert llm.complete("q", budget=Budget(samples=9)).raw["samples"] == 3


def test_it_opens_again_after_it_was_closed(vote):
    llm = ScaffoldingLLM.from_config(vote)
    for _ in range(2):
        assert llm.complete("q").text == "7"
        llm.close()


def test_keys_are_not_shown(vote):
    with ScaffoldingLLM.from_config(vote) as llm:
        assert "sk-secret" not in repr(llm) + str(llm.to_dict())
        assert llm.to_dict()["worker"]["model"] == "m"


def test_what_is_wrong_says_where(vote, monkeypatch):
    monkeypatch.delenv("THE_KEY")
    with pytest.raises(InvalidRequestError, match=r"vote\.yaml:\d+:3: the environment has no variable THE_KEY"):
        ScaffoldingLLM.from_config(vote)


def test_a_worker_may_be_named_by_a_mapping(server):
    with ScaffoldingLLM("direct", worker={"url": server.url, "headers": {"X-Team": "a"}}) as llm:
        assert llm.complete("q").text == "7"
    assert server.headers[-1]["X-Team"] == "a"


def test_closing_closes_the_worker_that_was_opened(vote):
    llm = ScaffoldingLLM.from_config(vote)
    llm.complete("q")
    worker = llm._backend().worker
    llm.close()
    with pytest.raises(ClosedError):
        asyncio.run(worker.run_task(GenerationTask.create_from_prompt("q")))


def test_a_literal_key_is_not_shown():
    with ScaffoldingLLM("direct", worker={"url": "http://127.0.0.1:9/v1", "api_key": "sk-literal"}) as llm:
        assert "sk-literal" not in repr(llm) + str(llm.to_dict())
