"""Options of a request, roles and defaults: what goes to the method, and what a wrapped model never sees.

On scripted models that keep what they were called with.
"""

import time

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_scaffolding import ChatScaffolding, ScaffoldingLLM, ScaffoldingRunnable, with_best_of_n
from langchain_scaffolding import with_majority_vote as voted_on
from langchain_scaffolding.judging.verdicts import feedback_of
from langchain_scaffolding.middleware import ScaffoldingMiddleware
from scaffolding_core import (
    ANSWER_OPTIONS,
    REQUEST_OPTIONS,
    BestOfNController,
    Budget,
    Controller,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    MissingWorkerError,
    NativeChatController,
    NativeRewardController,
    StepBackController,
)
from tests.langchain.doubles import FULL, KnownLLM, Scripted

GIVEN = {
    "budget": Budget(tokens=10_000),
    "deadline": time.monotonic() + 3600,
    "priority": 3,
    "seed": 7,
    "metadata": {"user": "me"},
    "trace": True,
    "answers": "number",
}


class TestAWrappedModelNeverGets:
    def seen(self, model, inner, names, **given):
        model.invoke("q", **given)
        kwargs = [kwargs for _, kwargs in inner.calls]
        assert len(kwargs) == 3
        assert not any(names & kwargs.keys() for kwargs in kwargs)
        return kwargs

    @pytest.mark.parametrize(("kind", "double"), [(ChatScaffolding, Scripted), (ScaffoldingLLM, KnownLLM)])
    def test_options_of_the_request_nor_of_what_is_compared(self, kind, double):
        inner = double(answers=["7"])
        model = kind.wrap(inner, sample_num=3, method_options=FULL)
        # LangChain's own `metadata` of a call is another thing, and it takes that name for itself.
        given = {name: value for name, value in GIVEN.items() if name != "metadata"}
        kwargs = self.seen(model, inner, (REQUEST_OPTIONS | ANSWER_OPTIONS) - {"seed"}, **given)
        seeds = {call["seed"] for call in kwargs}
        assert len(seeds) == 3
        assert GIVEN["seed"] not in seeds

    def test_nor_does_a_chain(self):
        calls = []

        def chain(question, **kwargs):
            calls.append((question, kwargs))
            return "7"

        model = ScaffoldingRunnable.wrap(RunnableLambda(chain), sample_num=3, method_options=FULL)
        model.invoke("q", **GIVEN)
        assert len(calls) == 3
        names = REQUEST_OPTIONS | ANSWER_OPTIONS
        assert all(names & kwargs.keys() <= {"seed"} for _, kwargs in calls)

    @pytest.mark.parametrize("name", sorted(ANSWER_OPTIONS))
    def test_what_a_method_without_answers_cannot_take(self, name):
        inner = Scripted(answers=["7"])
        with pytest.raises(InvalidRequestError, match=f"takes no {name}"):
            ChatScaffolding.wrap(inner, "direct").invoke("q", **{name: "number"})
        assert inner.calls == []


class Reviewed(Controller):
    """An answer, and behind it what a critic says of it."""

    def __init__(self):
        self.generation, self.critic = NativeChatController(), NativeChatController(role="critic")

    def process(self, tasks):
        yield from self.generation.process(tasks)
        words = tasks[0].copy()
        yield from self.critic.process([words])
        tasks[0].output_str += f", {words.output_str}"
        tasks[0].original = None


