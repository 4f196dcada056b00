"""The JSON schema of configurations: it follows the tables, and takes what `Config` takes."""

import pytest
from jsonschema import Draft202012Validator

from scaffolding_core import Beta
from scaffolding_core.config import Config, schema
from scaffolding_core.config.method import method_options
from scaffolding_core.config.parts import NAMES
from scaffolding_core.config_text import tree_of
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.methods import METHODS
from scaffolding_core.rewards import REWARDS
from tests.core.config.test_errors import WRONG


@pytest.fixture(scope="module")
def validator():
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


GOOD = [
    "{}",
    "method: majority-vote\nsample_num: 16\nanswers: {kind: choice, choices: [A, B]}\nstop_rule: beta",
    "method: majority_vote\nextractor: [boxed, {kind: regex, pattern: x}]\nequivalence: number",
    "method: field_vote\nanswers: {price: number, day: {kind: date, day_first: true}}",
    "method: best_of_n\nreward: {kind: judge, scale: 10}\ngeneration: {method: chain_of_thought, system: x}",
    "method: best_of_n\nreward: {url: 'http://a', model: m}\nroles: {judge: 'http://b/v1', tools: [x, {url: y}]}",
    "method: weighted_vote\nreward: {kind: combined, rewards: [judge, likelihood], by: minimum}",
    "model: {url: ['http://a/v1', 'http://b/v1'], hedge_after: 3, headers: {x: y}}\nbudget: {seconds: 2}",
    "model: {path: a.gguf, n_ctx: 4096}\nsampling: {temperature: 0.8, stop: [x]}\nseed: 3",
    "model: {trtllm: folder, tensor_parallel_size: 2}",
    "method: majority_vote\nstop_rule: {$ref: rule}\ngeneration: {$ref: inner}",
    "controller: {type: NativeChatController}\nmodel: 'http://a/v1'",
]


@pytest.mark.parametrize("text", GOOD)
def test_it_takes_what_is_right(validator, text):
    tree = tree_of(text)
    validator.validate(tree.data)
    try:
        Config(tree, {"rule": Beta(), "inner": "direct"}).parts()
    except InvalidRequestError as error:
        pytest.fail(str(error))


SEEN = ("has no '", "must be a valid", "is named", "needs its kind", "needs 'p")
"""What a schema can see too."""


@pytest.mark.parametrize(
    "text", [text for text, told in WRONG if any(part in told for part in SEEN) and "ref" not in text]
)
def test_it_refuses_what_is_misspelt_or_of_the_wrong_type(validator, text):
    if "role" not in text and "controller" not in text.split()[0]:
        assert not validator.is_valid(tree_of(text).data)


def test_every_row_of_every_table_is_there():
    told = schema()
    methods = {each["properties"]["method"]["enum"][0]: each["properties"] for each in told["anyOf"][:-1]}
    assert methods.keys() == METHODS.keys()
    for row in METHODS.values():
        assert methods[row.name].keys() >= {*method_options(row), "generation", "sampling", "model", "budget"}
        assert row.summary in methods[row.name]["method"]["description"]
    for part, names in {**NAMES, "reward": REWARDS}.items():
        kinds = [
            each["properties"]["kind"]
            for each in told["$defs"][part]["anyOf"]
            if "kind" in each.get("properties", {})
        ]
        assert {name for kind in kinds for name in kind.get("enum", ())} >= {*names}
