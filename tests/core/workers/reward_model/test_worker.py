"""RewardModelWorker: answers scored by reward models behind vLLM, SGLang and TEI, on doubles of them."""

import asyncio
import json
import math
import pickle

import pytest
from aiohttp import web

from scaffolding_core import (
    AssistantMessage,
    AuthenticationError,
    BackendTimeoutError,
    BackendUnavailableError,
    BadRequestError,
    BestOfNController,
    ClosedError,
    ContextLengthExceededError,
    FunctionWorker,
    InvalidRequestError,
    ModelNotFoundError,
    NativeChatController,
    RewardModelWorker,
    RewardTask,
    ScaffoldingLlm,
    ServerError,
    SystemMessage,
    UserMessage,
    WorkerError,
    resolve_reward,
)
from scaffolding_core.workers.reward_model.routes import ROUTES
from tests.servers.reward_servers import Refusal, Sglang, Tei, Vllm, made, serve


def task(answer="four", prompt="2 + 2?"):
    return RewardTask(input_str=prompt, response=AssistantMessage(answer))


async def scored(worker, *answers, **given):
    tasks = [task(answer, **given) for answer in answers]
    async with worker:
        await asyncio.gather(*[worker.run_task(each) for each in tasks])
    return tasks


@pytest.mark.parametrize(
    ("server", "route", "options"),
    [
        *((made(Vllm, served={path}), path, {}) for path in Vllm.posts if path != "/tokenize"),
        (made(Vllm, labels=2), "/classify", {}),
        (made(Vllm, labels=5), "/classify", {"label": 3}),
        (made(Vllm, chats=False), "/v1/score", {}),
        (made(Vllm, models=("Qwen3-Reranker-0.6B",)), "/v1/score", {}),
        (Sglang(), "/classify", {}),
        (Sglang(), "/classify", {"route": "/classify"}),
        (made(Sglang, generates=True), "/v1/score", {"label_tokens": [9693, 2152]}),
        (Tei(), "/rerank", {}),
        (made(Tei, labels=1), "/predict", {}),
        (made(Tei, labels=2), "/predict", {}),
        (made(Tei, labels=3), "/predict", {"label": "LABEL_2"}),
    ],
    ids=[
        *(path for path in Vllm.posts if path != "/tokenize"),
        *("two labels", "a label named", "no chat template", "a reranker"),
        *("SGLang", "SGLang by its path", "SGLang by tokens"),
        *("TEI reranker", "TEI classifier", "TEI two labels", "TEI label named"),
    ],
)
async def test_the_way_a_server_scores_is_found_once(server, route, options):
    with serve(server):
        tasks = await scored(RewardModelWorker(server.url, **options), "four", "a longer one")
    templated = isinstance(server, Sglang) and not server.generates  # its score is of the whole chat
    assert templated or [round(each.reward, 9) for each in tasks] == [0.04, 0.12]
    assert tasks[0].reward < tasks[1].reward
    assert [path for path in server.routes if path == route]
    assert server.routes.index(route) == 0 or server.routes[-1] == route
    probes = [body for body in server.requests if "1 + 1" in json.dumps(body)]
    assert len(server.requests) - len(probes) in (1, 2)  # one for both, where the route takes several


async def test_chats_are_sent_whole_and_texts_of_sglang_by_the_models_template():
    chat = RewardTask(
        messages=[SystemMessage("be brief"), UserMessage("2 + 2?")], response=AssistantMessage("4", "I think")
    )
    with serve(Vllm()) as vllm, serve(Sglang()) as sglang:
        for server in (vllm, sglang):
            async with RewardModelWorker(server.url, "m" if server is sglang else None) as worker:
                if server is sglang:
                    worker = RewardModelWorker(server.url, template="chatml")
                await worker.run_task(chat)
                await worker.async_shutdown()
    assert vllm.requests[-1]["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "4"},
    ]
    assert sglang.requests[-1]["text"] == [
        "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\n2 + 2?<|im_end|>\n"
        "<|im_start|>assistant\n4<|im_end|>\n"
    ]


async def test_what_starts_together_shares_a_request_and_one_bad_answer_harms_no_other():
    with serve(made(Vllm, chats=False)) as server:
        worker = RewardModelWorker(server.url)
        tasks = [task("a"), task("x" * 2000), task("abc")]
        async with worker:
            ended = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
    assert isinstance(ended[1], ContextLengthExceededError)
    assert [tasks[0].reward, tasks[2].reward] == [0.01, 0.03]
    assert [len(body["text_2"]) for body in server.requests if "text_2" in body][1:] == [3, 1, 1, 1]
    assert sum(each.usage.calls for each in tasks) == 2  # what is refused costs nothing
    assert sum(each.usage.prompt_tokens for each in tasks) == 20


