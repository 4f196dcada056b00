"""Semantic vote: samples of free text vote by what they mean."""

import asyncio
import math

import pytest

from scaffolding_core import (
    AssistantMessage,
    AuthenticationError,
    Budget,
    FunctionWorker,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeChatController,
    ScaffoldingLlm,
    SemanticVoteController,
    ToolCall,
    UserMessage,
    WorkerError,
)
from tests.core.controllers.sampling.test_majority_vote import Says
from tests.core.controllers.selecting.test_selection import texts

pytestmark = pytest.mark.looptime
CAPITAL = ["Paris it is.", "Lyon, surely.", "It's Paris!", "The city of Lyon.", "Of course Paris."]


def city(text):
    return "Paris" if "Paris" in text else "Lyon" if "Lyon" in text else text


class Judge:
    """One answer follows from the other where they name the same city; records the pairs that it was asked of."""

    def __init__(self, entails=lambda first, second: city(first) == city(second), takes=0.0):
        self.entails, self.takes = entails, takes
        self.asked, self.cut = [], 0

    async def __call__(self, task):
        first, second = texts(task)
        self.asked.append((first, second))
        said = self.entails(first, second)
        try:
            await asyncio.sleep(self.takes)
        except asyncio.CancelledError:
            self.cut += 1
            raise
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, str) else f"Verdict: {'yes' if said else 'no'}"


async def vote(says, judge=None, *, options=None, **settings):
    generation = says if callable(says) else Says(says)
    if callable(says):
        generation = FunctionWorker(says)
    method = SemanticVoteController(NativeChatController(), settings.pop("n", None) or len(says), **settings)
    workers = {"generation": generation, "judge": FunctionWorker(judge or Judge())}
    async with ScaffoldingLlm(method, workers) as llm:
        return (await llm.generate_async([UserMessage("q")], **(options or {}))).output


def share(*counts):
    return -sum(count / sum(counts) * math.log(count / sum(counts)) for count in counts)


class TestByAJudge:
    async def test_the_largest_cluster_wins_and_what_all_were_compared_with_is_the_answer(self):
        output = await vote(CAPITAL)
        assert (output.text, output.answer) == ("Paris it is.", "Paris it is.")
        assert output.votes == {"Paris it is.": 3, "Lyon, surely.": 2}
        assert output.agreement == pytest.approx(0.6)
        assert output.data["clusters"] == [[0, 2, 4], [1, 3]]
        assert output.data["semantic_entropy"] == pytest.approx(share(3, 2))
        assert [c.votes for c in output.candidates] == [3, 2, 3, 2, 3]

    async def test_of_the_cluster_the_text_worded_as_most_word_it_is_the_answer(self):
        output = await vote(["Lyon.", "It's Paris!", "Paris it is.", "Paris it is."])
        assert output.text == "Paris it is."

    async def test_each_pair_is_asked_once_each_way_and_only_against_the_first_of_a_cluster(self):
        judge = Judge()
        output = await vote(CAPITAL, judge)
        asked = {frozenset(pair) for pair in judge.asked}
        first, second = CAPITAL[:2]
        assert asked == {*(frozenset((first, other)) for other in CAPITAL[1:]), frozenset((second, CAPITAL[3]))}
        assert len(judge.asked) == len(set(judge.asked)) == 2 * len(asked)
        assert output.usage_by_role["judge"].calls == len(judge.asked)
        assert output.data["judged"] == len(asked)

    async def test_two_mean_the_same_only_where_each_follows_from_the_other(self):
        def follows(first, second):
            return len(first) >= len(second)

        output = await vote(["It is big.", "It is big and red."], Judge(follows))
        assert output.data["clusters"] == [[0], [1]]

    async def test_the_other_way_round_is_cut_where_one_does_not_follow(self):
        judge = Judge(lambda first, second: False)

        async def later(task):
            judge.takes += 1
            return await judge(task)

        await vote(CAPITAL[:2], later)
        assert judge.cut == 1

    async def test_comparisons_with_one_cluster_run_at_the_same_time(self):
        output = await vote(CAPITAL, Judge(takes=1), options={"budget": Budget(seconds=2.5)})
        assert output.stopped == "complete"

    async def test_what_is_the_same_is_so_of_all_whatever_the_judge_says_of_other_pairs(self):
        near = {("a 1", "b 2"), ("b 2", "c 3"), ("b 2", "a 1"), ("c 3", "b 2")}
        output = await vote(["a 1", "b 2", "c 3"], Judge(lambda *pair: pair in near))
        assert output.data["clusters"] == [[0, 1], [2]]

    async def test_a_judge_that_fails_puts_nothing_together(self):
        for said in (RuntimeError("down"), "who knows"):
            output = await vote(CAPITAL, Judge(lambda *_, said=said: said))
            assert output.text == CAPITAL[0]
            assert output.data["clusters"] == [[0], [1], [2], [3], [4]]
            assert (output.data["failed"], output.data["judged"]) == (10, 0)
            assert output.data["semantic_entropy"] == pytest.approx(math.log(5))

    async def test_a_judge_whose_key_is_refused_ends_the_request(self):
        with pytest.raises(AuthenticationError):
            await vote(CAPITAL, Judge(lambda *_: AuthenticationError("no")))

    async def test_time_that_is_up_leaves_what_is_known_to_be_the_same(self):
        output = await vote(CAPITAL, Judge(takes=1), options={"budget": Budget(seconds=1.5)})
        assert (output.text, output.stopped) == (CAPITAL[0], "budget")
        assert output.data["clusters"] == [[0, 2, 4], [1], [3]]

    async def test_the_same_text_but_for_case_and_marks_needs_no_judge(self):
        judge = Judge()
        output = await vote(["Paris it is.", "paris it is", "Paris  it is!"], judge)
        assert (judge.asked, output.agreement, output.data["semantic_entropy"]) == ([], 1.0, 0.0)

    async def test_thoughts_are_not_shown_and_a_lone_sample_needs_no_judge(self):
        judge = Judge()
        await vote(["<think>Lyon?</think>Paris it is.", "Lyon."], judge)
        assert set(judge.asked[0]) == {"Paris it is.", "Lyon."}
        assert (await vote(["Paris it is."], judge)).text == "Paris it is."
        assert len(judge.asked) == 2


