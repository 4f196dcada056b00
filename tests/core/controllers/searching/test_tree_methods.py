"""What holds for every method that searches a tree of steps, and what each does besides."""

import asyncio
import pickle

import pytest

from scaffolding_core import (
    AssistantMessage,
    AuthenticationError,
    BadRequestError,
    BestFirstController,
    Budget,
    BudgetExceededError,
    CandidateEvent,
    ChatTask,
    DecisionEvent,
    InsufficientSamplesError,
    InvalidRequestError,
    MajorityVoteController,
    MctsController,
    NativeChatController,
    PairwiseJudge,
    ScaffoldingLlm,
    SystemMessage,
    ToolCall,
    TreeOfThoughtsController,
    Usage,
    UserMessage,
    Verdict,
    build_method,
)
from scaffolding_core.answers import Extractor
from scaffolding_core.controller import Controller
from scaffolding_core.search import BreadthFirst, Mcts
from tests.core.controllers.searching.thinker import METHODS, NEXT, PROMPTS, Thinker

pytestmark = pytest.mark.looptime
every = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
chat = NativeChatController()

TREE = {
    "": ["a", "b", "c"],
    "a": ["a1", "a2"],
    "b": ["b1", "Answer: 9"],
    "c": ["c1"],
    "a/a1": ["Answer: 7"],
    "a/a2": ["Answer: 8"],
    "b/b1": ["Answer: 6"],
    "c/c1": ["Answer: 5"],
}
WORTH = {"a": "sure", "a/a1": "sure", "a/a1/Answer: 7": "sure", "c": "impossible"}


class Seven:
    """Passes the answer 7."""

    def verify(self, message):
        return Verdict(message.text.endswith("7"), "not seven")


async def search(method, worker, prompt="q", request=None, **options):
    options = {"thoughts": "propose", **PROMPTS, **options}
    async with ScaffoldingLlm(method(chat, **options), worker) as llm:
        return (await llm.generate_async(prompt, **(request or {}))).output


@every
async def test_the_best_path_is_the_answer(method):
    output = await search(method, Thinker(TREE, WORTH), answers="number")
    assert (output.text, output.answer, output.stopped) == ("a\na1\nAnswer: 7", "7", "complete")
    assert output.data["steps"] == ["a", "a1", "Answer: 7"]
    assert (output.score, output.finish_reason) == (1.0, "stop")
    assert output.data["nodes"] == output.samples == 12
    assert output.usage.calls == 12 + 8


@every
async def test_every_step_is_a_candidate_with_its_value(method):
    output = await search(method, Thinker(TREE, WORTH))
    scores = {candidate.text: candidate.score for candidate in output.candidates}
    assert scores["a"] == 1.0
    assert scores["b"] == 0.05
    assert scores["c"] == 0.00005
    assert [candidate.index for candidate in output.candidates] == list(range(12))


AGREE = {"": ["Answer: 7", "so Answer: 7.0", "Answer: 8", "a"], "a": ["Answer: 9"]}
"""Three answers of one step each, two of them alike; and one of two steps."""


@every
async def test_it_tells_how_many_of_the_answers_agree_with_the_best(method):
    worker = Thinker(AGREE, {"Answer: 7": "sure", "a": "impossible"})
    output = await search(method, worker, final=lambda step: "Answer" in step, answers="number", max_samples=1)
    assert (output.text, output.answer, output.agreement) == ("Answer: 7", "7", pytest.approx(2 / 3))
    assert [*output.votes.items()] == [("7", 2), ("8", 1)]
    assert [candidate.votes for candidate in output.candidates] == [1, 1, 1, 1]  # each step was said once


@every
async def test_without_an_answer_nothing_agrees(method):
    output = await search(method, Thinker({"": ["a", "b"]}, {"a": "sure"}), max_depth=1)
    assert (output.text, output.votes, output.agreement) == ("a", {}, None)


@every
async def test_steps_that_are_drawn_make_the_same_tree(method):
    worker = Thinker(TREE, WORTH, proposes=False)
    output = await search(method, worker, thoughts="sample", branches=2)
    assert output.text == "a\na1\nAnswer: 7"
    assert worker.asked.count("") == 2
    assert {task.group for task in worker.tasks[:2]} != {None}


