"""A sample alone repeats itself by its seed."""

import pytest

from tests.engines.engine import generation

pytestmark = pytest.mark.needs("seed")


async def test_a_seed_repeats_an_answer_and_another_changes_it(ask):
    texts = [(await ask(generation(seed=seed, temperature=1.0))).output_str for seed in (7, 7, 8, 9)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1
