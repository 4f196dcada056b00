"""What `generate_async` gives: one object, which grows with each response."""

import enum
from typing import Any, Self

from tensorrt_llm.executor import CompletionOutput
from tensorrt_llm.executor.engine import Engine, Request, Response
from tensorrt_llm.tokenizer import Tokenizer


class MetricNames(enum.Enum):
    TTFT = "ttft"
    E2E = "e2e"


class GenerationResult:
    def __init__(self) -> None:
        raise RuntimeError(f"{type(self).__name__} is made by the LLM alone")

    @classmethod
    def _of(cls, request: Request, engine: Engine, tokenizer: Tokenizer | None, prompt: str | None) -> Self:
        self = cls.__new__(cls)
        self._request, self._engine, self._tokenizer, self.prompt = request, engine, tokenizer, prompt
        self._done = self._aborted = False
        self.sampling_params = request.params
        self.context_logits = None
        self.cached_tokens = self.decoding_iter = 0
        self.avg_decoded_tokens_per_iter = None
        self.metrics_dict = {}
        self._outputs = [CompletionOutput(index) for index in range(request.params.best_of or 1)]
        return self

    @property
    def request_id(self) -> int:
        return self._request.id

    @property
    def prompt_token_ids(self) -> list[int]:
        return self._request.prompt

    @property
    def outputs(self) -> list[CompletionOutput]:
        return self._outputs[: self.sampling_params.n]

    @property
    def finished(self) -> bool:
        return self._done

    def abort(self) -> None:
        self._engine.abort(self._request)
        self._aborted = True

    def aborted(self) -> bool:
        return self._aborted

    def result(self, timeout: float | None = None) -> Self:
        """Wait for the end, whatever the timeout says."""
        while not self._done:
            self._take(self._request.responses.get())
        return self

    async def aresult(self) -> Self:
        while not self._done:
            await self._aresult_step()
        return self

    def __await__(self) -> Any:
        return self.aresult().__await__()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Self:
        if self._done:
            raise StopAsyncIteration
        await self._aresult_step()
        return self

    async def _aresult_step(self) -> None:
        self._take(await self._request.responses.aget())

    def _take(self, response: Response) -> None:
        self._engine.check(response.error)
        self._done = response.is_final
        self.decoding_iter += 1
        self.cached_tokens = response.cached_tokens
        self.context_logits = response.context_logits
        output = self._outputs[response.index]
        output._last_token_ids_len = len(output.token_ids)
        output.token_ids.extend(response.tokens)
        if response.logprobs is not None:
            output._last_logprobs_len = len(output.logprobs)
            output.logprobs += response.logprobs
        if response.finish == "cancelled" or (response.finish is not None and self._done):
            output.finish_reason = response.finish  # of several sequences only the last tells, unless it is cut
        if output.finish_reason == "stop" and output.token_ids[-1:] in [
            [token] for token in self.sampling_params.stop_token_ids or ()
        ]:
            output.stop_reason = output.token_ids[-1]
            if not self.sampling_params.include_stop_str_in_output:
                output.token_ids = output.token_ids[:-1]
        if response.metrics is not None:
            self.metrics_dict = {MetricNames(name): value for name, value in response.metrics.items()}
        self._detokenize()

    def _detokenize(self) -> None:
        if not self.sampling_params.detokenize or self._tokenizer is None:
            return
        skip = {"skip_special_tokens": self.sampling_params.skip_special_tokens}
        for output in self.outputs:
            output._last_text_len = len(output.text)
            if self._request.streaming:  # what is new of one sequence is taken again with each of another's
                output.text += self._tokenizer.decode(output.token_ids_diff, **skip)
            else:
                output.text = self._tokenizer.decode(output.token_ids, **skip)
            if not self._done or output.finish_reason in ("stop", "length"):
                self._look_for_stop(output)

    def _look_for_stop(self, output: CompletionOutput) -> None:
        """A stop that shows in the text alone ends the whole request, all its sequences with it."""
        for stop in self.sampling_params.stops:
            if stop in output.text:
                kept = len(stop) if self.sampling_params.include_stop_str_in_output else 0
                output.text = output.text[: output.text.find(stop) + kept]
                output.finish_reason, output.stop_reason = "stop", stop
                self.abort()
                self._done = True
                return


class RequestOutput(GenerationResult):
    """What `LLM` gives."""