@every
async def test_equal_steps_are_evaluated_once_and_counted(method):
    worker = Thinker({"": ["a", "a", "b"], "a": ["Answer: 7"]}, WORTH, proposes=False)
    output = await search(method, worker, thoughts="sample", branches=3, max_depth=2)
    assert sorted(worker.judged) == ["a", "a/Answer: 7", "b"]
    assert {candidate.text: candidate.votes for candidate in output.candidates if candidate.text}["a"] == 2
    worker = Thinker({"": ["a", "a", "b"]}, WORTH)
    output = await search(method, worker, max_depth=1)
    assert worker.judged == ["a", "b"]
    assert [candidate.votes for candidate in output.candidates] == [2, 1]


@every
async def test_one_that_ends_while_its_like_is_judged_takes_that_judgement(method):
    class Slow(Thinker):
        async def _run(self, task):
            first, self.begun = not getattr(self, "begun", False), True
            await asyncio.sleep(0.5 if first else 0)
            await super()._run(task)

    worker = Slow({"": ["a", "a"]}, proposes=False)
    output = await search(method, worker, thoughts="sample", branches=2, max_depth=1)
    assert (worker.judged, [candidate.votes for candidate in output.candidates]) == (["a"], [2])


@every
async def test_a_chat_keeps_its_pictures_and_what_was_said_before(method):
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    before = [SystemMessage("be brief"), UserMessage("hello"), AssistantMessage("yes?")]
    worker = Thinker({"": ["Answer: 7"]})
    task = ChatTask(messages=[*before, UserMessage([{"type": "text", "text": "q"}, picture])])
    output = await search(method, worker, task)
    assert output.text == "Answer: 7"
    assert worker.tasks[0].messages[:3] == before
    assert worker.tasks[0].messages[3].content == [picture, {"type": "text", "text": NEXT}]


@every
async def test_the_task_keeps_its_prompt_and_gets_the_path(method):
    kept = []

    class Keeps(Controller):
        def process(self, tasks):
            output = yield from method(chat, thoughts="propose", **PROMPTS).process(tasks)
            kept.append((tasks[0].input_str, tasks[0].output_str))
            return output

    async with ScaffoldingLlm(Keeps(), Thinker(TREE, WORTH)) as llm:
        await llm.generate_async("q")
    assert kept == [("q", "a\na1\nAnswer: 7")]


@every
async def test_thoughts_are_shown_to_no_other_call(method):
    worker = Thinker({"": ["<think>aside</think>a"], "a": ["Answer: 7"]}, proposes=False)
    output = await search(method, worker, thoughts="sample", branches=1)
    assert worker.asked == ["", "a"]
    assert (worker.judged, output.text) == (["a", "a/Answer: 7"], "a\nAnswer: 7")


@every
@pytest.mark.parametrize("thoughts", ["sample", "propose"])
async def test_a_step_that_calls_tools_ends_its_path_and_is_handed_on_whole(method, thoughts):
    said = AssistantMessage(tool_calls=[ToolCall("1", "look", "{}")], finish_reason="tool_calls")

    class Calls(Thinker):
        async def _run(self, task):
            await super()._run(task)
            if task.messages[-1].text == f"{NEXT}a":
                task.said = said

    worker = Calls({"": ["a"], "a": ["x"]}, proposes=thoughts == "propose")
    output = await search(method, worker, thoughts=thoughts, branches=1)
    assert output.message == said
    assert worker.judged == ["a", "a/[calls look with {}]"]


@every
async def test_an_answer_that_is_verified_ends_it_and_the_rest_is_cut(method):
    worker = Thinker({"": ["a", "b", "Answer: 7"], "a": ["a1"]}, seconds=(1, 5))
    output = await search(method, worker, verifier=Seven())
    assert (output.text, output.stopped, output.judgement.verdict) == ("Answer: 7", "decided", True)
    assert (worker.judged, worker.asked) == ([], [""])
    assert [candidate.cut for candidate in output.candidates] == [False]


@every
async def test_what_was_paid_for_a_step_that_is_cut_is_told(method):
    class Slow(Thinker):
        async def _run(self, task):
            if task.messages[-1].text == f"{NEXT}b":
                task.usage = Usage(calls=1, completion_tokens=5)
                await asyncio.sleep(100)
            await super()._run(task)

    worker = Slow({"": ["a", "b"], "a": ["Answer: 7"]})
    output = await search(method, worker, verifier=Seven(), width=2)
    assert (output.text, output.stopped, worker.cut) == ("a\nAnswer: 7", "decided", 1)
    (cut,) = [candidate for candidate in output.candidates if candidate.cut]
    assert (cut.usage.completion_tokens, cut.text) == (5, "")


