"""The searches over the steps of one answer: what they write, what they cost, and how they end."""

import math
import re

import pytest

from scaffolding_core import (
    AssistantMessage,
    BeamSearchController,
    BestOfNController,
    Budget,
    BudgetExceededError,
    ChainOfThoughtController,
    ChatTask,
    DvtsController,
    FunctionWorker,
    GenerationTask,
    InsufficientSamplesError,
    InvalidRequestError,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    PairwiseJudge,
    ParticleFilteringController,
    ParticleGibbsController,
    RewardTask,
    ScaffoldingLlm,
    SimulatedWorker,
    StepSplitter,
    ToolCall,
    UnsupportedTaskError,
    Usage,
    UserMessage,
    WorkerError,
)

pytestmark = pytest.mark.looptime

generation, chat, reward = (
    NativeGenerationController(),
    NativeChatController(),
    NativeRewardController(role="process_reward"),
)
ALL = [BeamSearchController, DvtsController, ParticleFilteringController, ParticleGibbsController]
each = pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__.removesuffix("Controller"))


def whole(task, text):
    """An answer whose server tells that it ended by itself."""
    task.customized_result_fields = {"stop_reason": None}
    return text


class Model:
    """Says what a script says: what comes next by what was written, one list a text; records what it was asked.

    The scripted texts are whole rests of an answer; a stop ends them where the task says so, and is told.
    """

    def __init__(self, script, *, tells=True):
        self.script, self.tells = script, tells
        self.asked, self.judged, self.tasks, self.said = [], [], [], {}

    def worker(self):
        return FunctionWorker(self.answer)

    async def answer(self, task):
        if isinstance(task, RewardTask):
            return self.score(task)
        self.tasks.append(task)
        begun = task.answer_prefix or ""
        self.asked.append(begun)
        rests = self.script[begun] if isinstance(self.script, dict) else self.script(begun)
        rest = rests[self.said.get(begun, 0) % len(rests)] if isinstance(rests, list) else rests
        self.said[begun] = self.said.get(begun, 0) + 1
        if isinstance(rest, Exception):
            raise rest
        if isinstance(rest, AssistantMessage):
            return rest
        at = min((rest.find(word) for word in task.stop or () if word in rest), default=None)
        words = re.findall(r"\s*\S+|\s+$", rest[:at])
        cut = task.max_tokens is not None and len(words) > task.max_tokens
        said = "".join(words[: task.max_tokens])
        task.usage = Usage(len(begun.split()), min(len(words), task.max_tokens or len(words)), calls=1)
        if self.tells and not cut and task.stop:
            word = None if at is None else next(word for word in task.stop if rest[at:].startswith(word))
            task.customized_result_fields = {"stop_reason": word}
        return AssistantMessage(said, finish_reason="length" if cut else "stop")

    def score(self, task):
        self.judged.append(task.response.text)
        numbers = re.findall(r"\((-?[\d.]+|nan)\)", task.response.text)
        return float(numbers[-1]) if numbers else 0.5


async def search(model, kind=BeamSearchController, n=4, task="q", made_of=generation, budget=None, **options):
    method = kind(made_of, reward, n, **options)
    worker = model.worker()
    async with ScaffoldingLlm(method, {"generation": worker, "process_reward": worker}) as llm:
        return (await llm.generate_async(task, budget=budget)).output


CHAIN = {"": "a (0.5)\n\nb (0.6)\n\nc (0.7)"}
for _before in ("a (0.5)\n\n", "a (0.5)\n\nb (0.6)\n\n"):
    CHAIN[_before] = CHAIN[""][len(_before) :]