class TestRoles:
    @pytest.mark.parametrize(
        "critic", [Scripted(answers=["no"]), FunctionWorker(lambda task: "no"), RunnableLambda(lambda asked: "no")]
    )
    async def test_a_model_a_chain_or_a_worker_plays_one(self, critic):
        model = ChatScaffolding.wrap(Scripted(answers=["7"]), Reviewed(), roles={"critic": critic})
        assert model.invoke("q").content == "7, no"
        assert (await model.ainvoke("q")).content == "7, no"

    def test_one_that_nobody_plays_is_said_when_the_model_is_made(self):
        for made in (lambda: ChatScaffolding.wrap(Scripted(answers=["7"]), Reviewed()),
                     lambda: ScaffoldingMiddleware(Reviewed())):  # fmt: skip
            with pytest.raises(MissingWorkerError, match="Reviewed needs .* 'critic': pass roles="):
                made()
        ScaffoldingMiddleware(Reviewed(), roles={"critic": Scripted(answers=["no"])})

    def test_one_that_scores_takes_whatever_a_reward_may_be(self):
        judge = RunnableLambda(lambda asked: {"score": len(asked["answer"])})
        by_steps = BestOfNController(NativeChatController(), NativeRewardController(role="process_reward"), 2)
        for method, role in (("best_of_n", "reward"), (by_steps, "process_reward")):
            model = ChatScaffolding.wrap(Scripted(answers=["7", "seven"]), method, roles={role: judge})
            assert model.invoke("q").content == "seven"

    @pytest.mark.parametrize(("kind", "double"), [(ChatScaffolding, Scripted), (ScaffoldingLLM, KnownLLM)])
    async def test_models_in_numbered_ones_take_turns_at_the_samples(self, kind, double):
        models = [double(answers=[answer]) for answer in ("7", "8", "8")]
        roles = {"generation.1": models[1], "generation.2": models[2]}
        voting = kind.wrap(models[0], sample_num=3, roles=roles, method_options=FULL)
        for answer in (voting.invoke("q"), await voting.ainvoke("q")):
            assert getattr(answer, "content", answer) == "8"
        assert [len(model.calls) for model in models] == [2, 2, 2]

    async def test_a_stream_shows_nothing_that_is_decided_on_the_way_to_the_answer(self):
        roles = {"strong": Scripted(answers=["42"])}
        cascade = ChatScaffolding.wrap(Scripted(answers=["7", "8"]), "cascade", sample_num=2, roles=roles)
        assert "".join(chunk.text for chunk in cascade.stream("q")) == "42"
        assert "".join([chunk.text async for chunk in cascade.astream("q")]) == "42"
        voting = MajorityVoteController(NativeChatController(), 2, stop_rule="full")
        told = Scripted(answers=["principles", "principles", "42", "42"])
        stepping = ChatScaffolding.wrap(told, StepBackController(voting))
        assert "".join(chunk.text for chunk in stepping.stream("q")) == "42"

    @pytest.mark.parametrize("roles", [["critic"], {"critic": 3}])
    def test_what_cannot_play_one_is_refused(self, roles):
        with pytest.raises(InvalidRequestError, match="roles must map|needs a chat model or a chain"):
            ChatScaffolding.wrap(Scripted(answers=["7"]), Reviewed(), roles=roles)


@pytest.mark.parametrize("wrapped", [Scripted(answers=["7"]), KnownLLM(answers=["7"]), RunnableLambda(str)])
def test_without_a_number_of_samples_a_method_takes_its_own(wrapped):
    inner = NativeChatController()
    for made, method in (
        (voted_on(wrapped), MajorityVoteController(inner)),
        (with_best_of_n(wrapped, lambda prompt, answer: 1.0), BestOfNController(inner, NativeRewardController())),
    ):
        sampler = getattr(made, "first", made)
        own = sampler.backend.controller(sampler.method, sampler.method_options)
        assert (sampler.sample_num, own.default_sample_num) == (None, method.default_sample_num)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"score": 0, "feedback": "too short"}, "too short"),
        ({"score": 0, "value": "N", "reasoning": "wrong"}, "wrong"),
        ({"key": "correctness", "score": False, "comment": "off by one"}, "off by one"),
        ({"score": 1, "feedback": ""}, None),
        (0.5, None),
        ("yes", None),
    ],
)
def test_the_words_of_a_judge_are_what_a_retry_is_told(said, words):
    assert feedback_of(said) == words


def test_a_retry_is_told_what_a_judge_of_langchain_says():
    inner = Scripted(answers=["5", "7"])

    def judge(prompt, answer):
        return {"score": answer == "7", "comment": f"{answer} is odd"}

    assert ChatScaffolding.wrap(inner, "retry_with_feedback", reward=judge).invoke("q").content == "7"
    assert "5 is odd" in inner.calls[1][0][-1].content
