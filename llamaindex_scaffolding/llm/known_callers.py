"""What is known of a caller: the tools that it offers, or the parser that it reads answers with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from llamaindex_scaffolding.llm.fields import ModelFields
from llamaindex_scaffolding.reading import OfParser, offered_tools
from scaffolding_core.adapting import Acceptance

if TYPE_CHECKING:
    from llama_index.core.prompts import BasePromptTemplate
    from llama_index.core.tools.types import BaseTool

__all__ = ["KnownCallers"]

Call = TypeVar("Call", bound=Callable[..., object])


def _by_what_is_read(prompt: BasePromptTemplate, llm: ModelFields) -> Acceptance | None:
    parser = prompt.output_parser or llm.output_parser
    return None if parser is None else Acceptance(structure=OfParser(parser))


def _by_what_is_offered(tools: Sequence[BaseTool], llm: ModelFields) -> Acceptance | None:
    return Acceptance(tools=offered_tools(tools)) if tools else None


def _known(call: Call, argument: str, accepted: Callable[[Any, ModelFields], Acceptance | None]) -> Call:
    """One of LlamaIndex's calls, made by a copy of the LLM that knows what its caller accepts.

    Args:
        call: to make.
        argument: name of its first argument, which tells.
        accepted: takes that argument and the LLM.
    """

    @functools.wraps(call)  # its span included: no second one around it
    def by_a_copy(self: KnownCallers, *args: object, **kwargs: object) -> object:
        told = args[0] if args else kwargs[argument]
        return call(self.accepting(accepted(told, self)), *args, **kwargs)

    return cast("Call", by_a_copy)


class KnownCallers(ModelFields):
    """LlamaIndex's calls that tell what the caller does with the answer: it accepts what it can use.

    Those are calls of the tools that it offers, with arguments that they take, and texts that the prompt's output
    parser can read. Anything else has no vote.
    """

    predict = _known(ModelFields.predict, "prompt", _by_what_is_read)
    apredict = _known(ModelFields.apredict, "prompt", _by_what_is_read)
    chat_with_tools = _known(ModelFields.chat_with_tools, "tools", _by_what_is_offered)
    achat_with_tools = _known(ModelFields.achat_with_tools, "tools", _by_what_is_offered)
    stream_chat_with_tools = _known(ModelFields.stream_chat_with_tools, "tools", _by_what_is_offered)
    astream_chat_with_tools = _known(ModelFields.astream_chat_with_tools, "tools", _by_what_is_offered)

    def accepting(self, acceptance: Acceptance | None) -> Self:
        """A copy of this LLM that accepts this alone; itself where nothing is said, or it knows what to accept."""
        if acceptance is None or self._acceptance is not None:
            return self
        copy = self.model_copy()
        copy._acceptance = acceptance
        return copy