class TestSteps:
    @each
    async def test_joined_they_are_what_the_model_wrote_byte_for_byte(self, kind):
        model = Model(CHAIN)
        output = await search(model, kind)
        assert output.text == CHAIN[""]
        assert output.data["steps"] == ["a (0.5)\n\n", "b (0.6)\n\n", "c (0.7)"]
        assert (output.score, output.finish_reason, output.stopped) == (0.7, "stop", "complete")
        assert output.method == kind.__name__
        assert set(model.asked) == set(CHAIN)

    @each
    async def test_equal_partial_answers_are_scored_once_and_gone_on_with_each_by_itself(self, kind):
        model = Model(CHAIN)
        await search(model, kind)
        assert len(model.judged) == len(set(model.judged)) == 3
        assert model.asked.count("a (0.5)\n\n") > 1

    @each
    async def test_the_given_task_keeps_its_prompt_and_gets_the_result(self, kind):
        task = GenerationTask(input_str="q", max_tokens=90, stop="END")
        output = await search(Model(CHAIN), kind, task=task)
        assert (output.text, task.input_str, task.answer_prefix) == (CHAIN[""], "q", None)

    @each
    async def test_a_chat_is_gone_on_with_from_its_begun_answer(self, kind):
        begun = {f"So: {before}": rest for before, rest in CHAIN.items()}
        model = Model(begun)
        task = ChatTask(messages=[UserMessage("q")], answer_prefix="So: ")
        output = await search(model, kind, task=task, made_of=chat)
        assert output.text == CHAIN[""]
        assert {task.messages[0].text for task in model.tasks} == {"q"}

    async def test_each_kind_of_step_is_written(self):
        model = Model(lambda begun: "One. Two is here. Three."[len(begun) :])
        output = await search(model, steps=StepSplitter(by="sentences", tokens=3), n=1)
        assert output.data["steps"] == ["One.", " Two is here.", " Three."]
        model = Model(lambda begun: "one two three four five"[len(begun) :])
        output = await search(model, steps=StepSplitter(by="tokens", tokens=2), n=1)
        assert output.data["steps"] == ["one two", " three four", " five"]

    async def test_where_nobody_tells_what_stopped_it_an_empty_step_ends_the_answer(self):
        model = Model({**CHAIN, CHAIN[""] + "\n\n": ""}, tells=False)
        output = await search(model, n=1)
        assert (output.text, output.finish_reason) == (CHAIN[""], "stop")
        assert output.data["steps"][-1] == ""
        assert len(model.judged) == 3

    async def test_blank_steps_are_part_of_the_next(self):
        model = Model(lambda begun: "\n\n\n\na (0.5)\n\n\n\nb (0.6)"[len(begun) :])
        output = await search(model, n=1)
        assert output.data["steps"] == ["\n\n\n\na (0.5)\n\n", "\n\nb (0.6)"]
        assert len(model.judged) == 2

    async def test_an_answer_that_says_the_same_for_ever_ends(self):
        model = Model(lambda begun: "again\n\n" * 99)
        output = await search(model, n=1)
        assert (output.text, output.finish_reason) == ("again\n\n" * 3, "length")

    async def test_the_tasks_own_stop_ends_the_answer(self):
        model = Model({"": "a\n\nb END c", "a\n\n": "b END c"})
        output = await search(model, n=1, task=GenerationTask(input_str="q", stop="END"))
        assert output.text == "a\n\nb "
        assert model.tasks[0].stop == ["END", "\n\n"]

    async def test_where_nobody_tells_what_stopped_it_the_tasks_own_stop_may_have(self):
        model = Model({"": "a END c"}, tells=False)
        output = await search(model, n=1, task=GenerationTask(input_str="q", stop=["END"]))
        assert output.text == "a "

    async def test_the_steps_of_one_beginning_are_siblings_so_that_its_prompt_is_read_once(self):
        model = Model(CHAIN)
        await search(model, n=4, width=2)
        groups = [{id(task.group) for task in model.tasks[at : at + 2]} for at in range(0, 12, 2)]
        assert all(len(group) == 1 for group in groups)
        assert len({id(task.group) for task in model.tasks}) == 1 + 2 + 2
        assert all(task.group is not None for task in model.tasks)

    @pytest.mark.parametrize("told", ["stop", "tool_calls"])
    async def test_a_call_of_a_tool_ends_its_answer_and_is_handed_on_whole(self, told):
        call = ToolCall("1", "add", "{}")
        model = Model(
            {
                "": "a (0.9)\n\n",
                "a (0.9)\n\n": AssistantMessage("I look (0.95)", tool_calls=[call], finish_reason=told),
            }
        )
        output = await search(model, n=2, made_of=chat)
        assert output.message.tool_calls == [call]
        assert (output.text, output.finish_reason) == ("a (0.9)\n\nI look (0.95)", told)

    async def test_thoughts_that_a_server_tells_apart_cannot_be_gone_on_with(self):
        model = Model({"": AssistantMessage("", reasoning="hm", finish_reason="length")})
        with pytest.raises(UnsupportedTaskError, match="reasoning parser"):
            await search(model)

    @each
    async def test_the_tokens_of_an_answer_are_those_of_all_its_steps(self, kind):
        model = Model(lambda begun: "".join(f"w{n} x\n\n" for n in range(99))[len(begun) :])
        output = await search(model, kind, task=GenerationTask(input_str="q", max_tokens=7))
        assert output.text == "w0 x\n\nw1 x\n\nw2 x\n\nw3"
        assert output.finish_reason == "length"
        assert sorted({task.max_tokens for task in model.tasks}) == [1, 3, 5, 7]

    async def test_the_default_of_the_method_that_writes_bounds_them_too(self):
        model = Model(lambda begun: "".join(f"w{n} x\n\n" for n in range(99))[len(begun) :])
        output = await search(model, made_of=NativeGenerationController({"max_tokens": 3}))
        assert output.text == "w0 x\n\nw1"
        assert (await search(model, max_tokens=5)).text == "w0 x\n\nw1 x\n\nw2"

    async def test_so_does_that_of_a_method_deeper_inside(self):
        model = Model(lambda begun: "".join(f"w{n} x\n\n" for n in range(99))[len(begun) :])
        writer = NativeGenerationController({"max_tokens": 3})
        await search(model, made_of=ChainOfThoughtController(writer, instruction=""))
        assert max(task.max_tokens for task in model.tasks) == 3

    @each
    async def test_no_answer_has_more_steps_than_it_may(self, kind):
        model = Model(lambda begun: "".join(f"{n} (0.5)\n\n" for n in range(99))[len(begun) :])
        output = await search(model, kind, max_steps=2)
        assert (output.text, output.finish_reason) == ("0 (0.5)\n\n1 (0.5)\n\n", "length")

    async def test_each_sample_has_a_seed_of_its_own_that_depends_on_the_tasks(self):
        async def seeds(seed):
            model = Model(CHAIN)
            await search(model, task=GenerationTask(input_str="q", seed=seed))
            return [task.seed for task in model.tasks]

        once = await seeds(1)
        assert len(set(once)) == len(once)
        assert once == await seeds(1)
        assert once != await seeds(2)
        assert set(await seeds(None)) == {None}


