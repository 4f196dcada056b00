"""Servers of reward models, in a thread: doubles of vLLM, SGLang and Text Embeddings Inference.

Doubles, because these engines are too large for the tests; their shapes and refusals are those of the engines' own
sources and of vLLM's answers on a CPU. An answer's score is its length over 100, a step's likewise, so that a test
knows it; that of one that says "no number" is none.
"""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.servers.scripted import Scripted, serve

__all__ = ["Refusal", "Rewarding", "Sglang", "Tei", "Vllm", "made", "serve"]


def score(text: str) -> float:
    return math.nan if "no number" in text else len(text) / 100


class Rewarding(Scripted, ABC):
    """A server; `routes` and `requests` tell what was asked of which."""

    models: tuple[str, ...] = ("reward-model",)
    served: frozenset[str] | None = None  # paths; None for all that it has
    posts: dict[str, Callable[[Any, dict[str, Any]], Any]] = {}
    too_long = 1000  # characters

    def __init__(self) -> None:
        super().__init__([])
        self.faults: list[web.Response] = []  # sent instead of the next answers
        self.key: str | None = None

    def add_routes(self, app: web.Application) -> None:
        for path, answer in self.posts.items():
            if self.served is None or path in self.served:
                app.router.add_post(path, self._answering(answer))
        self.add_gets(app)

    @abstractmethod
    def add_gets(self, app: web.Application) -> None:
        """What it tells of itself."""

    def _answering(self, answer: Callable[[Any, dict[str, Any]], Any]) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
                return web.json_response({"error": "Unauthorized"}, status=401)
            self.routes.append(request.path)
            self.requests.append(body)
            if self.faults:
                return self.faults.pop(0)
            try:
                if self.too_long < len(json.dumps(body)):
                    raise Refusal(400, f"This model's maximum context length is {self.too_long} tokens")
                return web.json_response(answer(self, body))
            except Refusal as refusal:
                return web.json_response(self.error(*refusal.args), status=refusal.args[0])

        return handle

    def error(self, status: int, message: str) -> Any:
        kind = "NotFoundError" if status == 404 else "BadRequestError"
        return {"error": {"message": message, "type": kind, "param": None, "code": status}}

    def check_model(self, body: dict[str, Any]) -> None:
        if body.get("model") not in (None, *self.models):
            raise Refusal(404, f"The model `{body['model']}` does not exist.")


def made(kind: type[Rewarding], **settings: Any) -> Rewarding:
    """A server with other settings than its kind's."""
    return type(kind.__name__, (kind,), settings)()


class Refusal(Exception):
    """A status and a message."""


class Vllm(Rewarding):
    """vLLM with `--runner pooling`; `labels` are the classes of its model, `steps` makes it a process model."""

    chats = True
    labels = 1
    steps: str | None = None  # "separators" or "all", the tokens that it tells of

    def add_gets(self, app: web.Application) -> None:
        async def models(request: web.Request) -> web.Response:
            return web.json_response({"object": "list", "data": [{"id": name} for name in self.models]})

        async def health(request: web.Request) -> web.Response:
            return web.Response()

        app.router.add_get("/v1/models", models)
        app.router.add_get("/health", health)

    def _text(self, body: dict[str, Any]) -> str:
        self.check_model(body)
        if "messages" in body:
            if not self.chats:
                raise Refusal(
                    400, "default chat template is no longer allowed, so you must provide a chat template"
                )
            return str(body["messages"][-1]["content"])
        return str(body["input"])

    def _usage(self, count: int = 1) -> dict[str, int]:
        return {"prompt_tokens": 10 * count, "total_tokens": 10 * count, "completion_tokens": 0}

    def classify(self, body: dict[str, Any]) -> Any:
        chance = score(self._text(body))
        probs = [chance] if self.labels == 1 else [1 - chance, *[chance] * (self.labels - 1)]
        data = {"index": 0, "label": "LABEL_0", "probs": probs, "num_classes": self.labels}
        return {"id": "c", "object": "list", "model": self.models[0], "data": [data], "usage": self._usage()}

    def pooling(self, body: dict[str, Any]) -> Any:
        if self.steps is not None:
            return self._steps(body)
        data = {"index": 0, "object": "pooling", "data": [score(self._text(body))]}
        return {"id": "p", "object": "list", "model": self.models[0], "data": [data], "usage": self._usage()}

    def _steps(self, body: dict[str, Any]) -> Any:
        if "messages" in body:
            *steps, _ = str(body["messages"][-1]["content"]).split("<extra_0>")
            rows = [[1 - score(step), score(step)] for step in steps]
            if self.steps == "all":
                tokens = tokens_of(json.dumps(body["messages"]))
                told = iter(rows)
                rows = [next(told) if token == SEPARATOR else [0.5, 0.5] for token in tokens]
        else:
            rows = [[float(token % 7 - 3)] for token in body["input"]]
        data = {"index": 0, "object": "pooling", "data": rows}
        return {"object": "list", "model": self.models[0], "data": [data], "usage": self._usage()}

    def tokenize(self, body: dict[str, Any]) -> Any:
        tokens = tokens_of(json.dumps(body["messages"]) if "messages" in body else body["prompt"])
        return {"count": len(tokens), "max_model_len": 4096, "tokens": tokens}

    def _paired(self, answers: Any, body: dict[str, Any]) -> list[str]:
        self.check_model(body)
        if self.labels != 1:
            raise Refusal(400, "Score API is only enabled for num_labels == 1.")
        return [answers] if isinstance(answers, str) else answers

    def score(self, body: dict[str, Any]) -> Any:
        answers = self._paired(body["text_2"], body)
        data = [{"index": n, "object": "score", "score": score(answer)} for n, answer in enumerate(answers)]
        return {"object": "list", "model": self.models[0], "data": data, "usage": self._usage(len(answers))}

    def rerank(self, body: dict[str, Any]) -> Any:
        answers = self._paired(body["documents"], body)
        results = [
            {"index": n, "document": {"text": answer}, "relevance_score": score(answer)}
            for n, answer in enumerate(answers)
        ]
        results.sort(key=lambda each: -each["relevance_score"])
        return {"model": self.models[0], "usage": {"total_tokens": 10 * len(answers)}, "results": results}

    posts = {
        "/classify": classify,
        "/pooling": pooling,
        "/tokenize": tokenize,
        "/score": score,
        "/v1/score": score,
        "/rerank": rerank,
        "/v1/rerank": rerank,
        "/v2/rerank": rerank,
    }


