"""Structured predictions of a ScaffoldingLLM: voted on whole, or field by field."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Self, TypeVar, cast

from llama_index.core.base.llms.types import ChatResponse
from llama_index.core.bridge.pydantic import BaseModel, PrivateAttr

from llamaindex_scaffolding.llm.fields import ModelFields
from llamaindex_scaffolding.llm.own_predictions import OwnPredictions
from llamaindex_scaffolding.reading import OfClass
from llamaindex_scaffolding.translation.responses import chat_response, for_a_program
from scaffolding_core import ScaffoldingOutput
from scaffolding_core.adapting import Acceptance

__all__ = ["StructuredPredictions"]

Predict = TypeVar("Predict", bound=Callable[..., object])


def _by_a_copy(predict: Predict, own: Callable[..., object] | None = None) -> Predict:
    """One of LlamaIndex's ways to predict, carried out by a copy of the LLM that knows the class.

    Args:
        predict: by one of LlamaIndex's programs.
        own: where the wrapped LLM predicts by itself; None where `predict` minds that.
    """

    @functools.wraps(predict)  # its span included: no second one around it
    def by_a_copy(
        self: StructuredPredictions, output_cls: type[BaseModel], *args: object, **kwargs: object
    ) -> object:
        way = own if own is not None and self.samples_own_predictions(own.__name__) else predict
        return way(self.predicting(output_cls), output_cls, *args, **kwargs)

    return cast("Predict", by_a_copy)


class StructuredPredictions(OwnPredictions):
    """LlamaIndex's four ways to predict a structure.

    It is one sample's, whole; where a vote was held on each field, it is what the vote agreed on. Samples that the
    class refuses have no vote. A copy of the LLM makes the calls, whose messages are for LlamaIndex's programs to
    read: see `for_a_program`.
    """

    _output_cls: type[BaseModel] | None = PrivateAttr(default=None)
    _last_response: ChatResponse | None = PrivateAttr(default=None)

    structured_predict = _by_a_copy(ModelFields.structured_predict, OwnPredictions.structured_predict)
    astructured_predict = _by_a_copy(ModelFields.astructured_predict, OwnPredictions.astructured_predict)
    stream_structured_predict = _by_a_copy(ModelFields.stream_structured_predict)
    astream_structured_predict = _by_a_copy(ModelFields.astream_structured_predict)

    def predicting(self, output_cls: type[BaseModel]) -> Self:
        """What makes one prediction: this LLM's copy for it, or itself if it is that."""
        if self._output_cls is output_cls:
            return self
        copy = self.accepting(Acceptance(structure=OfClass(output_cls)))
        copy._output_cls, copy._last_response = output_cls, None
        return copy

    @property
    def told(self) -> dict[str, Any]:
        """What `additional_kwargs` of the prediction's last response tells; empty before there is one."""
        return {} if self._last_response is None else dict(self._last_response.additional_kwargs)

    def _response(self, output: ScaffoldingOutput, request_id: int) -> ChatResponse:
        if self._output_cls is None:
            return chat_response(output, request_id)
        self._predicted = output if output.consensus is None else for_a_program(output)
        self._last_response = chat_response(for_a_program(output), request_id)
        return self._last_response
