"""A prompt may be token ids."""

import pytest

from tests.engines.engine import ASKING

pytestmark = pytest.mark.needs("token prompts")


async def test_a_prompt_of_token_ids_is_completed(engine, ask, worker):
    asked = ASKING["token prompts"](engine)
    task = await ask(asked)
    assert task.output_str
    assert task.usage.prompt_tokens == len(asked.input_tokens)
    assert worker.capabilities.token_prompts