@every
async def test_what_no_longer_matters_is_cut_before_answers_are_read(method):
    class Slow(Thinker):
        async def _run(self, task):
            await asyncio.sleep(100 if task.messages[-1].text == f"{NEXT}b" else 0)
            await super()._run(task)

    class Reads(Extractor):
        def extract(self, message):
            running.append(worker.running)
            return message.text

    running, worker = [], Slow({"": ["a", "b"], "a": ["Answer: 7"]})
    output = await search(method, worker, verifier=Seven(), width=2, answers=(Reads(), None))
    assert (output.text, worker.cut, set(running)) == ("a\nAnswer: 7", 1, {0})


@every
async def test_of_samples_too(method):
    class Slow(Thinker):
        async def _run(self, task):
            await asyncio.sleep(len(self.tasks) * 10)
            await super()._run(task)

    worker = Slow({"": ["Answer: 8", "Answer: 7", "a"]}, proposes=False)
    output = await search(method, worker, thoughts="sample", branches=3, verifier=Seven())
    assert (output.text, output.stopped) == ("Answer: 7", "decided")


@every
async def test_what_fails_to_be_verified_is_the_worst_of_answers(method):
    tree = {"": ["Answer: 8", "a"], "a": ["Answer: 7"]}
    output = await search(method, Thinker(tree), verifier=Seven(), max_depth=2)
    assert (output.text, output.score) == ("a\nAnswer: 7", 1.0)
    (failed,) = [candidate for candidate in output.candidates if candidate.text == "Answer: 8"]
    assert (failed.verdict, failed.feedback, failed.score) == (False, "not seven", 0)


@every
async def test_a_value_that_is_enough_ends_it(method):
    worker = Thinker({"": ["Answer: 7", "a"], "a": ["a1"]}, {"Answer: 7": "sure"})
    output = await search(method, worker, enough=0.9)
    assert (output.text, output.stopped, worker.asked) == ("Answer: 7", "decided", [""])


@every
async def test_a_high_value_of_a_step_in_between_ends_nothing(method):
    output = await search(method, Thinker(TREE, WORTH), enough=0.9)
    assert output.text == "a\na1\nAnswer: 7"


@every
@pytest.mark.parametrize(("request_", "most"), [({}, 2), ({"sample_num": 1}, 1)])
async def test_no_more_samples_are_drawn_than_allowed(method, request_, most):
    worker = Thinker(TREE, WORTH)
    output = await search(method, worker, request=request_, max_samples=2)
    assert len(worker.asked) == most
    assert output.text.startswith("a")


@every
async def test_a_trial_draws_no_more_than_are_left(method):
    worker = Thinker(TREE, WORTH, proposes=False)
    await search(method, worker, thoughts="sample", branches=3, max_samples=4)
    assert len(worker.asked) == 4


class TestTimeIsUp:
    @every
    async def test_the_best_so_far_is_the_result(self, method):
        output = await search(method, Thinker(TREE, WORTH), request={"budget": Budget(seconds=3.5)})
        assert (output.text, output.stopped) == ("a", "budget")

    @every
    async def test_steps_that_were_judged_before_count(self, method):
        class Slow(Thinker):
            async def _run(self, task):
                if task.messages[-1].text.endswith("b"):
                    await asyncio.sleep(100)
                await super()._run(task)

        output = await search(method, Slow(TREE, WORTH), request={"budget": Budget(seconds=50)})
        assert (output.text, output.stopped) == ("a", "budget")
        assert {candidate.text: type(candidate.error) for candidate in output.candidates} == {
            "a": type(None), "b": BudgetExceededError, "c": type(None)
        }  # fmt: skip

    @every
    async def test_with_nothing_it_says_so(self, method):
        with pytest.raises(BudgetExceededError):
            await search(method, Thinker(TREE), request={"budget": Budget(seconds=1.5)})

    @every
    async def test_a_budget_of_samples_ends_it(self, method):
        output = await search(method, Thinker(TREE, WORTH), request={"budget": Budget(samples=4)})
        assert (output.text, output.stopped) == ("a", "budget")