class TestChoice:
    async def test_the_best_beginnings_go_on(self):
        model = Model(
            {
                "": ["bad (0.1)\n\n", "good (0.8)\n\n", "fine (0.7)\n\n", "poor (0.2)\n\n"],
                "good (0.8)\n\n": ["end (0.3)"],
                "fine (0.7)\n\n": ["end (0.9)", "end (0.1)"],
            }
        )
        output = await search(model, width=2)
        assert output.text == "fine (0.7)\n\nend (0.9)"
        assert sorted(model.asked) == [""] * 4 + ["fine (0.7)\n\n"] * 2 + ["good (0.8)\n\n"] * 2
        assert [candidate.score for candidate in output.candidates] == [0.3, 0.3, 0.9, 0.1]

    async def test_an_answer_that_has_ended_stays_in_the_running_by_its_score(self):
        model = Model({"": ["done (0.8)", "go (0.9)\n\n"], "go (0.9)\n\n": ["end (0.4)"]})
        output = await search(model, n=2, width=1)
        assert output.text == "done (0.8)"
        assert len(output.candidates) == 2

    async def test_an_answer_that_has_ended_goes_before_one_that_had_no_more_steps(self):
        model = Model({"": ["whole (0.3)", "go (0.9)\n\n"], "go (0.9)\n\n": "on (0.9)\n\n"})
        assert (await search(model, n=2, width=1, max_steps=2)).text == "whole (0.3)"

    async def test_a_vote_counts_a_particle_as_often_as_it_lives(self):
        model = Model({"": ["seven (0.999)", *["go (0.001)\n\n"] * 3]})
        output = await search(model, ParticleFilteringController, choose="vote")
        assert output.data["weights"] == {"seven": pytest.approx(4 * 0.999)}
        assert len(output.candidates) == 1

    async def test_a_lookahead_scores_a_step_by_where_it_leads(self):
        script = {
            "": ["trap (0.9)\n\n", "slow (0.2)\n\n"],
            "trap (0.9)\n\n": "stuck (0.1)",
            "slow (0.2)\n\n": "solved (0.8)",
        }
        assert (await search(Model(script), n=2, width=2)).text == "trap (0.9)\n\nstuck (0.1)"
        model = Model(script)
        output = await search(model, n=2, width=2, lookahead=1)
        assert output.text == "slow (0.2)\n\nsolved (0.8)"
        assert [task.temperature for task in model.tasks[:4]] == [None, None, 0.0, 0.0]

    async def test_subtrees_stay_apart_where_a_beam_goes_on_from_one(self):
        script = {
            "": ["a (0.9)\n\n", "b (0.8)\n\n", "c (0.2)\n\n", "d (0.1)\n\n"],
            "a (0.9)\n\n": "end (0.9)",
            "b (0.8)\n\n": "end (0.8)",
            "c (0.2)\n\n": "end (0.2)",
        }
        apart = await search(Model(script), DvtsController, width=2)
        assert {candidate.text[0] for candidate in apart.candidates} == {"a", "c"}
        beam = await search(Model(script), width=2)
        assert {candidate.text[0] for candidate in beam.candidates} == {"a", "b"}

    @pytest.mark.parametrize(("choose", "text"), [("score", "It is 7."), ("vote", "It is 8.0.")])
    async def test_a_vote_of_all_that_ended_may_choose_weighted_by_their_scores(self, choose, text):
        scores = {"It is 7.": 0.9, "It is 8.": 0.5, "It is 8.0.": 0.6, "Well then.": 0.8}
        drawn = iter(scores)
        workers = {
            "generation": FunctionWorker(lambda task: whole(task, next(drawn))),
            "process_reward": FunctionWorker(lambda task: scores[task.response.text]),
        }
        method = BeamSearchController(generation, reward, 4, choose=choose, answers="number")
        async with ScaffoldingLlm(method, workers) as llm:
            output = (await llm.generate_async("q")).output
        assert output.text == text
        if choose == "vote":
            assert output.data["weights"] == {"8": pytest.approx(1.1), "7": 0.9}
            assert [*output.votes.items()] == [("8", 2), ("7", 1)]
            assert output.agreement == pytest.approx(1.1 / 2.0)
        else:
            assert [*output.votes.items()] == [("7", 1), ("8", 2)]
            assert output.agreement == pytest.approx(1 / 3)

    async def test_particles_live_on_by_their_scores(self):
        script = {
            "": ["a (0.999)\n\n", "b (0.001)\n\n"],
            "a (0.999)\n\n": "end (0.9)",
            "b (0.001)\n\n": "end (0.9)",
        }
        model = Model(script)
        output = await search(model, ParticleFilteringController, n=8)
        assert model.asked.count("a (0.999)\n\n") == 8
        assert len(output.candidates) == 8

    async def test_the_sweeps_of_particle_gibbs_are_compared(self):
        drawn = iter(["a (0.3)", "b (0.2)", "c (0.9)", "d (0.4)"])
        model = Model(lambda begun: next(drawn))
        output = await search(model, ParticleGibbsController, n=2, sweeps=3)
        assert output.text == "c (0.9)"
        assert len(model.asked) == 2 + 1 + 1

    @pytest.mark.parametrize(
        ("aggregate", "text"), [("last", "b"), ("minimum", "a"), ("mean", "a"), ("product", "a")]
    )
    async def test_the_scores_of_steps_become_one(self, aggregate, text):
        scores = {"a": [0.5, 0.6], "b": [0.1, 0.8]}

        async def answer(task):
            if isinstance(task, RewardTask):
                task.step_rewards = scores[task.response.text]
                return 0.0
            return whole(task, "a" if task.seed % 2 else "b")

        worker = FunctionWorker(answer)
        method = BeamSearchController(generation, reward, 8, aggregate=aggregate)
        async with ScaffoldingLlm(method, {"generation": worker, "process_reward": worker}) as llm:
            output = (await llm.generate_async("q", seed=1)).output
        assert output.text == text


