"""Asking again with a judge's feedback; answers and judgements are scripted, since both have to be known."""

import pytest

from scaffolding_core import (
    BestOfNController,
    Budget,
    ChatTask,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    ScaffoldingLlm,
    UserMessage,
    WorkerError,
)
from scaffolding_core.controllers.refining.retry_with_feedback import RetryWithFeedbackController

TAGS = NativeGenerationController.WorkerTag.GENERATION, NativeRewardController.WorkerTag.REWARD


class Script:
    """Answers one after another, and a judge that passes 7."""

    def __init__(self, *answers, feedback=True):
        self.answers, self.feedback = answers, feedback
        self.asked, self.judged = [], []

    def generate(self, task):
        self.asked.append(task)
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def judge(self, task):
        self.judged.append(task)
        if task.response.text == "unjudgeable":
            raise ValueError("no verdict")
        if self.feedback:
            task.custom_output_params = {"feedback": f"not {task.response.text}"}
        return 1.0 if task.response.text == "7" else float(task.response.text) / 100

    def run(self, prompt="q", *, generation=None, method=None, **options):
        retries = RetryWithFeedbackController(generation or NativeGenerationController(), NativeRewardController())
        workers = dict(zip(TAGS, (FunctionWorker(self.generate), FunctionWorker(self.judge)), strict=True))
        with ScaffoldingLlm(method(retries) if method else retries, workers) as llm:
            return llm.generate(prompt, **options).output


def test_it_asks_until_an_answer_passes():
    script = Script("5", "6", "7", "8")
    output = script.run()
    assert (output.text, output.score, output.stopped) == ("7", 1.0, "complete")
    assert [candidate.text for candidate in output.candidates] == ["5", "6", "7"]
    assert output.usage.calls == 6


def test_a_retry_of_a_text_has_the_prompt_the_answer_and_the_feedback():
    script = Script("5", "7")
    script.run("How many?")
    retry = script.asked[1].input_str
    assert retry.startswith("How many?\n\n")
    assert "\n5\n" in retry
    assert "Feedback: not 5" in retry


def test_a_retry_of_a_chat_goes_on_with_the_chat():
    script = Script("5", "6", "7")
    script.run([UserMessage("How many?")], generation=NativeChatController())
    retry = script.asked[2]
    assert isinstance(retry, ChatTask)
    assert [(message.role, message.text.split(".")[0]) for message in retry.messages] == [
        ("user", "How many?"),
        ("assistant", "6"),
        ("user", "That answer was judged to be wrong"),
    ]
    assert "not 6" in retry.messages[2].text


def test_each_attempt_is_judged_by_the_prompt_as_it_came_in():
    script = Script("5", "7")
    script.run("How many?")
    assert [task.input_str for task in script.judged] == ["How many?", "How many?"]


def test_without_words_of_the_judge_a_retry_has_the_score():
    script = Script("5", "7", feedback=False)
    script.run()
    assert "its score is 0.05." in script.asked[1].input_str


def test_after_the_last_retry_the_best_answer_counts_and_the_later_of_equals():
    assert Script("5", "9", "8").run(max_retries=2).text == "9"
    output = Script("5", "05").run(max_retries=1)
    assert output.text == "05"


def test_no_retries_is_one_attempt():
    assert Script("5").run(max_retries=0).samples == 1


def test_the_judges_own_verdict_goes_before_its_score():
    script = Script("5")

    def judge(task):
        task.custom_output_params = {"passing": True}
        return 0.0

    script.judge = judge
    assert script.run().samples == 1


@pytest.mark.parametrize("second", ["unjudgeable", ValueError("down")])
def test_an_attempt_that_fails_ends_the_retries_and_the_answer_before_it_counts(second):
    output = Script("5", second, "7").run()
    assert (output.text, output.samples) == ("5", 2)
    assert isinstance(output.candidates[1].error, WorkerError)


@pytest.mark.parametrize("first", ["unjudgeable", ValueError("down")])
def test_a_first_attempt_that_fails_is_an_error(first):
    with pytest.raises(WorkerError, match="no verdict|down"):
        Script(first, "7").run()


def test_a_budget_ends_the_retries_with_the_best_answer_so_far():
    output = Script("5", "6", "7").run(budget=Budget(samples=2))
    assert (output.text, output.stopped) == ("6", "budget")


def test_each_attempt_has_a_seed_of_its_own_and_the_same_again():
    seeds = []
    for _ in range(2):
        script = Script("5", "6", "7")
        script.run(seed=1)
        seeds.append([task.seed for task in script.asked])
    assert len(set(seeds[0])) == 3
    assert seeds[0] == seeds[1]


def test_it_nests_in_votes_and_in_best_of_n():
    vote = Script("5", "7").run(method=lambda retries: MajorityVoteController(retries, 1))
    assert vote.text == "7"
    best = Script("5", "7").run(
        method=lambda retries: BestOfNController(retries, NativeRewardController()), sample_num=1
    )
    assert (best.text, best.score) == ("7", 1.0)


@pytest.mark.parametrize("k", [-1, 1.5, True])
def test_a_number_of_retries_that_makes_no_sense_is_refused(k):
    with pytest.raises(InvalidRequestError, match="max_retries"):
        RetryWithFeedbackController(NativeGenerationController(), NativeRewardController(), k)
    with pytest.raises(InvalidRequestError, match="max_retries"):
        Script("5").run(max_retries=k)


@pytest.mark.parametrize(
    "wrong", [{"passing": "0.5"}, {"template": "Wrong: {said}"}, {"template": 'Say {"a": 1}'}]
)
def test_what_would_fail_behind_the_first_attempt_is_refused_before_it(wrong):
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        RetryWithFeedbackController(NativeGenerationController(), NativeRewardController(), **wrong)


def test_it_retries_one_task():
    controller = RetryWithFeedbackController(NativeGenerationController(), NativeRewardController())
    with pytest.raises(InvalidRequestError, match="one task"):
        next(controller.process([ChatTask(), ChatTask()]))


@pytest.mark.parametrize("prompt", ["How many?", [UserMessage("How many?")]], ids=["text", "chat"])
def test_a_retry_does_not_see_the_thoughts_of_the_answer(prompt):
    script = Script("<think>secret</think>5", "7")
    script.judge = lambda task: float(task.response.text == "7")
    script.run(
        prompt, generation=NativeGenerationController() if isinstance(prompt, str) else NativeChatController()
    )
    retry = script.asked[1]
    shown = retry.input_str if isinstance(prompt, str) else "".join(message.text for message in retry.messages)
    assert "5" in shown
    assert "secret" not in shown
