"""system_prompt: the id stays with the template."""

import copy
import pickle

import pytest

from scaffolding_core.tensorrt_llm.utils import system_prompt

PROMPT = system_prompt("You are {who}.", name="tests.you")


@pytest.mark.parametrize(
    "change",
    [
        lambda prompt: prompt.format(who="{tall}"),
        lambda prompt: prompt.format_map({"who": "{tall}"}),
        lambda prompt: copy.deepcopy(prompt.format(who="{tall}")),
        lambda prompt: pickle.loads(pickle.dumps(prompt.format(who="{tall}"))),
    ],
)
def test_a_text_that_is_filled_in_or_copied_keeps_its_id(change):
    changed = change(PROMPT)
    assert changed == "You are {tall}."
    assert changed.system_prompt_id == PROMPT.system_prompt_id


def test_the_id_comes_of_the_name_alone_and_another_text_has_none():
    assert system_prompt("Be brief.", name="tests.you").system_prompt_id == PROMPT.system_prompt_id
    assert system_prompt("You are {who}.", name="tests.other").system_prompt_id != PROMPT.system_prompt_id
    assert not hasattr(PROMPT + " Now.", "system_prompt_id")