class TestFailure:
    @each
    async def test_a_step_that_fails_costs_itself_alone(self, kind):
        failures = iter([WorkerError("lost"), *[None] * 99])
        model = Model(lambda begun: next(failures) or CHAIN[begun])
        output = await search(model, kind)
        assert output.text == CHAIN[""]
        assert [str(candidate.error) for candidate in output.candidates if candidate.error] == ["lost"]

    @each
    @pytest.mark.parametrize("bad", ["nan", "inf"])
    async def test_a_step_without_a_score_costs_itself_alone(self, kind, bad):
        model = Model({"": ["a (nan)", "b (0.5)", "c (0.4)", "d (0.3)"]})
        output = await search(model, kind)
        assert output.text == "b (0.5)"
        assert sum(candidate.error is not None for candidate in output.candidates) >= 1

    async def test_a_reward_that_raises_costs_the_step_alone_and_equal_ones_with_it(self):
        asked = []

        async def score(task):
            asked.append(task.response.text)
            if task.response.text == "a":
                raise ValueError("no score for it")
            return 0.2

        drawn = iter(["a", "b", "a", "b"])
        async with ScaffoldingLlm(
            BeamSearchController(generation, reward, 4),
            {
                "generation": FunctionWorker(lambda task: whole(task, next(drawn))),
                "process_reward": FunctionWorker(score),
            },
        ) as llm:
            output = (await llm.generate_async("q")).output
        assert output.text == "b"
        assert sum(candidate.error is not None for candidate in output.candidates) == 2
        assert asked.count("b") == 1

    @each
    async def test_where_all_first_steps_fail_it_says_so(self, kind):
        with pytest.raises(InsufficientSamplesError, match="first steps succeeded; the first error: lost"):
            await search(Model({"": WorkerError("lost")}), kind)

    @each
    async def test_where_all_rewards_fail_it_says_so(self, kind):
        with pytest.raises(InsufficientSamplesError, match="finite number"):
            await search(Model({"": "a (nan)"}), kind)

    @each
    async def test_where_a_later_level_fails_the_best_beginning_is_the_result(self, kind):
        model = Model({"": ["a (0.5)\n\n"], "a (0.5)\n\n": WorkerError("lost")})
        output = await search(model, kind)
        assert (output.text, output.finish_reason) == ("a (0.5)\n\n", "length")

    async def test_what_every_step_would_meet_is_raised_at_once(self):
        model = Model({"": UnsupportedTaskError("never")})
        with pytest.raises(UnsupportedTaskError, match="never"):
            await search(model)

    async def test_a_model_that_writes_nothing_has_failed(self):
        with pytest.raises(InsufficientSamplesError, match="wrote nothing"):
            await search(Model({"": ""}))

    @each
    async def test_several_tasks_and_token_ids_are_refused(self, kind):
        method = kind(generation, reward)
        for tasks in ([], [GenerationTask(input_str="a")] * 2, [GenerationTask(input_tokens=[1])]):
            with pytest.raises(InvalidRequestError):
                next(method.process(tasks))

    @each
    def test_a_reward_that_compares_steps_is_refused_before_it_runs(self, kind):
        with pytest.raises(InvalidRequestError, match="compares samples, and a step is judged alone"):
            ScaffoldingLlm(kind(generation, PairwiseJudge()), FunctionWorker(lambda task: "a"))

    @each
    @pytest.mark.parametrize(
        "options",
        [
            {"steps": ""},
            {"max_steps": 0},
            {"aggregate": "least"},
            {"lookahead": -1},
            {"max_tokens": 0},
            {"choose": "luck"},
            {"default_sample_num": 0},
        ],
    )
    def test_other_settings_are_refused(self, kind, options):
        with pytest.raises(InvalidRequestError):
            kind(generation, reward, **options)

    def test_particles_refuse_other_weights(self):
        for options in ({"weights": "logit"}, {"temperature": 0}, {"resampling": "none"}):
            with pytest.raises(InvalidRequestError):
                ParticleFilteringController(generation, reward, **options)
        with pytest.raises(InvalidRequestError):
            BeamSearchController(generation, reward, width=0)


