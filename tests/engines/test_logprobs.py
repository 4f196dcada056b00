"""Log probabilities of the tokens that were written."""

import pytest

from tests.engines.engine import chat, generation

pytestmark = pytest.mark.needs("logprobs")


@pytest.mark.parametrize("top", [0, 3])
@pytest.mark.parametrize("asked", [generation, chat])
async def test_each_token_has_its_own_and_those_of_the_likeliest(ask, asked, top):
    task = await ask(asked(max_tokens=4, temperature=0.0, num_logprobs=top))
    assert "".join(each.token for each in task.logprobs) == task.output_str
    assert len(task.logprobs) == task.usage.completion_tokens
    for each in task.logprobs:
        assert each.logprob <= 0
        assert len(each.top) >= top
        likeliest = sorted((logprob for _, logprob in each.top), reverse=True)[:top]
        assert (each.token, each.logprob) in each.top or all(each.logprob <= other for other in likeliest)


async def test_none_are_told_where_none_are_asked_for(ask):
    assert not (await ask(generation())).logprobs
