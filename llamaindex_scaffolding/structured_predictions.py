"""Structured predictions of a ScaffoldingLLM: voted on whole, or field by field."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.bridge.pydantic import BaseModel, PrivateAttr
from llama_index.core.types import Model

from llamaindex_scaffolding.fields import ModelFields
from scaffolding_core import Answer, AssistantMessage, Extractor, Structure

if TYPE_CHECKING:
    from llama_index.core.program.utils import FlexibleModel
    from llama_index.core.prompts import PromptTemplate

__all__ = ["StructuredPredictions"]


class StructuredPredictions(ModelFields):
    """LlamaIndex's four ways to predict a structure.

    It is one sample's, whole; where a vote was held on each field, it is what the vote agreed on. In a vote on
    the whole, samples that the class refuses have no vote. A copy of the LLM makes the calls, whose messages
    are for LlamaIndex's programs to read: see `for_a_program`.
    """

    _output_cls: type[BaseModel] | None = PrivateAttr(default=None)

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Predict a structure."""
        predicted: Model = super(StructuredPredictions, self._programs_own(output_cls)).structured_predict(
            output_cls, prompt, llm_kwargs, **prompt_args
        )
        return predicted

    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Predict a structure."""
        predicted: Model = await super(StructuredPredictions, self._programs_own(output_cls)).astructured_predict(
            output_cls, prompt, llm_kwargs, **prompt_args
        )
        return predicted

    def stream_structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | FlexibleModel, None, None]:
        """Predict a structure, and show it while it grows; one that is voted on comes as a whole."""
        return super(StructuredPredictions, self._programs_own(output_cls)).stream_structured_predict(
            output_cls, prompt, llm_kwargs, **prompt_args
        )

    async def astream_structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | FlexibleModel, None]:
        """Predict a structure, and show it while it grows; one that is voted on comes as a whole."""
        return await super(StructuredPredictions, self._programs_own(output_cls)).astream_structured_predict(
            output_cls, prompt, llm_kwargs, **prompt_args
        )

    def _programs_own(self, output_cls: type[BaseModel]) -> Self:
        self._backend()  # shared with the copy
        copy = self.model_copy()
        copy._output_cls = output_cls
        return copy

    def _compared(self) -> Extractor:
        return super()._compared() if self._output_cls is None else _valid(self._output_cls)


class _Valid(Extractor):
    """The structure in a message as a class makes it; none where the class refuses it."""

    def __init__(self, output_cls: type[BaseModel]) -> None:
        self._output_cls = output_cls

    def extract(self, message: AssistantMessage) -> Answer | None:
        found = _STRUCTURE.extract(message)
        if found is None:
            return None
        try:
            # As JSON: a strict model takes a date as text from nothing else.
            return self._output_cls.model_validate_json(json.dumps(found)).model_dump(mode="json")
        except ValueError:  # a ValidationError is one
            return None


_STRUCTURE = Structure()
_valid = functools.lru_cache(maxsize=128)(_Valid)
