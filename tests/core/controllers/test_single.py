"""Methods with one branch: native generation, native chat, chain of thought."""

import asyncio

import pytest

from scaffolding_core import (
    BestOfNController,
    Boxed,
    Budget,
    ChainOfThoughtController,
    ChatTask,
    Delta,
    FieldVoteController,
    FunctionWorker,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    RetryWithFeedbackController,
    ScaffoldingLlm,
    SystemMessage,
    UserMessage,
)
from scaffolding_core.worker import Worker

single = NativeGenerationController()


async def seen_by(controller, prompt, answer="it is 7", **options):
    tasks = []

    async def backend(task):
        tasks.append(task)
        return answer

    async with ScaffoldingLlm(controller, FunctionWorker(backend)) as llm:
        result = await llm.generate_async(prompt, **options)
    return tasks[0], result.output


async def test_defaults_fill_only_what_the_caller_left_unset():
    controller = NativeGenerationController({"temperature": 0.5, "stop": ["a"], "n": 1, "frequency_penalty": 0.1})
    task, _ = await seen_by(controller, "q", temperature=0.9)
    assert (task.temperature, task.stop, task.n, task.frequency_penalty) == (0.9, ["a"], 1, 0.1)
    assert controller.sampling_params["temperature"] == 0.5


@pytest.mark.parametrize("make", [NativeGenerationController, NativeChatController])
def test_an_unknown_sampling_parameter_is_refused_with_the_known_ones(make):
    with pytest.raises(InvalidRequestError, match=r"'temprature' is no sampling parameter.*temperature"):
        make({"temprature": 1})
    with pytest.raises(InvalidRequestError, match="must map names to values, got 5"):
        make(5)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ([], "empty"),
        (7, "int"),
        (None, "NoneType"),
        ({"a": 1}, "dict"),
        ([7], "int"),
        ([{"role": "user", "content": " "}], "empty"),
        ([SystemMessage(""), UserMessage("")], "empty"),
        (GenerationTask(input_str=""), "empty"),
        (GenerationTask(), "empty"),
        (ChatTask(messages=[]), "empty"),
    ],
)
async def test_a_prompt_that_is_none_is_refused_before_anything_runs(prompt, message):
    with pytest.raises(InvalidRequestError, match=message):
        await seen_by(NativeGenerationController(), prompt)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"n": 0}, "n must be 1, got 0: .*sample_num"),
        ({"n": 2}, "n must be 1, got 2"),
        ({"seed": "7"}, "seed must be of type int"),
        ({"seed": 1.5}, "seed must be of type int"),
    ],
)
async def test_an_option_that_makes_no_sense_is_refused_before_anything_runs(option, message):
    with pytest.raises(InvalidRequestError, match=message):
        await seen_by(MajorityVoteController(NativeGenerationController()), "q", **option)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ChainOfThoughtController(None),
        lambda: MajorityVoteController(NativeGenerationController),
        lambda: BestOfNController(None, NativeRewardController()),
        lambda: BestOfNController(single, NativeRewardController),
        lambda: FieldVoteController("direct"),
        lambda: RetryWithFeedbackController(single, None),
        lambda: MajorityVoteController(single, extractor=Boxed),
        lambda: MajorityVoteController(single, extractor=str.strip),
        lambda: ChainOfThoughtController(single, extractor="boxed"),
        lambda: FieldVoteController(single, extractor=Boxed),
        lambda: MajorityVoteController(single, equivalence="exact"),
    ],
)
def test_a_part_of_the_wrong_kind_is_refused_when_a_method_is_made(make):
    with pytest.raises(InvalidRequestError, match="must be an instance with .* got"):
        make()


async def test_an_unknown_option_names_the_known_ones():
    with pytest.raises(InvalidRequestError, match="'sample_nun' is neither .* whose options are: .*sample_num"):
        await seen_by(MajorityVoteController(NativeGenerationController()), "q", sample_nun=3)


