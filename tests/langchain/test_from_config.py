"""Models out of a configuration."""

import asyncio

import pytest
import yaml

from langchain_scaffolding import ChatScaffolding, ScaffoldingLLM
from scaffolding_core import Budget, ClosedError, FunctionWorker, GenerationTask, InvalidRequestError
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


@pytest.mark.parametrize("kind", [ChatScaffolding, ScaffoldingLLM])
def test_the_file_says_all(kind, vote, server):
    with kind.from_config(vote) as model:
        answer = model.invoke("q")
    assert (answer if isinstance(answer, str) else answer.content) == "7"
    assert [(body["model"], body["temperature"]) for body in server.requests] == [("m", 0.5)] * 3
    assert {headers["Authorization"] for headers in server.headers} == {"Bearer sk-secret"}


def test_fields_and_calls_count_before_the_file(vote, server):
    with ChatScaffolding.from_config(vote, temperature=0.9, sample_num=2) as model:
        assert model.invoke("q").response_metadata["scaffolding"]["samples"] == 2
        assert model.invoke("q", sample_num=1).response_metadata["scaffolding"]["samples"] == 1
    assert {body["temperature"] for body in server.requests} == {0.9}


def test_the_budget_holds_for_each_call_that_gives_none(vote):
    vote.write_text(vote.read_text().replace("samples: 9", "samples: 1"))
    with ChatScaffolding.from_config(vote) as model:
        assert model.invoke("q").response_metadata["scaffolding"]["stopped"] == "budget"
        free = model.invoke("q", budget=Budget(samples=9))
        assert free.response_metadata["scaffolding"]["samples"] == 3


def test_it_opens_again_after_it_was_closed(vote):
    model = ChatScaffolding.from_config(vote)
    for _ in range(2):
        assert model.invoke("q").content == "7"
        model.close()


def test_keys_are_not_shown(vote):
    with ChatScaffolding.from_config(vote) as model:
        assert "sk-secret" not in repr(model) + str(model.asdict()) + str(model._identifying_params)


def test_roles_and_objects(tmp_path, server):
    def judge(task):
        task.output_str = "Score: 7"

    tree = {
        "model": server.url,
        "method": "best_of_n",
        "sample_num": 1,
        "reward": {"kind": "judge", "reasons": False},
        "roles": {"judge": {"$ref": "judge"}},
    }
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(tree))
    with ChatScaffolding.from_config(tmp_path / "a.yaml", objects={"judge": FunctionWorker(judge)}) as model:
        candidates = model.invoke("q").response_metadata["scaffolding"]["candidates"]
    assert candidates[0]["score"] == pytest.approx(6 / 9)


def test_what_is_wrong_says_where(vote, monkeypatch):
    monkeypatch.delenv("THE_KEY")
    with pytest.raises(InvalidRequestError, match=r"vote\.yaml:\d+:3: the environment has no variable THE_KEY"):
        ChatScaffolding.from_config(vote)


def test_a_role_may_be_an_address(server):
    with scripted_server(Reply(pieces=("Score: 7",))) as judge:
        fields = {"method": "best_of_n", "sample_num": 1, "reward": {"kind": "judge", "reasons": False}}
        with ChatScaffolding(base_url=server.url, roles={"judge": judge.url}, **fields) as model:
            model.invoke("q")
        assert len(judge.requests) == 1


def test_closing_closes_the_worker_that_was_opened(vote):
    model = ChatScaffolding.from_config(vote)
    model.invoke("q")
    worker = model.backend.worker
    model.close()
    with pytest.raises(ClosedError):
        asyncio.run(worker.run_task(GenerationTask.create_from_prompt("q")))
