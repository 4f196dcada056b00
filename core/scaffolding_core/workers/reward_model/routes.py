"""The routes by which servers score an answer as a whole: what each takes, and what it says.

Source: https://docs.vllm.ai/en/latest/models/pooling_models, https://docs.sglang.io/docs/basic_usage/native_api,
https://huggingface.github.io/text-embeddings-inference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.workers.reward_model.judged import Judged
from scaffolding_core.workers.reward_model.scores import checked_score, checked_scores
from scaffolding_core.workers.reward_model.templates import template_named

__all__ = ["ROUTES", "Asking", "Route", "routes_at", "routes_for"]

Json: TypeAlias = Any
"""Whatever JSON holds; each field is checked where it is read."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a user wants answers to be scored.

    Args:
        raw: scores as the model's head has them, unbounded; else from 0 to 1.
        label: the label whose probability is the score, by its name or number; None for the last of two.
        template: how a chat becomes a text, for servers that do not do it; None where nobody knows.
        label_tokens: ids of tokens that a model may say of an answer; the first one's chance is the score.
    """

    raw: bool = False
    label: str | int | None = None
    template: str | None = None
    label_tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One way to ask.

    Args:
        name: what users call it.
        path: below the server's root.
        body: what is posted, but for the model.
        read: the scores in an answer, in the order of what was asked.
        together: answers that one request may ask for: 1, those to one `"prompt"`, or `"any"`.
        pairs: it takes prompt and answer as two texts, as cross-encoders do; else as one chat.
    """

    name: str
    path: str
    body: Callable[[Sequence[Judged], Asking], dict[str, Json]]
    read: Callable[[Json, int, Asking], list[float]]
    together: int | str
    pairs: bool


# vLLM.


def _chat(judged: Sequence[Judged], asking: Asking) -> dict[str, Json]:
    body: dict[str, Json] = {"messages": judged[0].messages, "add_generation_prompt": False}
    return {**body, "use_activation": False} if asking.raw else body


def _classes(told: Json, count: int, asking: Asking) -> list[float]:
    return [_of_label(each["probs"], asking.label) for each in _in_order(told["data"], count)]


def _pooled(told: Json, count: int, asking: Asking) -> list[float]:
    return [_of_label(each["data"], asking.label) for each in _in_order(told["data"], count)]


def _text_pairs(judged: Sequence[Judged], asking: Asking) -> dict[str, Json]:
    body: dict[str, Json] = {"text_1": judged[0].prompt, "text_2": [each.answer for each in judged]}
    return {**body, "use_activation": False} if asking.raw else body


def _scores(told: Json, count: int, asking: Asking) -> list[float]:
    return [checked_score(each["score"]) for each in _in_order(told["data"], count)]


def _documents(judged: Sequence[Judged], asking: Asking) -> dict[str, Json]:
    body: dict[str, Json] = {"query": judged[0].prompt, "documents": [each.answer for each in judged]}
    return {**body, "use_activation": False} if asking.raw else body


def _relevance(told: Json, count: int, asking: Asking) -> list[float]:
    results = told["results"] if isinstance(told, Mapping) else told  # SGLang tells the list alone
    key = "relevance_score" if "relevance_score" in results[0] else "score"
    return [checked_score(each[key]) for each in _in_order(results, count)]


# SGLang.


def _templated(judged: Sequence[Judged], asking: Asking) -> dict[str, Json]:
    template = template_named(asking.template)
    return {"text": [template(each.messages) for each in judged]}


def _embedded(told: Json, count: int, asking: Asking) -> list[float]:
    if len(told) != count:
        raise WorkerError(f"the reward model told {len(told)} scores, where it was asked for {count}")
    return [_of_label(each["embedding"], asking.label) for each in told]


def _items(judged: Sequence[Judged], asking: Asking) -> dict[str, Json]:
    body: dict[str, Json] = {"query": f"{judged[0].prompt}\n\n", "items": [each.answer for each in judged]}
    labels = {"label_token_ids": list(asking.label_tokens)} if asking.label_tokens else {}
    return {**body, **labels, "apply_softmax": not asking.raw}


def _label_chances(told: Json, count: int, asking: Asking) -> list[float]:
    scores = told["scores"]
    if len(scores) != count:
        raise WorkerError(f"the reward model told {len(scores)} scores, where it was asked for {count}")
    first = 0 if asking.label_tokens and asking.label is None else asking.label
    return [_of_label(each, first) for each in scores]