@pytest.mark.parametrize("strict", [False, True], ids=["told as NaN", "answered 500, as NaN is no JSON"])
async def test_one_without_a_score_harms_no_other(strict):
    class Server(Vllm):
        def score(self, body):
            told = Vllm.score(self, body)
            if strict and any(math.isnan(each["score"]) for each in told["data"]):
                raise Refusal(500, "Out of range float values are not JSON compliant")
            return told

        posts = {"/score": score}

    tasks = [task("a"), task("no number"), task("abc")]
    with serve(Server()) as server:
        async with RewardModelWorker(server.url, max_attempts=1) as worker:
            ended = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
    assert isinstance(ended[1], WorkerError)
    assert [each.reward for each in tasks] == [0.01, None, 0.03]


async def test_a_batch_has_a_limit_and_its_cost_is_paid_once():
    with serve(made(Vllm, served={"/score"})) as server:
        tasks = await scored(RewardModelWorker(server.url, max_batch=2), *"abcde")
    assert [len(body["text_2"]) for body in server.requests if "text_2" in body][-3:] == [2, 2, 1]
    assert [each.usage.prompt_tokens for each in tasks] == [20, 0, 20, 0, 10]
    assert [each.usage.calls for each in tasks] == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    "usage", [[5], "5", {"prompt_tokens": -5}, {"prompt_tokens": "5"}, {"prompt_tokens": True}]
)
async def test_a_cost_that_is_told_in_no_sensible_way_costs_no_score(usage):
    class Server(Vllm):
        def score(self, body):
            return {**Vllm.score(self, body), "usage": usage}

        posts = {"/score": score}

    with serve(Server()) as server:
        (judged,) = await scored(RewardModelWorker(server.url), "four")
    assert (judged.reward, judged.usage.calls, judged.usage.prompt_tokens) == (0.04, 1, 0)


async def test_one_that_is_cut_leaves_the_others_their_scores():
    with serve(made(Vllm, served={"/score"})) as server:
        async with RewardModelWorker(server.url) as worker:
            await worker.run_task(task())
            tasks = [task("a"), task("bc")]
            cut, kept = (asyncio.ensure_future(worker.run_task(each)) for each in tasks)
            await asyncio.sleep(0)
            cut.cancel()
            await kept
    assert cut.cancelled()
    assert (tasks[1].reward, tasks[1].usage.calls) == (0.02, 1)


class TestProcessRewardModels:
    STEPS = "one\n\ntwo, longer\n\n\n\nthree"

    @pytest.mark.parametrize("told", ["separators", "all"])
    async def test_qwens_are_asked_for_a_score_behind_each_step(self, told):
        server = made(Vllm, models=("Qwen/Qwen2.5-Math-PRM-7B",), steps=told)
        with serve(server):
            (judged,) = await scored(RewardModelWorker(server.url, aggregate="mean"), self.STEPS)
        assert judged.step_rewards == pytest.approx([0.03, 0.11, 0.05])
        assert judged.reward == pytest.approx(0.19 / 3)
        system, user, answer = server.requests[0]["messages"]
        assert (system["role"], user["content"]) == ("system", "2 + 2?")
        assert answer["content"] == "one<extra_0>two, longer<extra_0>three<extra_0>"

    @pytest.mark.parametrize("told", ["separators", "all"])
    async def test_a_separator_that_an_answer_or_a_question_writes_is_not_judged(self, told):
        server = made(Vllm, models=("Qwen2.5-Math-PRM-7B",), steps=told)
        with serve(server):
            (judged,) = await scored(
                RewardModelWorker(server.url), "one<extra_0>sure<extra_0>\n\ntwo", prompt="what is <extra_0>?"
            )
        assert judged.step_rewards == pytest.approx([0.07, 0.03])

    async def test_skyworks_by_the_value_at_the_end_of_each(self):
        server = made(Vllm, models=("Skywork/Skywork-o1-Open-PRM-Qwen-2.5-1.5B",), steps="all")
        with serve(server):
            (judged,) = await scored(RewardModelWorker(server.url), self.STEPS)
        assert [body["prompt"] for body in server.requests[1:-1]] == ["\n", "one", "two, longer", "three"]
        end = 1 / (1 + 2.718281828459045 ** -(ord("\n") % 7 - 3))
        assert judged.step_rewards == pytest.approx([end] * 3)

    async def test_an_answer_without_steps_has_no_score(self):
        server = made(Vllm, steps="separators")
        with serve(server), pytest.raises(WorkerError, match="no step"):
            await scored(RewardModelWorker(server.url, convention="qwen2.5-math-prm"), " \n\n ")

    async def test_one_that_tells_other_tokens_says_how_to_serve_it(self):
        server = made(Vllm)
        with serve(server), pytest.raises(WorkerError, match="serve it with pooling of"):
            await scored(RewardModelWorker(server.url, convention="skywork-prm"), self.STEPS)