class TestFailures:
    @every
    async def test_a_sample_that_fails_costs_itself_alone(self, method):
        worker = Thinker({"": ["a", ConnectionError("lost")], "a": ["Answer: 7"]}, proposes=False)
        output = await search(method, worker, thoughts="sample", branches=2)
        assert output.text == "a\nAnswer: 7"
        assert [str(candidate.error) for candidate in output.candidates if candidate.error] != []

    @every
    async def test_a_judgement_that_fails_costs_its_step(self, method):
        worker = Thinker({"": ["a", "b"]}, {"a": ConnectionError("lost"), "b": "impossible"})
        output = await search(method, worker, max_depth=1)
        assert output.text == "b"
        assert "lost" in str(output.candidates[0].error)

    @every
    async def test_where_all_fail_it_says_so(self, method):
        worker = Thinker({"": [ConnectionError("lost")]}, proposes=False)
        with pytest.raises(InsufficientSamplesError, match="no step; the last error: .*lost") as caught:
            await search(method, worker, thoughts="sample", branches=3)
        assert len(caught.value.failures) == 3

    @every
    @pytest.mark.parametrize("error", [AuthenticationError("no key"), BadRequestError("no such field")])
    async def test_what_every_trial_would_meet_is_raised_as_it_is(self, method, error):
        with pytest.raises(type(error)):
            await search(method, Thinker({"": error}))
        with pytest.raises(type(error)):
            await search(method, Thinker({"": ["a"]}, {"a": error}))

    @every
    @pytest.mark.parametrize("proposes", [True, False])
    @pytest.mark.parametrize("reply", ["", " \n---", "<think>for ever"])
    async def test_an_empty_step_is_none(self, method, proposes, reply):
        worker = Thinker({"": [reply]}, proposes=proposes)
        kind = {"thoughts": "propose" if proposes else "sample"}
        with pytest.raises(InsufficientSamplesError, match="next step"):
            await search(method, worker, **kind, branches=1)

    @every
    async def test_a_path_that_cannot_go_on_is_left(self, method):
        output = await search(method, Thinker({"": ["a", "b"], "b": ["Answer: 7"]}, {"a": "sure"}))
        assert output.text == "b\nAnswer: 7"

    @every
    async def test_a_tree_that_cannot_go_on_at_all_gives_what_it_has(self, method):
        output = await search(method, Thinker({"": ["a", "b"]}, {"b": "sure"}))
        assert (output.text, output.stopped) == ("b", "complete")

    @every
    @pytest.mark.parametrize("score", [float("nan"), float("inf"), "much", ConnectionError("lost")])
    async def test_a_reward_that_is_none_costs_its_step(self, method, score):
        worker = Thinker({"": ["a", "b"]}, {"a": score, "b": -3.0})
        output = await search(method, worker, evaluator="reward", evaluate=None, max_depth=1)
        assert (output.text, output.score) == ("b", -3)

    @every
    async def test_a_reward_that_is_none_for_all_is_an_error(self, method):
        worker = Thinker({"": ["a"]}, {"a": float("nan")})
        with pytest.raises(InsufficientSamplesError, match="finite number"):
            await search(method, worker, evaluator="process_reward", evaluate=None)

    @every
    async def test_a_reward_that_compares_steps_sees_those_of_a_trial(self, method):
        class Judges(Thinker):
            async def _run(self, task):
                if task.messages[-1].text.startswith(NEXT):
                    return await super()._run(task)
                task.output_str, task.finish_reason = "B", "stop"
                return None

        output = await search(
            method, Judges({"": ["add", "divide"]}), evaluator=PairwiseJudge(), evaluate=None, max_depth=1
        )
        assert {candidate.text for candidate in output.candidates} == {"add", "divide"}
        assert None not in {candidate.score for candidate in output.candidates}

    @every
    async def test_where_one_that_compares_fails_the_steps_have_no_value(self, method):
        worker = Thinker({"": ["a", "b"]}, {"a/b": ConnectionError("lost")})
        with pytest.raises(InsufficientSamplesError, match="lost"):
            await search(method, worker, evaluator="vote")


@every
async def test_a_question_in_words_is_needed(method):
    with pytest.raises(InvalidRequestError, match="question in words"):
        await search(method, Thinker(TREE), ChatTask(messages=[SystemMessage("be brief")]))


