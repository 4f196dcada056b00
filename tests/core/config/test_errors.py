"""What is wrong in a configuration is one typed error of one sentence: where it stands, and what there is."""

import pytest

from scaffolding_core.config import Config
from scaffolding_core.config_text import tree_of
from scaffolding_core.errors import InvalidRequestError

WRONG = [
    ("", "f: a configuration must hold a mapping, got NoneType"),
    ("[direct]", "f:1:1: a configuration must hold a mapping, got list"),
    (
        "method: majority_vot",
        "f:1:1: no method is named 'majority_vot', did you mean 'majority_vote'? there are: direct",
    ),
    ("method: [x]", "f:1:1: no method is named ['x']; there are: direct"),
    ("\nmodle: x", "f:2:1: the method 'direct' has no 'modle', did you mean 'model'? there are: "),
    ("answers: number", "f:1:1: the method 'direct' has no 'answers'; there are: "),
    (
        "method: best_of_n\ndefault_sample_num: 3",
        "f:2:1: the method 'best_of_n' has no 'default_sample_num', did you mean",
    ),
    ("method: majority_vote\nsample_num: many", "f:2:1: sample_num must be a valid integer, got 'many'"),
    ("method: majority_vote\nsample_num: 0", "f:2:1: sample_num must be a whole number of at least 1, got 0"),
    ("method: majority_vote\nmin_samples: true", "f:2:1: min_samples must be a valid integer, got True"),
    ("method: majority_vote\nanswers: numbr", "f:2:1: no kind of answer is named 'numbr', did you mean 'number'?"),
    (
        "method: majority_vote\nanswers: {kind: choice, chioces: [A]}",
        "f:2:25: the kind of answer 'choice' has no 'chioces'",
    ),
    (
        "method: majority_vote\nanswers: {choices: [A]}",
        "f:2:1: the kind of answer needs its kind; there are: auto",
    ),
    (
        "method: majority_vote\nstop_rule: {kind: beta, confidence: high}",
        "f:2:25: confidence must be a valid number",
    ),
    ("method: majority_vote\nstop_rule: {kind: beta, confidence: 3}", "f:2:1: "),
    ("method: majority_vote\nextractor: regex", "f:2:1: the extractor 'regex' needs 'pattern'"),
    (
        "method: majority_vote\nextractor: [boxed, {kind: regex, pattern: '('}]",
        "f:2:20: the pattern '(' does not compile",
    ),
    ("method: majority_vote\ngeneration: 3", "f:2:1: a method must be a mapping of names to values, got 3"),
    (
        "method: majority_vote\ngeneration:\n  methd: direct",
        "f:3:3: the method 'direct' has no 'methd', did you mean",
    ),
    (
        "method: majority_vote\ngeneration: direct\nsampling: {seed: 1}",
        "f:3:1: sampling is of the generation itself",
    ),
    ("sampling: {temprature: 1}", "f:1:12: sampling has no 'temprature', did you mean 'temperature'?"),
    ("sampling: {temperature: hot}", "f:1:12: temperature must be a valid number, got 'hot'"),
    ("sampling: {seed: 3}", "f:1:12: one seed would make all samples alike: write it at the top"),
    ("roles: {critic: {$ref: x}}", "f:1:9: no object is named 'x'"),
    ("sampling: hot", "f:1:1: sampling must be a mapping of names to values, got 'hot'"),
    ("system: [x]", "f:1:1: system must be a text, got ['x']"),
    ("method: best_of_n\nreward: juge", "f:2:1: no reward is named 'juge', did you mean 'judge'?"),
    ("method: best_of_n\nreward: {scale: 3}", "f:2:1: no reward is named None; there are: judge"),
    ("method: best_of_n\nreward: {kind: judge, scale: x}", "f:2:23: scale must be a valid integer, got 'x'"),
    ("method: best_of_n\nreward: {kind: exact}", "f:2:1: the reward 'exact' needs 'reference'"),
    ("method: best_of_n\nreward: {url: 'http://a', modl: x}", "f:2:27: the reward 'http://a' has no 'modl'"),
    ("method: best_of_n\nreward: {kind: combined, rewards: [judge, jury]}", "f:2:43: no reward is named 'jury'"),
    ("method: best_of_n\nreward: judge\nroles: {reward: judge}", "f:3:9: the role 'reward' is given twice"),
    (
        "method: best_of_n\nreward: judge\nroles: {jugde: 'http://a/v1'}",
        "f:1:1: best_of_n has no role 'jugde': did you mean",
    ),
    ("method: best_of_n", "f:1:1: best_of_n needs a worker for the role 'reward'"),
    (
        "method: tree_of_thoughts\nevaluator: reward\nroles: {reward: likelihood}",
        "f:1:1: a path tells no log probabilities of its steps",
    ),
    (
        "method: reflexion\nroles: {reward: pairwise_judge}",
        "f:1:1: PairwiseJudge compares samples, and a try is judged alone",
    ),
    (
        "method: deepconf_online\ngeneration: {method: majority_vote, sample_num: 3}",
        "f:1:1: MajorityVoteController draws several samples at once",
    ),
    ("model: 3", "f:1:1: a worker must be an address, a list of them or a mapping, got int"),
    ("model: {model: x}", "f:1:1: a worker needs one of url, path, trtllm, and has 0 of them"),
    ("model: {url: 'http://a', path: x}", "f:1:1: a worker needs one of url, path, trtllm, and has 2 of them"),
    ("model: {url: 'http://a', api_ky: x}", "f:1:26: a worker has no 'api_ky', did you mean 'api_key'?"),
    ("model: {url: 'ftp://a'}", "f:1:1: base_url must be like http"),
    (
        "model:\n  url: http://a\n  api_key: ${NOT_SET_ANYWHERE}",
        "f:3:3: the environment has no variable NOT_SET_ANYWHERE",
    ),
    ("roles: {critic: 3}", "f:1:9: a worker must be an address, a list of them or a mapping, got int"),
    ("roles: [x]", "f:1:1: roles must be a mapping of names to values"),
    ("roles: {tools: [{urll: x}]}", "f:1:18: a server of tools has no 'urll', did you mean 'url'?"),
    ("roles: {tools: [{prefix: x}]}", "f:1:17: a server of tools needs its url, or its command"),
    ("roles: {code: {backend: none}}", "f:1:1: "),
    ("budget: {second: 3}", "f:1:10: the budget has no 'second', did you mean 'seconds'?"),
    ("budget: {seconds: -1}", "f:1:1: budget seconds must be above 0, got -1"),
    ("budget: {tokens: 1.5}", "f:1:10: tokens must be a valid integer"),
    ("seed: x", "f:1:1: seed must be of type int, got 'x'"),
    ("deadline: 3", "f:1:1: the method 'direct' has no 'deadline'"),
    ("method: majority_vote\nstop_rule: {$ref: rule}", "f:2:1: no object is named 'rule'; there are: none"),
    (
        "controller: {type: MajorityVoteControler}",
        "f:1:1: controller: unknown controller type 'MajorityVoteControler'",
    ),
    (
        "controller: {type: NativeChatController}\nmethod: direct",
        "f:2:1: a configuration with a controller has no 'method'",
    ),
    ("controller: 3", "f:1:1: the controller must be a mapping"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG, ids=[text.replace("\n", "; ") for text, _ in WRONG])
def test_the_error_says_where_and_what_there_is(text, sentence):
    with pytest.raises(InvalidRequestError) as raised:
        Config(tree_of(text, "f")).llm()
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)