class TestWhatIsWrong:
    async def test_no_route_is_an_error_that_names_those_that_were_tried(self):
        with serve(made(Vllm, served=set())) as server, pytest.raises(BadRequestError) as raised:
            await scored(RewardModelWorker(server.url), "a")
        for route in ROUTES.values():
            assert f"{route.path} ({route.name})" in str(raised.value)

    async def test_an_unknown_model(self):
        with serve(Vllm()) as server, pytest.raises(ModelNotFoundError, match="'other'"):
            await scored(RewardModelWorker(server.url, "other"), "a")

    async def test_a_wrong_key(self):
        with serve(Vllm()) as server:
            server.key = "right"
            with pytest.raises(AuthenticationError) as raised:
                await scored(RewardModelWorker(server.url, api_key="wrong-and-secret"), "a")
            assert "wrong-and-secret" not in str(raised.value)
            await scored(RewardModelWorker(server.url, api_key="right"), "a")

    async def test_nobody_there(self):
        with pytest.raises(BackendUnavailableError):
            await scored(RewardModelWorker("http://127.0.0.1:9", max_attempts=1), "a")

    @pytest.mark.parametrize("told", ["NaN", "Infinity", "null", '"high"', "true"])
    async def test_a_score_that_is_none(self, told):
        text = f'{{"data": [{{"index": 0, "probs": [{told}]}}]}}'
        with serve(Vllm()) as server:
            async with RewardModelWorker(server.url) as worker:
                await worker.run_task(task())
                server.faults = [web.Response(text=text, content_type="application/json")]
                judged = task()
                with pytest.raises(WorkerError, match="score"):
                    await worker.run_task(judged)
        assert judged.reward is None

    @pytest.mark.parametrize("text", ["{}", '{"data": []}', "no JSON", '{"data": [{"index": 1, "score": 1}]}'])
    async def test_an_answer_of_another_shape(self, text):
        with serve(made(Vllm, served={"/score"})) as server:
            async with RewardModelWorker(server.url) as worker:
                await worker.run_task(task())
                server.faults = [web.Response(text=text, content_type="application/json")]
                with pytest.raises(WorkerError, match="no score|scores"):
                    await worker.run_task(task())

    async def test_a_fault_that_passes_is_tried_again_and_counted(self):
        with serve(Vllm()) as server:
            async with RewardModelWorker(server.url) as worker:
                await worker.run_task(task())
                server.faults = [web.Response(status=503, headers={"Retry-After": "0"})]
                judged = task()
                await worker.run_task(judged)
        assert (judged.reward, judged.usage.calls) == (0.04, 2)

    async def test_a_server_that_is_away_at_first_is_tried_again_and_never_taken_for_one_without_routes(self):
        def away():
            return web.Response(status=503, headers={"Retry-After": "0"})

        with serve(Vllm()) as server:
            server.faults = [away()]
            (judged,) = await scored(RewardModelWorker(server.url), "four")
            assert (judged.reward, server.routes) == (0.04, ["/classify"] * 3)
            server.faults = [away()]
            with pytest.raises(ServerError):
                await scored(RewardModelWorker(server.url, max_attempts=1), "four")

    async def test_a_deadline(self):
        class Scope:
            deadline = 0.0

        judged = task()
        judged.scope = Scope()
        with serve(Vllm()) as server:
            async with RewardModelWorker(server.url) as worker:
                with pytest.raises(BackendTimeoutError):
                    await worker.run_task(judged)

    async def test_a_closed_worker_and_a_task_without_text(self):
        worker = RewardModelWorker("http://127.0.0.1:9")
        with pytest.raises(InvalidRequestError, match="response"):
            await worker.run_task(RewardTask(input_str="q"))
        with pytest.raises(InvalidRequestError, match="text or messages"):
            await worker.run_task(RewardTask(input_tokens=[1], response=AssistantMessage("a")))
        await worker.async_shutdown()
        with pytest.raises(ClosedError):
            await worker.run_task(task())

    @pytest.mark.parametrize(
        "options",
        [
            *({"route": "x"}, {"convention": "x"}, {"aggregate": "x"}, {"template": "x"}, {"max_batch": 0}),
            *(
                {"label_tokens": ["yes", "no"]},
                {"label_tokens": "yes"},
                {"label_tokens": 5},
                {"label_tokens": [-1]},
            ),
            *({"raw": "no"}, {"step_separator": 5}, {"step_separator": ""}),
        ],
        ids=str,
    )
    def test_an_option_that_makes_no_sense(self, options):
        with pytest.raises(InvalidRequestError):
            RewardModelWorker("http://127.0.0.1:9", **options)


def test_an_address_is_a_reward():
    with serve(Vllm()) as server:
        scorer = resolve_reward(server.url)
        answers = iter(["no", "a longer answer", "so"])
        method = BestOfNController(NativeChatController(), scorer.controller, 3)
        workers = {"generation": FunctionWorker(lambda task: next(answers)), **scorer.workers}
        with ScaffoldingLlm(method, workers) as llm:
            output = llm.generate("q").output
        for worker in scorer.opened:
            worker.shutdown()
    assert (output.text, output.score) == ("a longer answer", 0.15)
    assert output.usage_by_role["reward"].prompt_tokens >= 30


async def test_a_copy_in_another_process_finds_its_way_anew():
    with serve(Vllm()) as server:
        worker = RewardModelWorker(server.url)
        await worker.run_task(task())
        copy = pickle.loads(pickle.dumps(worker))
        await worker.async_shutdown()
        assert (await scored(copy, "four"))[0].reward == 0.04