class TestTimeIsUp:
    async def run(self, drawn, budget, kind=BeamSearchController):
        texts = iter(drawn)
        worker = SimulatedWorker(lambda task, source: next(texts), reward=0.5, seconds_per_token=1.0)
        method = kind(generation, reward, 2, width=1)
        async with ScaffoldingLlm(method, {"generation": worker, "process_reward": worker}) as llm:
            return (await llm.generate_async("q", budget=budget)).output

    @pytest.mark.parametrize("budget", [Budget(seconds=3.5), Budget(tokens=5)])
    async def test_the_best_answer_that_has_ended_is_the_result(self, budget):
        output = await self.run(["go\n\n", "whole", *["on and on and on\n\n"] * 9], budget)
        assert (output.text, output.stopped, output.finish_reason) == ("whole", "budget", "stop")

    async def test_else_the_best_that_was_begun(self):
        output = await self.run(["go\n\n", "come\n\n", *["on and on and on\n\n"] * 9], Budget(seconds=3.5))
        assert (output.text, output.stopped) == ("go\n\n", "budget")
        assert (output.finish_reason, output.answer) == ("cancelled", None)
        assert output.candidates[-1].text == "go\n\n"

    async def test_with_none_begun_there_is_nothing_to_return(self):
        with pytest.raises(BudgetExceededError):
            await self.run(["on and on and on"] * 2, Budget(seconds=2.5))