class TestByEmbeddings:
    def embed(self, given):
        self.given = given
        return [[1.0, 0.0] if "Paris" in text else [0.0, 1.0] for text in given]

    async def aembed(self, given):
        await asyncio.sleep(1)
        return self.embed(given)

    @pytest.mark.parametrize("name", ["embed", "aembed"])
    async def test_texts_whose_vectors_are_near_are_the_same_async_or_not(self, name):
        judge = Judge()
        output = await vote(CAPITAL, judge, embed=getattr(self, name))
        assert (output.data["clusters"], judge.asked) == ([[0, 2, 4], [1, 3]], [])
        assert self.given == CAPITAL

    async def test_the_medoid_of_the_cluster_is_the_answer(self):
        angles = {"one": 0, "two": 20, "three": 10, "four": 90}

        def embed(given):
            return [[math.cos(math.radians(angles[text])), math.sin(math.radians(angles[text]))] for text in given]

        output = await vote([*angles], embed=embed, threshold=0.9)
        assert (output.text, output.votes) == ("three", {"three": 3, "four": 1})

    async def test_the_threshold_decides(self):
        output = await vote(CAPITAL, embed=lambda given: [[1.0, len(text) / 10] for text in given], threshold=1.0)
        assert len(output.data["clusters"]) > 1

    @pytest.mark.parametrize(
        "embed",
        [
            lambda given: [[1.0]],
            lambda given: None,
            lambda given: [["a"] for _ in given],
            lambda given: [[1.0] * (1 + place) for place, _ in enumerate(given)],
            lambda given: 1 / 0,
        ],
    )
    async def test_what_makes_no_vectors_is_an_error(self, embed):
        with pytest.raises(WorkerError, match="embed"):
            await vote(CAPITAL, embed=embed)

    async def test_time_that_is_up_before_the_vectors_puts_nothing_together(self):
        output = await vote(CAPITAL, embed=self.aembed, options={"budget": Budget(seconds=0.5)})
        assert (output.text, output.stopped, len(output.data["clusters"])) == (CAPITAL[0], "budget", 5)

    def test_no_judge_is_needed(self):
        from scaffolding_core.controller import roles_of

        assert roles_of(SemanticVoteController(NativeChatController(), embed=self.embed)) == {"generation"}


async def test_a_text_that_declines_is_of_no_cluster_and_half_of_them_win():
    no = "I'm sorry, but I can't help with that."
    output = await vote([no, *CAPITAL])
    assert (output.text, output.agreement) == ("Paris it is.", pytest.approx(3 / 6))
    judge = Judge()
    output = await vote([CAPITAL[0], no, no], judge)
    assert (output.text, output.agreement, output.votes) == (no, pytest.approx(2 / 3), {no: 2, "Paris it is.": 1})


async def test_an_empty_sample_abstains_and_one_that_fails_costs_itself_alone():
    output = await vote(["<think>hm</think>", "!", "Lyon."])
    assert (output.text, output.agreement) == ("Lyon.", 1.0)
    with pytest.raises(InsufficientSamplesError):
        await vote(["!", "!", "Lyon."], min_samples=2)
    assert (await vote(["<think>hm</think>"])).data["clusters"] == []


@pytest.mark.parametrize("embed", [None, lambda given: [[1.0] for _ in given]])
async def test_what_wants_a_tool_called_is_the_same_only_as_what_wants_the_same(embed):
    def wants(at):
        return AssistantMessage(tool_calls=[ToolCall("1", "look", f'{{"at": "{at}"}}')])

    said = iter([AssistantMessage("Paris."), wants("Paris"), wants("Lyon"), wants("Paris")])
    output = await vote(lambda task: next(said), Judge(lambda *_: True), n=4, embed=embed)
    assert output.data["clusters"] == [[1, 3], [0], [2]]
    assert output.message.tool_calls == wants("Paris").tool_calls


async def test_a_kind_of_answer_is_compared_in_place_of_the_whole_text():
    output = await vote(
        ["I think so. The answer is 7", "Surely. The answer is 7"], Judge(lambda *_: False), answers="number"
    )
    assert output.agreement == 1.0


@pytest.mark.parametrize(
    "settings", [{"threshold": 2}, {"threshold": None}, {"embed": 3}, {"default_sample_num": 0}]
)
def test_what_is_out_of_range_is_refused(settings):
    with pytest.raises(InvalidRequestError):
        SemanticVoteController(NativeChatController(), **settings)
