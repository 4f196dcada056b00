"""An answer ends at a stop text, which it leaves out."""

import pytest

from tests.engines.engine import chat, generation


@pytest.mark.parametrize(("asked", "listed"), [(generation, str), (chat, lambda text: ["\0", text])])
async def test_an_answer_ends_before_its_stop_text(ask, asked, listed):
    whole = (await ask(asked(temperature=0.0))).output_str
    stop = whole.rstrip()[-1]
    task = await ask(asked(temperature=0.0, stop=listed(stop), max_tokens=60))
    assert task.finish_reason == "stop"
    assert stop not in task.output_str
    assert len(task.output_str) < len(whole)