@pytest.mark.parametrize(
    "method",
    [
        MajorityVoteController(NativeGenerationController(), 2),
        MajorityVoteController(MajorityVoteController(NativeGenerationController(), 1), 1),
        BestOfNController(NativeGenerationController(), NativeRewardController(), 2),
    ],
)
@pytest.mark.parametrize(("given", "complaint"), [({"temprature": 1}, "temprature"), (3, "of type Mapping")])
async def test_options_for_a_part_of_a_method_are_checked_as_its_own_are(method, given, complaint):
    with pytest.raises(InvalidRequestError, match=complaint):
        await seen_by(method, "q", generation_kwargs=given)


@pytest.mark.looptime
async def test_a_deadline_midway_keeps_the_text_there_is_of_a_single_generation():
    class Slow(Worker):
        async def run_task(self, task):
            try:
                await asyncio.sleep(30)
            finally:
                task.output_str = "half an ans"

    async with ScaffoldingLlm(NativeGenerationController(), Slow()) as llm:
        output = (await llm.generate_async("q", budget=Budget(seconds=0.02))).output
    assert (output.text, output.stopped, output.finish_reason) == ("half an ans", "budget", "cancelled")


async def test_a_text_becomes_a_chat_behind_the_system_prompt():
    task, output = await seen_by(NativeChatController(system_prompt="be brief"), "q", seed=3)
    assert [m.to_dict() for m in task.messages] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "q"},
    ]
    assert task.seed == 3
    assert output.text == "it is 7"


async def test_a_chat_keeps_its_own_system_message():
    task, _ = await seen_by(NativeChatController(system_prompt="x"), [SystemMessage("own"), UserMessage("q")])
    assert [m.content for m in task.messages] == ["own", "q"]


async def test_messages_come_as_dicts_too_and_bad_ones_are_refused():
    task, _ = await seen_by(NativeChatController(), [{"role": "user", "content": "q"}])
    assert isinstance(task, ChatTask)
    with pytest.raises(InvalidRequestError, match="role"):
        await seen_by(NativeChatController(), [{"role": "robot", "content": "q"}])
    with pytest.raises(InvalidRequestError, match="content"):
        await seen_by(NativeChatController(), [{"role": "user"}])


async def test_chain_of_thought_asks_for_reasoning_and_reads_the_answer_out_of_it():
    controller = ChainOfThoughtController(NativeChatController(), instruction="Think.")
    task, output = await seen_by(controller, "q", answer=r"6 times 7 makes \boxed{42}, I think")
    assert task.messages[-1].content == "q\n\nThink."
    assert output.answer == "42"
    assert output.text == r"6 times 7 makes \boxed{42}, I think"


async def test_chain_of_thought_leaves_the_callers_messages_alone():
    mine = [UserMessage("q")]
    task, _ = await seen_by(ChainOfThoughtController(NativeChatController()), mine)
    assert mine[0].content == "q"
    assert task.messages[0].content != "q"


async def test_one_branch_methods_stream_their_tokens_others_only_their_samples():
    class Writes(Worker):
        async def run_task(self, task):
            task.scope.emit(Delta("7"))
            task.output_str = "7"

    single = NativeChatController()
    for method, live in (
        (single, True),
        (ChainOfThoughtController(single), True),
        (MajorityVoteController(single), False),
        (ChainOfThoughtController(MajorityVoteController(single)), False),
    ):
        assert method.streams_answer is live
        async with ScaffoldingLlm(method, Writes()) as llm:
            events = [event async for event in llm.stream("q")]
        assert (events[0].branch == ()) is live


def test_clones_of_methods_without_state_are_themselves():
    method = MajorityVoteController(ChainOfThoughtController(NativeChatController()))
    assert method.clone() is method

    class Mine(MajorityVoteController):
        pass

    mine = Mine(NativeChatController())
    assert mine.clone() is not mine
