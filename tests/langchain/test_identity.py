"""What tells one model from another where answers are cached."""

import pytest

from langchain_scaffolding import ChatScaffolding
from langchain_scaffolding.identity import identity
from scaffolding_core import MCPWorker, OpenAIWorker, RewardModelWorker, WorkerPool


class Judge:
    def __init__(self, strictness):
        self.strictness = strictness

    def score(self, prompt, answer):
        return self.strictness


def test_a_method_of_an_object_is_told_by_what_the_object_holds():
    assert identity(Judge(1).score) == identity(Judge(1).score)
    assert identity(Judge(1).score) != identity(Judge(2).score)


def test_an_object_that_holds_itself_has_an_end():
    judge = Judge(1)
    judge.callback = judge.score
    assert identity(judge.score) == identity(judge.score)


KEY = "sk-abcdefgh"


@pytest.mark.parametrize(
    "fields",
    [
        {"worker": OpenAIWorker("http://127.0.0.1:1/v1", "m", api_key=KEY)},
        {"worker": WorkerPool(["http://127.0.0.1:1/v1"], "m", api_key=KEY)},
        {"roles": {"tools": MCPWorker([f"http://user:{KEY}@127.0.0.1:1/mcp"])}},
        {"method": "best_of_n", "reward": RewardModelWorker("http://127.0.0.1:1", api_key=KEY)},
        {"method": "best_of_n", "reward": {"kind": "http://127.0.0.1:1", "api_key": KEY}},
        {"method": "best_of_n", "reward": {"kind": "http://127.0.0.1:1", "headers": {"x-own": KEY}}},
        {"method": "best_of_n", "reward": f"http://user:{KEY}@127.0.0.1:1"},
    ],
    ids=["worker", "pool", "tools", "reward worker", "reward key", "reward header", "reward address"],
)
def test_keys_tell_models_apart_and_are_shown_nowhere(fields):
    model = ChatScaffolding(base_url="http://127.0.0.1:2/v1" if "worker" not in fields else None, **fields)
    shown = f"{model._identifying_params} {model!r} {model.asdict()}"
    assert KEY not in shown
    if isinstance(fields.get("reward"), dict):
        other = {name: str(value).replace(KEY, "sk-other") for name, value in fields["reward"].items()}
        assert identity(other) != identity(fields["reward"])
