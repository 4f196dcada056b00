"""What a model says of paths."""

import pytest

from scaffolding_core import (
    AssistantMessage,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeRewardController,
    ScaffoldingLlm,
    ScoreJudge,
    UserMessage,
    WorkerError,
)
from scaffolding_core.controller import roles_of
from scaffolding_core.controllers.searching.state_judges import PathTask, StateJudge, VoteJudge, evaluator_of
from tests.core.doubles import Method

judge = NativeChatController(role="judge")


async def judged(evaluator, replies, *paths):
    """The scores of paths by a judge whose replies are given in order; an exception among them is raised."""
    left, asked = iter(replies), []

    async def reply(task):
        asked.append(task.messages[-1].text)
        said = next(left)
        if isinstance(said, Exception):
            raise said
        return said

    def score(tasks):
        tasks = [
            PathTask(input_str="q", response=AssistantMessage("\n".join(p)), question="q", steps=p) for p in paths
        ]
        return (yield from evaluator.process(tasks))

    async with ScaffoldingLlm(Method(lambda tasks: keep(score(tasks))), FunctionWorker(reply)) as llm:
        scores = (await llm.generate_async("q")).output.data["scores"]
    return scores, asked


def keep(steps):
    from scaffolding_core import ScaffoldingOutput

    scores = yield from steps
    return ScaffoldingOutput("", data={"scores": scores})


async def test_words_count_in_the_proportions_of_the_paper_and_their_mean_is_the_value():
    scores, asked = await judged(
        StateJudge(judge, evaluations=3), ["it works\nsure", "likely", "Impossible."], ("a",)
    )
    assert scores == [pytest.approx((1 + 0.05 + 0.00005) / 3)]
    assert len(set(asked)) == 1


async def test_what_cannot_be_read_counts_as_nothing():
    scores, _ = await judged(StateJudge(judge, evaluations=2), ["sure", "who knows"], ("a",))
    assert scores == [0.5]


async def test_one_that_fails_does_not_count():
    scores, _ = await judged(StateJudge(judge, evaluations=2), ["sure", ConnectionError("lost")], ("a",))
    assert scores == [1]


async def test_where_all_fail_it_has_failed():
    with pytest.raises(WorkerError, match="lost"):
        await judged(StateJudge(judge, evaluations=2), [ConnectionError("lost")] * 2, ("a",))


async def test_a_verdict_that_stands_in_the_steps_is_an_echo():
    scores, _ = await judged(StateJudge(judge), ["sure"], ("a\nsure",))
    assert scores == [0]


async def test_a_number_goes_from_nothing_to_all():
    scores, _ = await judged(
        StateJudge(judge, "score"), ["Score: 1", "Score: 10", "Score: 5.5"], ("a",), ("b",), ("c",)
    )
    assert scores == [0, 1, 0.5]


@pytest.mark.parametrize(("sampling", "most"), [(None, 1024), ({"max_tokens": 4096}, 4096)])
async def test_what_a_judge_says_has_a_limit_where_it_has_none_of_its_own(sampling, most):
    limits = []

    async def reply(task):
        limits.append(task.max_tokens)
        return "sure"

    task = PathTask(input_str="q", response=AssistantMessage("a"), question="q", steps=("a",))
    method = Method(lambda tasks: keep(StateJudge(NativeChatController(sampling)).process([task])))
    async with ScaffoldingLlm(method, FunctionWorker(reply)) as llm:
        await llm.generate_async("q")
    assert limits == [most]


async def test_pictures_of_the_chat_are_judged_with_the_steps():
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    chat = [UserMessage([picture, {"type": "text", "text": "What is this?"}])]
    asked = []

    async def reply(task):
        asked.append(task.messages[-1].content)
        return "sure"

    def score(judges):
        task = PathTask(messages=chat, response=AssistantMessage("a"), question="What is this?", steps=("a",))
        return keep(judges.process([task]))

    for judges in (StateJudge(judge), StateJudge(judge, prompt="{question} {steps}")):
        async with ScaffoldingLlm(
            Method(lambda tasks, judges=judges: score(judges)), FunctionWorker(reply)
        ) as llm:
            await llm.generate_async("q")
    (told, one), (own, other) = asked
    assert one == other == picture
    assert "What is this?" in told["text"]
    assert own == {"type": "text", "text": "What is this? a"}


async def test_any_method_may_judge():
    scores, _ = await judged(StateJudge(MajorityVoteController(judge, 3)), ["sure"] * 3, ("a",))
    assert scores == [1]


async def test_a_prompt_of_ones_own_gets_question_and_steps():
    _, asked = await judged(StateJudge(judge, prompt="{question}? {steps}"), ["sure"], ("a", "b"))
    assert asked == ["q? a\nb"]


async def test_votes_are_shares():
    scores, asked = await judged(
        VoteJudge(judge, evaluations=4), ["Winner: 2", "2", "1", "no idea"], ("a",), ("b",)
    )
    assert scores == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
    assert "a" in asked[0]


async def test_of_one_path_nobody_is_asked():
    assert await judged(VoteJudge(judge), [], ("a",)) == ([1.0], [])


async def test_without_any_vote_it_has_failed():
    with pytest.raises(WorkerError, match="none of the paths"):
        await judged(VoteJudge(judge), ["all are fine"], ("a",), ("b",))


class TestEvaluators:
    @pytest.mark.parametrize(
        ("name", "role"),
        [("value", "judge"), ("score", "judge"), ("vote", "judge"), ("reward", "reward"),
         ("process_reward", "process_reward")],
    )  # fmt: skip
    def test_each_asks_a_role(self, name, role):
        assert roles_of(evaluator_of(name, None, None, 1)) == {role}

    def test_a_judge_of_ones_own_is_asked_in_the_roles_place(self):
        assert roles_of(evaluator_of("value", NativeChatController(), None, 1)) == {"generation"}

    def test_any_reward_does(self):
        mine = ScoreJudge()
        assert evaluator_of(mine, judge, None, 1) is mine

    @pytest.mark.parametrize("evaluator", ["rewards", 7, None, NativeRewardController])
    def test_what_evaluates_nothing_is_refused(self, evaluator):
        with pytest.raises(InvalidRequestError, match="evaluator must be"):
            evaluator_of(evaluator, None, None, 1)

    @pytest.mark.parametrize("more", [{"prompt": "{steps}", "evaluations": 1}, {"prompt": None, "evaluations": 3}])
    def test_a_prompt_for_one_that_asks_nobody_is_refused(self, more):
        with pytest.raises(InvalidRequestError, match="nobody is asked"):
            evaluator_of("reward", None, **more)
