"""Log probabilities of a prompt's tokens: as vLLM tells them, or in front of the answer's where it is echoed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from scaffolding_core.errors import UnsupportedParameterError
from scaffolding_core.messages import TokenLogprob
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.workers.openai.wire_numbers import Scored, log_probability

__all__ = ["PROMPT_LOGPROBS", "ScoredPrompt", "check_prompt_is_told", "read_prompt_logprobs", "without_prompt"]

PROMPT_LOGPROBS = "prompt_logprobs"
"""Name of the parameter, and of the field of a task's `customized_result_fields`."""

ScoredPrompt: TypeAlias = list[dict[str, object] | None]
"""Of each token its text, log probability and the likeliest in its place; None where it has none, as the first."""


# Any: JSON from outside.
def read_prompt_logprobs(given: Sequence[Mapping[str, Mapping[str, Any]] | None]) -> ScoredPrompt:
    """As vLLM tells them: at each place the token itself first, then the likeliest.

    Raises:
        TypeError, LookupError, AttributeError: they have another shape.
    """
    prompt: ScoredPrompt = []
    for place in given:
        scored = [
            (str(each.get("decoded_token")), logprob)
            for each in (place or {}).values()
            if (logprob := log_probability(each["logprob"])) is not None
        ]
        own = TokenLogprob(*scored[0], tuple(scored)) if scored else None
        prompt.append(_plain(own))
    return prompt


def without_prompt(scored: list[Scored], prompt: str) -> tuple[ScoredPrompt, list[Scored]]:
    """The tokens of an echoed prompt, and those that were written after it.

    Tokens that do not stand in the text, such as one that begins every prompt, are none of its length.
    """
    place = 0
    for number, (token, _) in enumerate(scored):
        if place >= len(prompt):
            return [_plain(own) for _, own in scored[:number]], scored[number:]
        if prompt.startswith(token, place):
            place += len(token)
    return ([_plain(own) for _, own in scored], []) if place >= len(prompt) else ([], scored)


def check_prompt_is_told(task: GenerationTask, server: str) -> None:
    """Refuse an answer that lacks what was asked of its prompt.

    Raises:
        UnsupportedParameterError: the server has ignored a parameter.
    """
    if task.echo and task.input_str is not None:
        text = task.output_str
        if not isinstance(text, str) or not text.startswith(task.input_str):
            raise UnsupportedParameterError(
                f"{server} ignores 'echo': leave it out, and put the prompt in front yourself"
            )
    if task.prompt_logprobs is not None and PROMPT_LOGPROBS not in (task.customized_result_fields or {}):
        raise UnsupportedParameterError(f"{server} ignores 'prompt_logprobs': leave it out")


def _plain(own: TokenLogprob | None) -> dict[str, object] | None:
    if own is None:
        return None
    return {"token": own.token, "logprob": own.logprob, "top": [list(each) for each in own.top]}