@every
@pytest.mark.parametrize(
    "options",
    [
        {"thoughts": "draw"},
        {"branches": 0},
        {"propose": "no place"},
        {"final": "Answer"},
        {"evaluator": "nobody"},
        {"evaluations": 0},
        {"verifier": 7},
        {"enough": "all"},
        {"width": 0},
        {"max_samples": 0},
        {"max_depth": 0},
        {"answers": "nothing of the kind"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_settings_out_of_range_are_refused(method, options):
    with pytest.raises(InvalidRequestError):
        method(chat, **options)


@every
async def test_requests_share_nothing(method):
    async with ScaffoldingLlm(method(chat, thoughts="propose", **PROMPTS), Thinker(TREE, WORTH)) as llm:
        results = await asyncio.gather(*(llm.generate_async("q") for _ in range(4)))
    assert [result.output.data["nodes"] for result in results] == [12] * 4
    assert len({id(result.output.data["search"]) for result in results}) == 4


@every
async def test_a_search_goes_on_in_another_request_as_it_was_left(method):
    whole = await search(method, Thinker(TREE, WORTH))
    begun = await search(method, Thinker(TREE, WORTH), request={"budget": Budget(seconds=3.5)})
    left = pickle.loads(pickle.dumps(begun.data["search"]))
    worker = Thinker(TREE, WORTH)
    output = await search(method, worker, request={"search": left})
    assert (output.text, output.score) == (whole.text, whole.score)
    assert "" not in worker.asked
    assert left.best().step == "a"


@every
async def test_what_is_the_best_already_needs_no_step(method):
    done = (await search(method, Thinker(TREE, WORTH))).data["search"]
    worker = Thinker(TREE, WORTH)
    output = await search(method, worker, request={"search": done})
    assert (output.text, worker.asked) == ("a\na1\nAnswer: 7", [])


@every
async def test_a_search_of_another_kind_is_refused(method):
    other = BreadthFirst() if method is MctsController else Mcts()
    with pytest.raises(InvalidRequestError, match="goes on with"):
        await search(method, Thinker(TREE), request={"search": other})


@every
async def test_it_tells_of_each_step_and_of_the_choice_while_it_runs(method):
    async with ScaffoldingLlm(method(chat, thoughts="propose", **PROMPTS), Thinker(TREE, WORTH)) as llm:
        events = [event async for event in llm.stream("q")]
    told = [event.candidate for event in events if isinstance(event, CandidateEvent) and event.branch == ()]
    assert len(told) == 12
    assert [event.candidate.text for event in events if isinstance(event, DecisionEvent)] == ["a\na1\nAnswer: 7"]


@every
async def test_each_sample_has_a_seed_of_its_own(method):
    worker = Thinker(TREE, WORTH, proposes=False)
    await search(method, worker, thoughts="sample", branches=2, request={"seed": 7})
    seeds = [task.seed for task in worker.tasks]
    assert len(set(seeds)) == len(seeds) > 6
    assert 7 not in seeds


@every
async def test_any_method_may_find_the_steps(method):
    worker = Thinker({"": ["a", "b", "a"], "a": ["Answer: 7"]}, WORTH, proposes=False)

    def voting(generation, **options):
        return method(MajorityVoteController(generation, 3), **options)

    output = await search(voting, worker, thoughts="sample", branches=1)
    assert output.text == "a\nAnswer: 7"


def test_by_its_name_it_takes_a_number_of_samples_and_its_options():
    method = build_method("mcts", sample_num=5, evaluator="process_reward", width=3)
    assert (method.max_samples, method.width) == (5, 3)
    with pytest.raises(InvalidRequestError, match="options"):
        build_method("mcts", size=3)


async def test_the_general_prompts_say_the_question_and_the_steps_and_when_to_end():
    asked = []

    class Plain(Thinker):
        async def _run(self, task):
            asked.append(task.messages[-1].text)
            task.output_str, task.finish_reason = "sure" if "impossible" in asked[-1] else "one more", "stop"

    output = await search(
        BestFirstController, Plain({}), "why?", propose=None, evaluate=None, max_depth=2, branches=2
    )
    first, judged, second, _ = asked
    assert all(part in first for part in ("why?", "(none yet)", "2 different"))
    assert all(part in judged for part in ("why?", "one more"))
    assert all(part in second for part in ("why?", "one more", "final answer now"))
    assert "final answer now" not in first
    assert output.text == "one more\none more"


async def test_the_judge_sees_what_was_said_before():
    judged = []

    class Plain(Thinker):
        async def _run(self, task):
            if task.worker_tag == "judge":
                judged.append(task.messages[-1].text)
            task.output_str, task.finish_reason = "sure", "stop"

    before = [SystemMessage("be brief"), UserMessage("hello"), AssistantMessage("<think>hm</think>yes?")]
    task = ChatTask(messages=[*before, UserMessage("why?")])
    await search(BestFirstController, Plain({}), task, evaluate=None, max_depth=1)
    (text,) = judged
    assert all(part in text for part in ("system:\nbe brief", "user:\nhello", "assistant:\nyes?", "user:\nwhy?"))


class TestAtTheSameTime:
    async def took(self, method, worker, **options):
        started = asyncio.get_running_loop().time()
        await search(method, worker, **options)
        return asyncio.get_running_loop().time() - started

    async def test_a_level_takes_as_long_as_its_slowest_step(self):
        assert await self.took(TreeOfThoughtsController, Thinker(TREE, WORTH)) == pytest.approx(3 * 2)

    async def test_a_sample_is_judged_while_others_are_drawn(self):
        class Slow(Thinker):
            async def _run(self, task):
                if task.messages[-1].text == NEXT and self.asked:
                    await asyncio.sleep(1)
                await super()._run(task)

        worker = Slow({"": ["a", "b"]}, proposes=False)
        options = {"thoughts": "sample", "branches": 2, "max_depth": 1}
        assert await self.took(BestFirstController, worker, **options) == pytest.approx(3)

    async def test_depth_first_runs_one_after_another_unless_told(self):
        depth_first = METHODS["depth_first"]
        assert await self.took(depth_first, Thinker(TREE, WORTH)) == pytest.approx(8 * 2)
        assert await self.took(depth_first, Thinker(TREE, WORTH), width=4) < 8 * 2

    async def test_sixteen_trials_of_mcts_run_at_once_on_paths_of_their_own(self):
        tree = {"": [f"s{number}" for number in range(16)]}
        worker = Thinker(tree | {step: ["Answer: 7"] for step in tree[""]})
        assert await self.took(MctsController, worker, width=16, max_depth=2) == pytest.approx(4)
        assert sorted(worker.asked[1:]) == sorted(tree[""])

    async def test_a_trial_begins_as_soon_as_another_ends(self):
        class Uneven(Thinker):
            async def _run(self, task):
                await asyncio.sleep(9 if task.messages[-1].text == f"{NEXT}b" else 0)
                await super()._run(task)

        assert await self.took(MctsController, Uneven(TREE, WORTH), width=2) < 2 + 11 + 5


class TestTreeOfThoughts:
    async def test_the_best_of_each_level_go_on(self):
        worker = Thinker(TREE, WORTH)
        output = await search(TreeOfThoughtsController, worker, keep=1)
        assert worker.asked == ["", "a", "a/a1"]
        search_ = output.data["search"]
        assert [search_.path(node) for node in search_.kept] == [["a", "a1", "Answer: 7"]]

    async def test_depth_first_leaves_what_is_not_above_the_threshold(self):
        worker = Thinker(TREE, WORTH)
        await search(METHODS["depth_first"], worker, threshold=0.05)
        assert worker.asked == ["", "a", "a/a1"]

    async def test_votes_choose_among_the_steps_of_a_path(self):
        worker = Thinker({"": ["a", "b"]}, {"a/b": "Winner: 2"})
        output = await search(TreeOfThoughtsController, worker, evaluator="vote", evaluations=3, max_depth=1)
        assert (output.text, output.score, worker.judged) == ("b", 1.0, ["a/b"] * 3)

    @pytest.mark.parametrize("options", [{"order": "best"}, {"keep": 0}, {"order": "dfs", "threshold": "low"}])
    def test_settings_out_of_range_are_refused(self, options):
        with pytest.raises(InvalidRequestError):
            TreeOfThoughtsController(chat, **options)


class TestMcts:
    async def test_the_tree_is_kept_over_turns(self):
        first = await search(MctsController, Thinker(TREE, WORTH), max_samples=2, width=1)
        tree = first.data["search"]
        (taken,) = [node.id for node in tree.nodes.values() if node.step == "a"]
        worker = Thinker(TREE, WORTH)
        output = await search(MctsController, worker, request={"search": tree.rerooted(taken)})
        assert output.text == "a\na1\nAnswer: 7"
        assert not {"", "a", "b", "c"} & set(worker.asked)
        assert output.data["search"].visits[taken] > tree.visits[taken] > 1
