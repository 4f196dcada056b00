"""An answer is held to a structure."""

import json
import re

import pytest

from tests.engines.engine import ASKING, DIGITS


@pytest.mark.needs("JSON schema")
async def test_an_answer_follows_its_json_schema(engine, ask):
    task = await ask(ASKING["JSON schema"](engine))
    assert isinstance(json.loads(task.output_str)["age"], int)


@pytest.mark.needs("regex")
async def test_an_answer_matches_its_pattern(engine, ask):
    task = await ask(ASKING["regex"](engine))
    assert re.fullmatch(DIGITS, task.output_str)
