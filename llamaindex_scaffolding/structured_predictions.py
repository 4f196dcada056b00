"""Structured predictions of a ScaffoldingLLM: voted on whole, or field by field."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.types import Model

from llamaindex_scaffolding.fields import ModelFields

if TYPE_CHECKING:
    from llama_index.core.program.utils import FlexibleModel
    from llama_index.core.prompts import PromptTemplate

__all__ = ["StructuredPredictions"]


class StructuredPredictions(ModelFields):
    """LlamaIndex's four ways to predict a structure.

    It is one sample's, whole; where a vote was held on each field, it is what the vote agreed on. A copy of
    the LLM makes the calls, whose messages are for LlamaIndex's programs to read: see `for_a_program`.
    """

    _for_a_program: bool = PrivateAttr(default=False)

    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Predict a structure."""
        predicted: Model = super(StructuredPredictions, self._programs_own()).structured_predict(
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
        predicted: Model = await super(StructuredPredictions, self._programs_own()).astructured_predict(
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
        return super(StructuredPredictions, self._programs_own()).stream_structured_predict(
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
        return await super(StructuredPredictions, self._programs_own()).astream_structured_predict(
            output_cls, prompt, llm_kwargs, **prompt_args
        )

    def _programs_own(self) -> Self:
        self._backend()  # shared with the copy
        copy = self.model_copy()
        copy._for_a_program = True
        return copy
