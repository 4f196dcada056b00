"""The model call of an agent as a backend: each sample calls the agent's handler once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias, cast

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.errors import GraphBubbleUp

from langchain_scaffolding.middleware.acceptance import acceptance_of
from langchain_scaffolding.tracing.inner_runs import inside, tell_around
from langchain_scaffolding.tracing.runs import Manager, sampled_under, without_streams
from langchain_scaffolding.translation.messages import from_core, to_ai_message, to_core, usage_from_core
from langchain_scaffolding.workers.sampled_model import answer_limit, model_name
from langchain_scaffolding.workers.task_results import fill
from scaffolding_core import (
    Capabilities,
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    ScaffoldingLlm,
    ScaffoldingResult,
    Task,
    Usage,
    Worker,
    WorkerError,
)
from scaffolding_core.adapting import Call, TaskHandler, as_asked, current_request, result_data, run_either

__all__ = [
    "AsyncHandler",
    "Handler",
    "ModelCall",
    "ModelCallWorker",
    "ai_message",
    "asampled",
    "chosen",
    "sampled",
]

# Any: a request's context and a response's structure are whatever the agent's author chose.
Request: TypeAlias = ModelRequest[Any]
Response: TypeAlias = ModelResponse[Any]
Handler: TypeAlias = Callable[[Request], Response]
AsyncHandler: TypeAlias = Callable[[Request], Awaitable[Response]]

_MODEL_CALL = "langchain_model_call"


@dataclass(slots=True)
class ModelCall:
    """One model call of an agent.

    Args:
        request: what the agent asks.
        handler: calls the model.
        drawn: a sample that is there already; the first task takes it instead of calling the model.
        paid: for that one.
    """

    request: Request
    handler: Handler | AsyncHandler
    drawn: Response | None = None
    paid: Usage | None = None


class _BubbledUp(InvalidRequestError):
    """The graph interrupted a sample. Every other sample would be interrupted alike, so the request ends."""

    def __init__(self, bubbled: GraphBubbleUp) -> None:
        super().__init__("the graph interrupted a sample")
        self.bubbled = bubbled


class ModelCallWorker(Worker):
    """Runs tasks by calling an agent's handler: in threads for a blocking agent, on the loop for an async one.

    The model is called without its cache, which would turn all samples into one, and no stream shows its tokens.

    Cost: one call of the model for each task.

    Args:
        max_concurrency: calls at once.
    """

    capabilities = Capabilities(tools=True)

    def __init__(self, max_concurrency: int = Worker.max_concurrency) -> None:
        self.max_concurrency = max_concurrency

    def model_for(self, task: Task) -> str | None:
        """The name of the agent's model."""
        return model_name(_call_of(task).request.model)

    def tools_for(self, task: GenerationTask) -> Sequence[object]:
        """The descriptions of the agent's tools."""
        return [convert_to_openai_tool(tool) for tool in _call_of(task).request.tools]

    def answer_limit(self, task: GenerationTask) -> int | None:
        """How many tokens an answer has at most, by the task or by the model's own parameters."""
        return task.max_tokens or answer_limit(_call_of(task).request.model)

    async def _generate(self, task: ChatTask) -> None:
        call = _call_of(task)
        response, call.drawn = call.drawn, None
        if response is None:
            with inside(task):
                response = await _called(call, _request_of(call, task))
        else:
            task.usage = call.paid
        fill(task, ai_message(response))
        task.original = response

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {ChatTask: _generate}


def sampled(llm: ScaffoldingLlm, call: ModelCall, options: Mapping[str, object]) -> ScaffoldingResult:
    """The finished result of a method around a model call."""
    try:
        result = _call(llm, call, options).result()
    except _BubbledUp as error:
        raise error.bubbled from None
    return _charged(result)