SEPARATOR = 99_000


def tokens_of(text: str) -> list[int]:
    """A token for each letter, and one for a separator."""
    parts = [[ord(letter) for letter in part] for part in text.split("<extra_0>")]
    return [token for n, part in enumerate(parts) for token in ([SEPARATOR] if n else []) + part]


class Sglang(Rewarding):
    """SGLang with `--is-embedding` and a reward model."""

    models = ("Skywork/Skywork-Reward-V2-Qwen3-0.6B",)

    def add_gets(self, app: web.Application) -> None:
        async def info(request: web.Request) -> web.Response:
            return web.json_response({"model_path": self.models[0], "is_generation": False})

        app.router.add_get("/get_model_info", info)

    def error(self, status: int, message: str) -> Any:
        return {"object": "error", "message": message, "type": "BadRequest", "param": None, "code": status}

    def classify(self, body: dict[str, Any]) -> Any:
        if self.generates:
            raise Refusal(400, "This model does not appear to be an embedding model by default.")
        if "text" not in body:
            raise Refusal(400, "Either text, input_ids or input_embeds should be provided.")
        return [
            {"embedding": [score(text)], "meta_info": {"id": "e", "prompt_tokens": 7}} for text in body["text"]
        ]

    generates = False  # it has a head of tokens instead of scores

    def scoring(self, body: dict[str, Any]) -> Any:
        if not (self.generates and "items" in body and body.get("label_token_ids")):
            raise Refusal(400, "label_token_ids must be provided")
        chances = [[score(item), 1 - score(item)] for item in body["items"]]
        return {"scores": chances, "model": self.models[0], "usage": {"prompt_tokens": 5}, "object": "scoring"}

    def rerank(self, body: dict[str, Any]) -> Any:
        raise Refusal(400, "This model does not appear to be a cross-encoder model")

    posts = {"/classify": classify, "/v1/score": scoring, "/v1/rerank": rerank}


class Tei(Rewarding):
    """Text Embeddings Inference with a reranker, or with a classifier of so many `labels`."""

    models = ("BAAI/bge-reranker-base",)
    labels = 0

    def add_gets(self, app: web.Application) -> None:
        async def info(request: web.Request) -> web.Response:
            return web.json_response({"model_id": self.models[0], "max_client_batch_size": 32})

        app.router.add_get("/info", info)

    def error(self, status: int, message: str) -> Any:
        return {"error": message, "error_type": "Validation"}

    def rerank(self, body: dict[str, Any]) -> Any:
        if "texts" not in body:
            raise Refusal(422, "missing field `texts`")
        if self.labels:
            raise Refusal(424, "`rerank` is only available for reranker models")
        ranks = [{"index": n, "score": score(text)} for n, text in enumerate(body["texts"])]
        return sorted(ranks, key=lambda each: -each["score"])

    def predict(self, body: dict[str, Any]) -> Any:
        if not self.labels:
            raise Refusal(424, "`predict` is not available for reranker models")
        return [self._predicted(answer) for _, answer in body["inputs"]]

    def _predicted(self, answer: str) -> list[dict[str, Any]]:
        chances = [1 - score(answer), *[score(answer)] * (self.labels - 1)] if self.labels > 1 else [score(answer)]
        labels = [{"label": f"LABEL_{n}", "score": chance} for n, chance in enumerate(chances)]
        return sorted(labels, key=lambda each: -each["score"])

    posts = {"/rerank": rerank, "/predict": predict}
