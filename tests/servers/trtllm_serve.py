"""A double of trtllm-serve: a scripted server that has its rules, and a KV cache of blocks.

It takes the fields that the routes of trtllm-serve take, and answers 400 to any other; its texts are those of the
script, and a text of a prompt has a token for each four characters.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from aiohttp import web

from tests.servers.scripted import Reply, Scripted, _released

_BOTH = {
    "model", "frequency_penalty", "logit_bias", "logprobs", "n", "presence_penalty", "seed", "stop", "stream",
    "stream_options", "temperature", "top_p", "user", "best_of", "use_beam_search", "top_k", "top_p_min", "min_p",
    "repetition_penalty", "length_penalty", "early_stopping", "stop_token_ids", "include_stop_str_in_output",
    "ignore_eos", "min_tokens", "skip_special_tokens", "spaces_between_special_tokens", "truncate_prompt_tokens",
    "lora_request", "response_format", "disaggregated_params", "add_special_tokens", "prompt_ignore_length",
    "thinking_token_budget", "priority", "conversation_params", "max_tokens", "echo",
}  # fmt: skip
_FIELDS = {
    "/completions": _BOTH | {"prompt", "suffix", "return_context_logits", "detokenize"},
    "/chat/completions": _BOTH
    | {
        "messages", "prompt_token_ids", "max_completion_tokens", "top_logprobs", "tools", "tool_choice",
        "parallel_tool_calls", "reasoning_effort", "thinking", "add_generation_prompt", "documents",
        "chat_template", "chat_template_kwargs", "media_io_kwargs", "mm_processor_kwargs", "cache_salt",
        "agent_hierarchy",
    },
}  # fmt: skip
_TRUNCATION = {
    "model", "messages", "messages_to_retain", "tools", "add_generation_prompt", "documents", "chat_template",
    "chat_template_kwargs", "reasoning_effort", "tool_choice",
}  # fmt: skip
_FORMATS = {
    "text": None, "json": "schema", "json_schema": "json_schema", "json_object": None, "regex": "regex",
    "ebnf": "ebnf", "structural_tag": "format",
}  # fmt: skip
BLOCK = 32
"""Tokens of a block of the KV cache."""
WINDOW = 4096
"""Tokens that prompt and answer may have."""


class Refused(Exception):
    """What is asked breaks a rule."""


class TrtllmServe(Scripted):
    """The server.

    Args:
        script: its answers; their usage is counted anew.
        without: fields that this version of it does not take.
        truncates_at: where it truncates its KV cache, if anywhere.
        measures: whether it has perf metrics.

    Attributes:
        prefilled: tokens of prompts that it had to read.
        waiting: requests whose answer has not begun.
        truncated: the bodies of its truncations.
        missed: addresses that were asked and are none.
    """

    def __init__(
        self,
        script: Callable[[dict[str, Any]], Reply] | list[Reply] | Reply | None = None,
        *,
        without: tuple[str, ...] = (),
        truncates_at: str | None = "/_control/kv_cache/truncate",
        measures: bool = True,
    ) -> None:
        super().__init__(script or Reply())
        self.listed = [{"id": "scripted-model", "object": "model", "owned_by": "tensorrt_llm"}]
        self.without = set(without)
        self.truncates_at = truncates_at
        self.measures = measures
        self.prefilled = 0
        self.waiting = 0
        self.truncated: list[dict[str, Any]] = []
        self.missed: list[str] = []
        self._blocks: set[tuple[object, ...]] = set()
        self._measured: list[dict[str, Any]] = []
        self._numbers = count(1)

    def add_routes(self, app: web.Application) -> None:
        super().add_routes(app)
        app.router.add_get("/version", self.tell({"version": "1.3.0"}))
        app.router.add_get("/health", self.tell(None))
        app.router.add_get("/metrics", self.tell([]))
        app.router.add_get("/perf_metrics", self.drain)
        if self.truncates_at:
            app.router.add_post(self.truncates_at, self.truncate)
        app.router.add_post("/{elsewhere:.*}", self.miss)

    def tell(self, what: object) -> Callable[[web.Request], Any]:
        async def told(request: web.Request) -> web.Response:
            self.asked.append(request.path)
            return web.Response() if what is None else web.json_response(what)

        return told

    async def miss(self, request: web.Request) -> web.Response:
        self.missed.append(request.path)
        return web.json_response({"detail": "Not Found"}, status=404)

    async def drain(self, request: web.Request) -> web.Response:
        measured, self._measured = self._measured, []
        return web.json_response(measured)

    async def truncate(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.truncates_at == "/_control/kv_cache/truncate" and set(body) - _TRUNCATION:
            return web.json_response({"error": _forbidden(set(body) - _TRUNCATION)}, status=400)
        self.truncated.append(body)
        whole, kept = _tokens(body), len(_tokens({"messages": body["messages_to_retain"]})) // BLOCK
        self._blocks -= set(_blocks(None, whole)[kept:])
        return web.Response()

    async def _send(self, request: web.Request, body: dict[str, Any], reply: Reply) -> web.StreamResponse:
        if reply.body is not None:
            return web.json_response(reply.body, status=reply.status)
        route = request.path.removeprefix("/v1")
        unknown = set(body) - (_FIELDS[route] - self.without)
        if unknown:  # the shape of whatever its models of a request refuse
            return web.json_response({"error": _forbidden(unknown)}, status=400)
        try:
            _check(route, body)
        except Refused as refused:
            told = {
                "object": "error",
                "message": str(refused),
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            }
            return web.json_response(told, status=400)
        tokens, salt = _tokens(body), body.get("cache_salt")
        blocks = _blocks(salt, tokens)
        reused = next((i for i, block in enumerate(blocks) if block not in self._blocks), len(blocks))
        cached = min(reused, (len(tokens) - 1) // BLOCK) * BLOCK
        self.prefilled += len(tokens) - cached
        self.waiting += 1
        try:
            await _released(reply.held)
        finally:
            self.waiting -= 1
        self._blocks.update(blocks)
        self._measure(len(blocks), cached // BLOCK)
        prompt = {"prompt_tokens": len(tokens), "prompt_tokens_details": {"cached_tokens": cached}}
        if not body.get("stream"):
            return web.json_response(self._whole(reply, body, prompt))
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for data in self._streamed(reply, body, prompt):
            await response.write(f"data: {data}\n\n".encode())
            await asyncio.sleep(reply.between)
        if reply.reset:
            assert request.transport is not None
            request.transport.abort()
        return response

    def _streamed(self, reply: Reply, body: dict[str, Any], prompt: dict[str, Any]) -> Iterator[str]:
        chat, options = "messages" in body, body.get("stream_options") or {}
        written, ids = 0, body.get("detokenize") is False
        head = {"id": f"cmpl-{next(self._numbers)}", "created": 0, "model": body["model"]}
        for index in range(body.get("n", 1)):
            for part in self._parts(reply.of(index), chat):
                if ids and part.get("text"):
                    part = {**part, "text": "", "token_ids": [len(part["text"])]}
                end = {**_end(body), "avg_decoded_tokens_per_iter": 1.0} if part.get("finish_reason") else {}
                choice = {"index": index, "finish_reason": None, **part, **end}
                written += _writes(part)
                along = options.get("continuous_usage_stats")
                usage = {"usage": _usage(prompt, written)} if along else {}
                yield json.dumps({**head, "choices": [choice], **usage})
        if reply.reset:
            return
        if options.get("include_usage", True):
            yield json.dumps({**head, "choices": [], "usage": _usage(prompt, written)})
        yield "[DONE]"

    def _whole(self, reply: Reply, body: dict[str, Any], prompt: dict[str, Any]) -> dict[str, Any]:
        choices = range(body.get("n", 1))
        told = self._plain(replace(reply, usage=None), "messages" in body, choices)
        for choice in told["choices"]:
            choice |= {**_end(body), "disaggregated_params": None, "avg_decoded_tokens_per_iter": 1.0}
            if body.get("detokenize") is False:
                choice |= {"text": "", "token_ids": [len(piece) for piece in reply.of(choice["index"]).pieces]}
        told_of = map(reply.of, choices)
        written = sum(len(list(each.pieces)) + bool(each.reasoning) for each in told_of)
        return {**told, "usage": _usage(prompt, written)}

    def _measure(self, blocks: int, reused: int) -> None:
        if self.measures:
            times = {
                "arrival_time": 1.0,
                "first_scheduled_time": 1.5,
                "first_token_time": 2.0,
                "last_token_time": 3.0,
            }
            cache = {
                "num_total_allocated_blocks": blocks, "num_new_allocated_blocks": blocks - reused,
                "num_reused_blocks": reused, "num_missed_blocks": blocks - reused,
            }  # fmt: skip
            metrics = {"first_iter": 1, "last_iter": 9, "timing_metrics": times, "kv_cache_metrics": cache}
            self._measured.append({"request_id": next(self._numbers), "perf_metrics": metrics})


def _end(body: dict[str, Any]) -> dict[str, Any]:
    """What ended an answer: the first of its stops, where it has any."""
    return {"stop_reason": (body.get("stop") or [None])[0]}


def _writes(part: dict[str, Any]) -> bool:
    told = {**part, **(part.get("delta") or {})}
    return any(told.get(name) for name in ("text", "token_ids", "content", "reasoning_content", "tool_calls"))


def _check(route: str, body: dict[str, Any]) -> None:
    chat = route == "/chat/completions"
    if body["model"] not in ("scripted-model", "m"):
        raise Refused(f"The model `{body['model']}` does not exist.")
    if body.get("suffix"):
        raise Refused("suffix is not supported")
    if body.get("stream_options") and not body.get("stream"):
        raise Refused("Stream options can only be defined when stream is true.")
    if not all(key.lstrip("-").isdigit() for key in body.get("logit_bias") or {}):
        raise Refused("Invalid logit_bias key: must be a valid integer token ID")
    if chat and (
        not isinstance(body.get("logprobs", False), bool) or ("top_logprobs" in body and not body["logprobs"])
    ):
        raise Refused("logprobs must be true when using top_logprobs")
    if not chat and type(body.get("logprobs", 0)) is not int:
        raise Refused("logprobs: Input should be a valid integer")
    together = max(body.get("n", 1), body.get("best_of") or 1)
    if together > 1 and (body.get("temperature") == 0 or body.get("top_k") == 1 or body.get("top_p") == 0):
        raise Refused(f"Greedy decoding in the LLM API does not allow multiple returns; best_of {together}")
    if (body.get("best_of") or together) < body.get("n", 1):
        raise Refused("best_of must be greater than or equal to n")
    if not 0 <= body.get("priority", 0.5) <= 1:
        raise Refused("priority: Input should be between 0 and 1")
    if body.get("cache_salt") is not None and not body["cache_salt"].strip():
        raise Refused("Parameter 'cache_salt' must be a non-empty string if provided.")
    if body.get("tool_choice", "none") not in ("none", "auto") and not body.get("tools"):
        raise Refused("When using `tool_choice`, `tools` must be set.")
    shape = body.get("response_format") or {"type": "text"}
    if shape["type"] not in _FORMATS or (_FORMATS[shape["type"]] or "type") not in shape:
        raise Refused(f"response_format is not valid: {shape}")
    most = body.get("max_tokens") or body.get("max_completion_tokens") or 1
    if len(_tokens(body)) + most > WINDOW:
        raise Refused(
            f"The sum of prompt length ({len(_tokens(body))}.0), query length (0) and max_tokens ({most}) should "
            f"not exceed max_num_tokens ({WINDOW})"
        )


def _forbidden(unknown: set[str]) -> str:
    each = [
        f"{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}"
        for name in sorted(unknown)
    ]
    return f"{len(each)} validation error:\n  " + "\n  ".join(each)


def _tokens(body: dict[str, Any]) -> list[object]:
    if isinstance(body.get("prompt"), list):
        return body["prompt"]
    text = body.get("prompt") or "".join(f"<{each['role']}>{each['content']}" for each in body["messages"])
    return [text[start : start + 4] for start in range(0, len(text), 4)]


def _blocks(salt: object, tokens: list[object]) -> list[tuple[object, ...]]:
    return [(salt, *tokens[: end + BLOCK]) for end in range(0, len(tokens) - BLOCK + 1, BLOCK)]


def _usage(prompt: dict[str, Any], written: int) -> dict[str, Any]:
    return {**prompt, "completion_tokens": written, "total_tokens": prompt["prompt_tokens"] + written}
