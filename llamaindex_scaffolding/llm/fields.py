"""What a ScaffoldingLLM is made of: fields, backend, plain data, and how a call becomes a request."""

from __future__ import annotations

from collections.abc import Container, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.base.llms.types import LLMMetadata
from llama_index.core.bridge.pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_serializer,
)
from llama_index.core.callbacks import CallbackManager
from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW, DEFAULT_NUM_OUTPUTS
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from pydantic import InstanceOf

from llamaindex_scaffolding.judging.rewards import core_reward
from llamaindex_scaffolding.judging.roles import core_roles
from llamaindex_scaffolding.reading import OfClass, Step, read_as_here, told_tools
from llamaindex_scaffolding.translation.candidates import StreamCandidates
from llamaindex_scaffolding.translation.serialization import check_complete, llm_from_dict, llm_to_dict, to_plain
from llamaindex_scaffolding.workers.unheard_worker import UnheardWorker
from llamaindex_scaffolding.workers.worker import LLAMAINDEX_KWARGS
from scaffolding_core import (
    METHODS,
    Answers,
    ChatTask,
    Controller,
    GenerationTask,
    InvalidRequestError,
    ModelInfo,
    NativeGenerationController,
    ScaffoldingLlm,
    Worker,
)
from scaffolding_core.adapting import (
    Acceptance,
    Backend,
    Backends,
    Call,
    Closable,
    check_method,
    engine_worker,
    named_worker,
    server_settings,
    server_worker,
    split,
)

__all__ = ["ModelFields"]

_OF_THE_SERVER = ("api_key",)
_OF_SERVER_OR_ENGINE = ("timeout", "siblings")
_AS_GIVEN = NativeGenerationController()
"""Generates with the kind of task that comes in: a text stays a text."""

_OF_THE_WRAPPED = LLM.model_fields.keys() - {"rate_limiter"}
"""Fields that a wrapper which does not set them has of its LLM; that asks its own rate limiter for each sample."""

_STEP = Step()
"""Agents of all kinds run on it."""