# Text Embeddings Inference.


def _texts(judged: Sequence[Judged], asking: Asking) -> dict[str, Json]:
    return {
        "query": judged[0].prompt,
        "texts": [each.answer for each in judged],
        "raw_scores": asking.raw,
        "truncate": False,
    }


def _inputs(judged: Sequence[Judged], asking: Asking) -> dict[str, Json]:
    return {
        "inputs": [[each.prompt, each.answer] for each in judged],
        "raw_scores": asking.raw,
        "truncate": False,
    }


def _predictions(told: Json, count: int, asking: Asking) -> list[float]:
    if len(told) != count:
        raise WorkerError(f"the reward model told {len(told)} scores, where it was asked for {count}")
    return [_predicted(each, asking.label) for each in told]


def _predicted(labels: Sequence[Mapping[str, Json]], wanted: str | int | None) -> float:
    """The score of a label; they come sorted by score, so that their places say nothing."""
    scores = {str(each["label"]): each["score"] for each in labels}
    if wanted is None and len(scores) == 1:
        return checked_score(next(iter(scores.values())))
    for name in [f"LABEL_{1 if wanted is None else wanted}", str(wanted)]:
        if name in scores:
            return checked_score(scores[name])
    raise WorkerError(
        f"the reward model has the labels {', '.join(sorted(scores))}: name the one to score by, label="
    )


def _of_label(told: Json, wanted: str | int | None) -> float:
    """The score in a list: alone, or that of a label."""
    scores = checked_scores(told, len(told)) if isinstance(told, list) else [checked_score(told)]
    if wanted is None and len(scores) in (1, 2):
        return scores[-1]
    if isinstance(wanted, int) and 0 <= wanted < len(scores):
        return scores[wanted]
    raise WorkerError(
        f"the reward model told {len(scores)} scores of one answer: name the number of the one to take, label="
    )


def _in_order(told: Sequence[Mapping[str, Json]], count: int) -> list[Mapping[str, Json]]:
    """What was said of each, in the order of what was asked, whatever the order of the answer."""
    places = [each["index"] for each in told]
    if len(places) != count:
        raise WorkerError(f"the reward model told {len(told)} scores, where it was asked for {count}")
    if sorted(places) != list(range(count)):
        raise WorkerError(f"the reward model told scores of {places}, where 0 to {count - 1} were asked for")
    return sorted(told, key=lambda each: int(each["index"]))


ROUTES: Mapping[str, Route] = {
    route.name: route
    for route in (
        Route("classify", "/classify", _chat, _classes, 1, pairs=False),
        Route("pooling", "/pooling", _chat, _pooled, 1, pairs=False),
        Route("classify-text", "/classify", _templated, _embedded, "any", pairs=False),
        Route("v1/score", "/v1/score", _text_pairs, _scores, "prompt", pairs=True),
        Route("score", "/score", _text_pairs, _scores, "prompt", pairs=True),
        Route("score-items", "/v1/score", _items, _label_chances, "prompt", pairs=True),
        Route("v1/rerank", "/v1/rerank", _documents, _relevance, "prompt", pairs=True),
        Route("rerank", "/rerank", _documents, _relevance, "prompt", pairs=True),
        Route("v2/rerank", "/v2/rerank", _documents, _relevance, "prompt", pairs=True),
        Route("rerank-texts", "/rerank", _texts, _relevance, "prompt", pairs=True),
        Route("predict", "/predict", _inputs, _predictions, "any", pairs=True),
    )
}
"""All routes, by name, in the order in which they are tried: chats first, as reward models are trained on them."""


def routes_at(path: str) -> list[Route]:
    """The routes at a path, or the one of that name: servers ask for different things at the same.

    Raises:
        InvalidRequestError: there is none.
    """
    wanted = path.strip("/")
    found = [route for route in ROUTES.values() if wanted in (route.name, route.path.strip("/"))]
    if not found:
        raise InvalidRequestError(f"no route is named {path!r}; there are: {', '.join(ROUTES)}")
    return found


def routes_for(model: str | None) -> list[Route]:
    """The routes in the order in which they make sense for a model: a reranker may have a chat template, too."""
    reranks = model is not None and any(word in model.lower() for word in ("rerank", "cross-encoder"))
    return sorted(ROUTES.values(), key=lambda route: route.pairs != reranks)
