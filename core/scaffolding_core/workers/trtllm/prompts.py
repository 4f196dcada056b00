"""The prompt of a task, as `generate_async` takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scaffolding_core.answers.json_text import read_arguments
from scaffolding_core.errors import InvalidRequestError, UnsupportedParameterError
from scaffolding_core.messages import AssistantMessage, RoleMessage
from scaffolding_core.tasks import ChatTask, GenerationTask
from scaffolding_core.workers.trtllm.checked import token_ids
from scaffolding_core.workers.trtllm.llm_api import Llm, Tokenizer
from scaffolding_core.workers.trtllm.tool_choice import check_tool_choice, offered_tools

__all__ = ["Prompts", "check_prompt"]


def check_prompt(task: GenerationTask) -> None:
    """Refuse a task without a prompt, or with one that is no text.

    Raises:
        InvalidRequestError: there is none, or it is to call a tool that is not given.
        UnsupportedParameterError: a chat has parts that are no text.
    """
    if not isinstance(task, ChatTask):
        if task.text_prompt is None and not token_ids("input_tokens", task.input_tokens or ()):
            raise InvalidRequestError("a generation task needs input_str or input_tokens")
        return
    if not task.messages:
        raise InvalidRequestError("a chat task needs at least one message")
    check_tool_choice(task)
    for message in task.messages:
        if not isinstance(message.content, str | None) and not all(_is_text(part) for part in message.content):
            raise UnsupportedParameterError(
                "TRTLLMWorker takes text alone in a chat: trtllm-serve takes images too"
            )


class Prompts:
    """Makes prompts; it tokenises, so it is to be called in a thread.

    Args:
        llm: whose prompts they are.
        tokenizer: of its model, with the chat template; None where there is none.
    """

    def __init__(self, llm: Llm, tokenizer: Tokenizer | None) -> None:
        self._llm = llm
        self._tokenizer = tokenizer

    def prepared(self, task: GenerationTask, params: Any) -> object:  # Any: SamplingParams
        """What `generate_async` takes as inputs for a task that was checked.

        Raises:
            InvalidRequestError: the model has no chat template, it refuses the chat, or the prompt has no tokens.
        """
        inputs = self._inputs(task, params)
        if not getattr(inputs, "prompt_token_ids", inputs):
            raise InvalidRequestError("the prompt has no tokens: give it some text")
        return inputs

    def _inputs(self, task: GenerationTask, params: Any) -> object:
        if isinstance(task, ChatTask):
            return self._tokenised(self._templated(task), params)
        if task.input_tokens and not task.answer_prefix and (task.input_str is None or task.skip_tokenizer):
            return _last(token_ids("input_tokens", task.input_tokens), params)
        return self._tokenised(task.text_prompt or "", params)

    def _tokenised(self, text: str, params: Any) -> object:
        preprocess = getattr(self._llm, "preprocess", None)
        if preprocess is not None and getattr(self._llm, "tokenizer", None) is not None:
            return preprocess({"prompt": text}, params)
        if self._tokenizer is None:
            return text
        return _last(self._tokenizer.encode(text, add_special_tokens=params.add_special_tokens), params)

    def _templated(self, task: ChatTask) -> str:
        if self._tokenizer is None:
            raise InvalidRequestError("the LLM has no tokenizer to write a chat with: give TRTLLMWorker one")
        tools = offered_tools(task)
        begun = [AssistantMessage(task.answer_prefix)] if task.answer_prefix else []
        messages = [_plain(message) for message in [*task.messages, *begun]]
        goes_on = {"add_generation_prompt": False, "continue_final_message": True} if begun else {}
        try:
            text: str = self._tokenizer.apply_chat_template(
                messages,
                **{"tools": tools} if tools else {},
                **{
                    "tokenize": False,
                    "add_generation_prompt": True,
                    **(task.chat_template_kwargs or {}),
                    **goes_on,
                },
            )
        except Exception as error:  # of a template, which is a program of the model's
            raise InvalidRequestError(
                f"the model's chat template does not take this chat, ask with a text prompt instead: {error}"
            ) from error
        return text


def _plain(message: RoleMessage) -> dict[str, object]:
    """A message as templates take it: texts joined, and the arguments of calls as mappings."""
    plain: dict[str, object] = {**message.to_dict(), "content": message.text}
    calls = plain.get("tool_calls")
    if isinstance(calls, Sequence):
        plain["tool_calls"] = [_with_arguments(call) for call in calls]
    return plain


def _with_arguments(call: Any) -> object:  # Any: JSON of our own making
    function = call["function"]
    try:
        arguments = read_arguments(function["arguments"])
    except ValueError:  # as the model wrote them
        return call
    return {**call, "function": {**function, "arguments": arguments}}


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text"


def _last(tokens: list[int], params: Any) -> list[int]:
    return tokens[-(params.truncate_prompt_tokens or 0) :]