class ModelFields(Closable, FunctionCallingLLM):
    """The fields of a `ScaffoldingLLM`, the backend behind them, and their plain data."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        protected_namespaces=(),
        hide_input_in_errors=True,  # it may be a key
    )

    method: str | Controller = Field(
        default="majority_vote",
        description=f"{', '.join(METHODS)}, or a controller.",
    )
    sample_num: int | None = Field(default=None, description="Samples, for methods that take several.")
    method_options: dict[str, Any] = Field(
        default_factory=dict, description="Further options of the method's class, such as stop_rule."
    )
    answers: Any = Field(
        default=None,
        description=(
            "The kind of answer: a name such as `number`, a mapping with a `kind`, an `Answers`, or a pair of "
            "your own extractor and equivalence; for field_vote one of these a field. None reads what "
            "LlamaIndex's agents and components read, and else by `auto`."
        ),
    )
    model: str = Field(
        default="",
        description=(
            "Name of the model at the server; empty takes the first that it lists. With `engine`, its folder."
        ),
    )
    api_base: str | list[str] | None = Field(
        default=None,
        description=(
            "Address of an OpenAI-compatible server; a list of several that serve the same model makes a "
            "`WorkerPool` of them. None runs the embedded model."
        ),
    )
    engine: str | None = Field(
        default=None,
        description=(
            "An engine in this process instead of a server: `trtllm` loads the folder that `model` names into a "
            "TensorRT-LLM of its own, which takes its time and ends with `close()`."
        ),
    )
    api_key: SecretStr | list[SecretStr | None] | dict[str, SecretStr | None] | None = Field(
        default=None,
        exclude=True,
        description=(
            "Key for the server; where several have keys of their own, a list in the order of their addresses, or "
            "a mapping by address."
        ),
    )
    temperature: float | None = Field(default=None, description="Sampling temperature; None leaves it alone.")
    max_tokens: int | None = Field(default=None, description="Tokens of each sample at most.")
    seed: int | None = Field(default=None, description="Seed of a request; each sample draws its own from it.")
    additional_kwargs: dict[str, Any] = Field(
        default_factory=dict, description="Further keywords of every call, such as top_p."
    )
    context_window: int | None = Field(
        default=None, description="Tokens of context; None takes what the backend tells, else LlamaIndex's 3900."
    )
    is_chat_model: bool = Field(default=True, description="False completes raw prompts.")
    is_function_calling_model: bool | None = Field(
        default=None, description="Whether the model can call tools; None takes what the worker is known to do."
    )
    timeout: float | None = Field(default=None, description="Seconds for one sample, over all attempts.")
    max_retries: int = Field(default=2, description="Further attempts of a sample that fails.")
    siblings: int | None = Field(
        default=None,
        description="Samples that one request to the server may ask for (`n`); 1 sends each alone, None is 16.",
    )
    stream_candidates: StreamCandidates | None = Field(
        default=None,
        description=(
            "How samples are shown while the method runs: `reasoning` gives each, once it has finished, as "
            "thoughts of a streamed chat; `events` tells instrumentation, under each call, of what each writes "
            "and of its end; None shows the answer alone."
        ),
    )
    llm: InstanceOf[LLM] | None = Field(default=None, repr=False, description="The wrapped LLM; set by `wrap`.")
    worker: Worker | dict[str, Any] | list[str] | str | None = Field(
        default=None,
        repr=False,  # a key may stand in it
        description=(
            "A worker of your own instead of a server, or a mapping that names one, such as `{'url': address, "
            "'headers': {...}}`, which is opened and closed with this object; see `scaffolding_core.WorkerLike`."
        ),
    )
    reward: Any = Field(
        default=None, description="Scores answers, for methods that judge; see `Reward`.", repr=False
    )
    request_options: dict[str, Any] = Field(
        default_factory=dict,
        description="Options of each call that gives none of its own, such as `budget`: `REQUEST_OPTIONS`.",
    )
    roles: Any = Field(
        default=None,
        description=(
            "Who plays the other roles that a method needs, by role: an LLM or a worker, such as "
            "`{'judge': llm}`; one that scores is a reward. Those of `generation.1`, `generation.2` and so on "
            "take turns at the samples with the LLM itself."
        ),
        repr=False,
    )

    _opened: Backends = PrivateAttr(default_factory=Backends)
    _acceptance: Acceptance | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:  # else every name would be one of its attributes

        def __getattr__(self, name: str) -> Any:
            if name in _OF_THE_WRAPPED and self.llm is not None:
                return getattr(self.llm, name)
            return super().__getattr__(name)

    def _follow(self, own: Container[str]) -> None:
        """Leave fields to the wrapped LLM, whose changes then hold here too.

        Args:
            own: names of fields that are set here.
        """
        for name in _OF_THE_WRAPPED if self.llm is not None else ():
            if name not in own:
                self.__dict__.pop(name)

    @property
    def metadata(self) -> LLMMetadata:
        """What the backend is; a wrapped LLM tells of itself.

        A server is asked once for what is neither given nor known: its model's name and context window. A server
        that tells no window, as trtllm-serve, has LlamaIndex's 3900: give `context_window` there.

        Cost: that question blocks for 2 s at most, an event loop too; a server that did not answer is left alone
        for 30 s.
        """
        return self._metadata(on_loop=True)

    def to_payload(self) -> dict[str, Any]:
        """What events tell of this LLM; on an event loop, as far as it is known, since every call is an event."""
        return {"class_name": self.class_name(), **self._metadata(on_loop=False).model_dump()}

    def _metadata(self, *, on_loop: bool) -> LLMMetadata:
        if self.llm is not None:
            return self.llm.metadata
        backend = self._backend()
        given = ModelInfo(name=self.model or None, context_window=self.context_window)
        model, calls_tools = backend.model_info(given, on_loop=on_loop), self.is_function_calling_model
        return LLMMetadata(
            context_window=model.context_window or DEFAULT_CONTEXT_WINDOW,
            num_output=self.max_tokens or DEFAULT_NUM_OUTPUTS,
            is_chat_model=self.is_chat_model,
            is_function_calling_model=backend.worker.capabilities.tools if calls_tools is None else calls_tools,
            model_name=model.name or "unknown",
        )

    def __deepcopy__(self, memo: object = None) -> Self:
        return self.model_copy(
            update={"method_options": dict(self.method_options), "additional_kwargs": dict(self.additional_kwargs)}
        )

    def __getstate__(self) -> dict[Any, Any]:
        # LlamaIndex's own drops what cannot be pickled; a lost worker would be another model, unseen.
        state = BaseModel.__getstate__(self)
        fields = state["__dict__"]
        without = {"callback_manager": CallbackManager([])} if "callback_manager" in fields else {}
        return {**state, "__dict__": {**fields, **without}}

    @field_serializer("llm")
    def _llm_to_data(self, llm: LLM | None) -> dict[str, Any] | None:
        return None if llm is None else llm_to_dict(llm)

    @field_serializer(
        "method",
        "method_options",
        "answers",
        "additional_kwargs",
        "worker",
        "reward",
        "roles",
        "request_options",
    )
    def _part_to_data(self, part: object) -> Any:  # Any: whatever JSON can hold
        return to_plain(part)

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Build it from `to_dict()`; a key, and whatever is an object of Python's, has to be given again.

        Raises:
            InvalidRequestError: such an object (a worker, a reward, a controller, an extractor, an equivalence) is
                missing, or the class of the wrapped LLM is not imported.
        """
        fields = {**data, **kwargs}
        check_complete(fields)
        if isinstance(fields.get("llm"), Mapping):
            fields["llm"] = llm_from_dict(fields["llm"])
        built: Self = super().from_dict(fields)
        return built

    def _request(
        self, task: GenerationTask, kwargs: Mapping[str, Any], around: AbstractContextManager[None]
    ) -> Call:
        """The request that a call makes of the method; the task gets its parameters."""
        given = {**self._defaults(), **{name: value for name, value in kwargs.items() if value is not None}}
        method = given.pop("method", self.method)
        llm = self._method(method)
        if self.sample_num is not None and llm.takes("sample_num"):
            given.setdefault("sample_num", self.sample_num)
        keywords = split(llm, method, given)
        options, rest = keywords.options, keywords.rest
        options |= self._reading(method, llm, options, task)
        task.acceptance = self._accepted(llm)
        for name, value in keywords.sampling.items():
            setattr(task, name, value)
        if self.llm is not None:
            task.custom_input_params = {**(task.custom_input_params or {}), LLAMAINDEX_KWARGS: rest}
            return Call(llm, task, options, around)
        if isinstance(task, ChatTask):
            task.tools = rest.pop("tools", None)
        return Call(llm, task, {**options, **rest}, around)

    def _defaults(self) -> dict[str, Any]:
        named = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}
        return {name: value for name, value in {**self.additional_kwargs, **named}.items() if value is not None}

    def _method(self, method: str | Controller) -> ScaffoldingLlm:
        return self._backend().llm(method, self._built_with(method))

    def _built_with(self, method: str | Controller) -> Mapping[str, Any]:
        options = self._options_of(method)
        if isinstance(method, str) and (self.llm is not None or not self.is_chat_model):
            return {"generation": _AS_GIVEN, **options}
        return options

    def _options_of(self, method: str | Controller) -> Mapping[str, Any]:
        return self.method_options if method == self.method else {}

    def _reading(
        self, method: str | Controller, llm: ScaffoldingLlm, called: Mapping[str, Any], task: GenerationTask
    ) -> dict[str, Any]:
        """How the samples of a call are read: as the user says, or else as LlamaIndex's agents read them."""
        options = self._options_of(method)
        field = self.answers if llm.takes("answers") else None
        answers = next((a for a in (called.get("answers"), field, options.get("answers")) if a is not None), None)
        if llm.prototype_controller.votes_on_fields:
            return {} if answers is None else {"answers": answers}
        # What a call asks for is not read in the model's own way.
        own = (None, None) if "answers" in called else (options.get("extractor"), options.get("equivalence"))
        told = told_tools(task.messages) if isinstance(task, ChatTask) else None
        if answers is not None and self._asks_for_a_structure:
            return {"answers": Answers.of(answers).with_own(*own)}
        if answers is not None:
            return {"answers": read_as_here(Answers.of(answers), told, *own)}
        own_method = not isinstance(method, str) or "generation" in options or not llm.takes("extractor")
        if own_method or self._asks_for_a_structure or "extractor" in {**called, **options}:
            return {}
        return {"extractor": _STEP if told is None else Step(told=told)}

    @property
    def _asks_for_a_structure(self) -> bool:
        return self._acceptance is not None and self._acceptance.structure is not None

    def _accepted(self, llm: ScaffoldingLlm) -> Acceptance | None:
        """What is accepted of samples; where each field is voted on, one that explains is a field as any other."""
        structure = None if self._acceptance is None else self._acceptance.structure
        if isinstance(structure, OfClass) and llm.prototype_controller.votes_on_fields:
            return Acceptance(structure=structure.whole())
        return self._acceptance

    @property
    def _backends(self) -> Backends:
        return self._opened

    def _backend(self) -> Backend:
        server = *server_settings(self.api_base, self.api_key), self.engine, self.model
        limits = self.timeout, self.max_retries, self.siblings
        parts = self.llm, self.worker, self.reward, self.roles, self.request_options
        return self._opened.get((*parts, *server, *limits), self._make_backend)

    def _make_backend(self) -> Backend:
        worker, reward = self._worker(), core_reward(self.reward)
        return Backend(
            worker,
            reward,
            roles=core_roles(self.roles),
            closes_worker=not isinstance(self.worker, Worker),
            options=self.request_options,
        )

    def _check(self) -> None:
        """Refuse what no call could run with.

        Raises:
            InvalidRequestError: fields that do not fit together, or options that the method does not have.
        """
        if self.answers is not None and "answers" in self.method_options:
            raise InvalidRequestError("answers are given twice: leave them out of method_options")
        check_method(self._backend(), self.method, self._built_with(self.method), self.sample_num, self.answers)

    def _check_backend(self) -> None:
        """Refuse what would be ignored."""
        given = [name for name in ("llm", "worker", "api_base", "engine") if getattr(self, name) is not None]
        if len(given) > 1:
            raise InvalidRequestError(f"{' and '.join(given)} name two backends: leave all but one out")
        idle = _OF_THE_SERVER if self.engine is not None else (*_OF_THE_SERVER, *_OF_SERVER_OR_ENGINE)
        for name in idle if self.api_base is None else ():
            if getattr(self, name) is not None:
                raise InvalidRequestError(f"{name} is for a server: pass api_base=, or leave it out")

    def _worker(self) -> Worker | None:
        self._check_backend()
        if self.llm is not None:
            return UnheardWorker(self.llm)
        if self.engine is not None:
            return engine_worker(self.engine, self.model, timeout=self.timeout, siblings=self.siblings)
        if isinstance(self.worker, Worker):
            return self.worker
        if self.worker is not None:
            return named_worker(self.worker)
        if self.api_base is None:
            return None
        return server_worker(
            self.api_base,
            self.model,
            self.api_key,
            timeout=self.timeout,
            max_retries=self.max_retries,
            siblings=self.siblings,
        )