async def asampled(llm: ScaffoldingLlm, call: ModelCall, options: Mapping[str, object]) -> ScaffoldingResult:
    """The finished result of a method around a model call; cancelled with the agent."""
    try:
        result = await _call(llm, call, options).aresult()
    except _BubbledUp as error:
        raise error.bubbled from None
    return _charged(result)


def _charged(result: ScaffoldingResult) -> ScaffoldingResult:
    if current_request.get() is None:  # else its own request has told that one
        tell_around(result.usage)
    return result


def _call(llm: ScaffoldingLlm, call: ModelCall, options: Mapping[str, object]) -> Call:
    """A request whose samples, and judges, are seen beneath the agent's node."""
    around = ensure_config()
    told = around["callbacks"]
    manager = told if isinstance(told, CallbackManager | AsyncCallbackManager) else CallbackManager.configure(told)

    def beneath(manager: Manager) -> RunnableConfig:
        return RunnableConfig(**{**around, "callbacks": without_streams(manager)})

    return Call(llm, _task_of(call), options, sampled_under(manager, beneath))


def chosen(result: ScaffoldingResult, key: str = "scaffolding", **details: object) -> Response:
    """The chosen sample's response, whole; its message tells the method's result and what all samples cost.

    Args:
        result: of `sampled`.
        key: of the message's `response_metadata`, where the method's result goes.
        details: more of it.
    """
    output = result.output
    response = output.message.original
    if not isinstance(response, ModelResponse):  # a method of the user's own wrote the message
        response = ModelResponse(result=[to_ai_message(output.message)])
    mine = ai_message(response)
    summary = {**result_data(output, result.id), **details}
    told = mine.model_copy(
        update={
            "usage_metadata": usage_from_core(output.usage),
            "response_metadata": {**mine.response_metadata, key: summary},
        }
    )
    return replace(response, result=[told if message is mine else message for message in response.result])


def ai_message(response: Response) -> AIMessage:
    """The model's message in a response; beside it there may be tool messages of a structured output.

    Raises:
        WorkerError: there is none.
    """
    found = next((message for message in response.result if isinstance(message, AIMessage)), None)
    if found is None:
        raise WorkerError(
            "a model call of the agent returned no AIMessage: a middleware further in must return one"
        )
    return found


async def _called(call: ModelCall, request: Request) -> Response:
    try:
        return cast("Response", await run_either(call.handler, cast("AsyncHandler", call.handler), request))
    except GraphBubbleUp as error:
        raise _BubbledUp(error) from error


def _call_of(task: Task) -> ModelCall:
    return cast("ModelCall", (task.custom_input_params or {})[_MODEL_CALL])


def _task_of(call: ModelCall) -> ChatTask:
    request = call.request
    system = [request.system_message] if request.system_message is not None else []
    task = ChatTask(messages=to_core([*system, *request.messages], wrapped=True))
    task.acceptance = acceptance_of(request)
    task.custom_input_params = {_MODEL_CALL: call}
    return task


def _request_of(call: ModelCall, task: ChatTask) -> Request:
    """The agent's request with what a method changed: messages and sampling parameters."""
    messages = from_core(task.messages)
    system = messages.pop(0) if messages and isinstance(messages[0], SystemMessage) else None
    for_words: dict[str, Any] = {}
    if task.aside:
        tools = call.request.tools if task.has_calls else []
        for_words = {"tools": tools, "tool_choice": None, "response_format": None}
    return call.request.override(
        model=cast("BaseChatModel", _uncached(call.request.model)),
        system_message=cast("SystemMessage | None", system),
        messages=cast("list[Any]", messages),  # LangChain's union of all messages
        model_settings={**as_asked(task, call.request.model_settings), **task.sampling()},
        **for_words,
    )


def _uncached(model: object) -> object:
    if isinstance(model, BaseChatModel):
        return model.model_copy(update={"cache": False})
    if isinstance(model, RunnableBindingBase):
        return model.model_copy(update={"bound": _uncached(model.bound)})
    return model
