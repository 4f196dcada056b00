"""LatsController: what failed teaches what comes next."""

import pytest

from scaffolding_core import InvalidRequestError, LatsController, NativeChatController, ScaffoldingLlm, Verdict
from tests.core.controllers.searching.thinker import JUDGE, NEXT, PROMPTS, Thinker

pytestmark = pytest.mark.looptime
TREE = {"": ["Answer: 8", "a"], "a": ["Answer: 9", "b"], "a/b": ["Answer: 7"]}
PROMPTS = {**PROMPTS, "reflect": lambda question, steps: "why: " + "/".join(steps)}


class Seven:
    """Passes the answer 7."""

    def verify(self, message):
        return Verdict(message.text.endswith("7"), "not seven")


class Learns(Thinker):
    """Reflects, and keeps all that it was asked for next steps."""

    def __init__(self, *args, lesson="mind the sum", **options):
        super().__init__(*args, **options)
        self.lesson, self.reflected, self.prompts = lesson, [], []

    async def _run(self, task):
        text = task.messages[-1].text
        if text.startswith("why: "):
            self.reflected.append(text.removeprefix("why: "))
            task.output_str, task.finish_reason = self._raised(self.lesson), "stop"
            return
        if not text.startswith(JUDGE):
            self.prompts.append(text)
            task.messages = [type(task.messages[-1])(text.split("\n")[0])]
        await super()._run(task)


async def search(worker, **options):
    options = {"thoughts": "propose", "width": 1, "verifier": Seven(), **PROMPTS, **options}
    async with ScaffoldingLlm(LatsController(NativeChatController(), **options), worker) as llm:
        return (await llm.generate_async("q")).output


async def test_what_failed_is_reflected_on_and_told_to_later_trials():
    worker = Learns(TREE)
    output = await search(worker)
    assert (output.text, output.stopped) == ("a\nb\nAnswer: 7", "decided")
    assert worker.reflected[0] == "Answer: 8/It was judged so: not seven"
    assert worker.prompts[0] == NEXT
    assert "mind the sum" in worker.prompts[1]
    assert output.data["search"].lessons == ["mind the sum"]


async def test_an_answer_whose_value_is_too_low_has_failed_too():
    worker = Learns(TREE, {"Answer: 8": "impossible", "a/Answer: 9": "sure"})
    output = await search(worker, verifier=None)
    assert (output.text, worker.reflected) == ("a\nAnswer: 9", ["Answer: 8"])


@pytest.mark.parametrize("most", [0, 1])
async def test_no_more_than_allowed_are_made(most):
    worker = Learns(TREE)
    await search(worker, reflections=most)
    assert len(worker.reflected) == most


@pytest.mark.parametrize("lesson", [ConnectionError("lost"), "", "<think>for ever"])
async def test_a_reflection_that_fails_costs_nothing_else(lesson):
    output = await search(Learns(TREE, lesson=lesson))
    assert (output.text, output.data["search"].lessons) == ("a\nb\nAnswer: 7", [])


async def test_samples_that_agree_raise_a_value():
    worker = Learns({"": ["a", "a", "b"]}, {"a": "likely", "b": "likely"}, proposes=False)
    output = await search(worker, thoughts="sample", branches=3, max_depth=1, verifier=None)
    values = {node.step: node.value for node in output.data["search"].nodes.values()}
    assert values["a"] == pytest.approx((0.05 + 2 / 3) / 2)
    assert values["b"] == pytest.approx((0.05 + 1 / 3) / 2)


@pytest.mark.parametrize("options", [{"reflections": -1}, {"reflect": "why?"}, {"self_evaluation": 2}])
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(InvalidRequestError):
        LatsController(NativeChatController(), **options)