RIGHT, LENGTH = 0.6, 5


def policy(task, source):
    """The rest of an answer of so many steps, each right with a chance; it is right where all are."""
    written = (task.answer_prefix or "").split("\n\n")[:-1]
    steps = [f"step {n} {'right' if source.random() < RIGHT else 'wrong'}" for n in range(len(written), LENGTH)]
    return "\n\n".join(steps)


def process_reward(text, source):
    """An informative reward: what went wrong is seen, most of the time."""
    return 0.1 if "wrong" in text and source.random() < 0.95 else 0.9


async def accuracy(method, runs=100):
    worker = SimulatedWorker(policy, reward=process_reward, seed=7)
    async with ScaffoldingLlm(method, {"generation": worker, "process_reward": worker}) as llm:
        results = [llm.generate_async(f"question {run}") for run in range(runs)]
        outputs = [(await result).output for result in results]
    right = sum("wrong" not in output.text for output in outputs) / runs
    return right, sum(output.usage_by_role["generation"].completion_tokens for output in outputs) / runs


class TestTheory:
    async def test_where_rewards_of_steps_inform_a_search_beats_the_best_of_as_many_samples(self):
        """A whole sample is right with a chance of 0.6 to the 5; at each step one of 8 is, nearly always."""
        best_of_n, spent = await accuracy(BestOfNController(generation, reward, 8))
        expected = 1 - (1 - RIGHT**LENGTH) ** 8
        assert abs(best_of_n - expected) < 4 * math.sqrt(expected * (1 - expected) / 100) + 0.1
        for kind, least in (
            (BeamSearchController, 0.85),
            (DvtsController, 0.75),
            (ParticleFilteringController, 0.75),
        ):
            right, tokens = await accuracy(kind(generation, reward, 8))
            assert right > max(least, best_of_n + 0.2)
            assert tokens <= spent * 1.01

    async def test_a_beam_costs_n_steps_a_level_and_a_reward_for_each_that_differs(self):
        worker = SimulatedWorker(policy, reward=process_reward)
        method = BeamSearchController(generation, reward, 8)
        async with ScaffoldingLlm(method, {"generation": worker, "process_reward": worker}) as llm:
            output = (await llm.generate_async("q")).output
        paid = output.usage_by_role
        assert paid["generation"].calls == 8 * LENGTH
        assert paid["generation"].completion_tokens == 8 * LENGTH * 3
        assert (
            paid["process_reward"].calls <= LENGTH * 2 * 2
        )  # two beginnings, each gone on with rightly or wrongly
        assert output.samples == 8

    async def test_a_level_takes_as_long_as_its_slowest_step(self, looptime):
        worker = SimulatedWorker(policy, reward=process_reward, seconds_per_token=1.0)
        method = BeamSearchController(generation, reward, 8)
        async with ScaffoldingLlm(method, {"generation": worker, "process_reward": worker}) as llm:
            await llm.generate_async("q")
        assert looptime == pytest.approx(LENGTH * 3)

    async def test_no_subtree_waits_for_another(self, looptime):
        texts = {"slow": "s " * 30, "fast": "f"}
        drawn = iter(["slow", "fast"])

        def answer(task, source):
            begun = task.answer_prefix or ""
            kind = ("slow" if "s" in begun else "fast") if begun else next(drawn)
            return f"{texts[kind].strip()}{len(begun)}" + ("\n\nmore" if begun.count("\n\n") < 2 else "")

        worker = SimulatedWorker(answer, reward=0.5, seconds_per_token=1.0)
        method = DvtsController(generation, reward, 2, width=1)
        ended = []
        async with ScaffoldingLlm(method, {"generation": worker, "process_reward": worker}) as llm:
            async for event in llm.stream("q"):
                if type(event).__name__ == "CandidateEvent":
                    ended.append(float(looptime))
        assert ended == [3.0, 90.0]
