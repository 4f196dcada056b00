"""A worker says what its engine can do."""

from tests.engines.rows import ROWS

DECLARED = {"logprobs": "logprobs", "tools": "tools", "token_prompts": "token prompts"}


async def test_a_worker_declares_what_its_engine_has(request, worker):
    lacks = ROWS[request.node.callspec.params["engine"]].lacks
    can = worker.capabilities
    assert can.streaming
    assert {name: getattr(can, name) for name in DECLARED} == {
        name: feature not in lacks for name, feature in DECLARED.items()
    }
