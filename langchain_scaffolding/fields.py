"""What every model and Runnable with a method shares: its fields, and how a request is made of a call."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from langchain_core.runnables import ConfigurableFieldSpec, Runnable, RunnableSerializable
from langchain_core.runnables.utils import AnyConfigurableField
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from langchain_scaffolding.identity import identity
from langchain_scaffolding.judging.rewards import core_reward
from langchain_scaffolding.judging.roles import core_roles
from langchain_scaffolding.request.checks import checked_limit
from langchain_scaffolding.request.gate import Gate
from langchain_scaffolding.request.parameters import (
    METHOD_PARAMETERS,
    MODEL_PARAMETERS,
    SAMPLING_FIELDS,
    config_specs,
)
from langchain_scaffolding.tracing.runs import Beneath, Manager, sampled_under
from langchain_scaffolding.translation.accepted import told_acceptance
from langchain_scaffolding.workers.inner_model import TellsAsInner
from langchain_scaffolding.workers.sampled_model import model_name
from langchain_scaffolding.workers.worker import LANGCHAIN_KWARGS, LLM_TYPE, LangChainWorker
from scaffolding_core import (
    ChatTask,
    Config,
    Controller,
    GenerationTask,
    InvalidRequestError,
    ModelInfo,
    NativeChatController,
    NativeGenerationController,
    Worker,
)
from scaffolding_core.adapting import (
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

__all__ = ["MethodFields", "ModelFields"]

_PARTS = ("method", "method_options", "answers", "inner", "reward", "roles", "worker")
_IDENTIFYING = (
    "sample_num",
    "base_url",
    "engine",
    "model_name",
    *SAMPLING_FIELDS,
    "top_k",
    "logprobs",
    "top_logprobs",
    "extra_body",
    "model_kwargs",
)


class MethodFields(Closable, BaseModel):
    """The method and its options; for any class of LangChain that spends inference-time compute."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        populate_by_name=True,
        protected_namespaces=(),
        hide_input_in_errors=True,  # it may be a key
    )

    method: str | Controller = "majority_vote"
    """The name of one of `scaffolding_core.METHODS`, or a controller."""
    sample_num: int | None = None
    """Samples, for methods that take several."""
    method_options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the method's class, such as `stop_rule` or `extractor`."""
    answers: Any = None
    """The kind of answer, for methods that read or compare answers: a name such as `number`, a kind with its
    parameters (`{"kind": "choice", "choices": ["A", "B"]}`, or an `Answers`), or an own pair of extractor and
    equivalence. For `field_vote` a mapping of each field's name to its kind."""
    reward: Any = Field(default=None, exclude=True, repr=False)
    """Scores answers, for methods that judge: a name such as `"exact"` or a mapping with its options, the address
    of a reward model, a function of prompt and answer, a Runnable, an evaluator, or a worker."""
    roles: Any = Field(default=None, exclude=True, repr=False)
    """Who plays the other roles that a method needs, by role: a model or a worker, such as `{"judge": model}`; one
    that scores is a reward. Those of `generation.1`, `generation.2` and so on take turns at the samples with the
    model itself."""
    request_options: dict[str, Any] = Field(default_factory=dict)
    """Options of each call that gives none of its own, such as `budget`: `scaffolding_core.REQUEST_OPTIONS`."""
    max_concurrent_samples: int | None = Field(default=None, alias="max_concurrency")
    """Samples at once, of all calls together; None takes the backend's own limit. That of a configuration bounds
    the samples of its call alone; the configuration's `max_concurrency` bounds the questions of a batch."""
    inner: Any = Field(default=None, exclude=True)
    """What is sampled; set by `wrap`."""
    configured: dict[str, Any] = Field(default_factory=dict, exclude=True, repr=False)
    """What `configurable_fields` named; filled by it. A tool bound afterwards would lose the names otherwise."""
    opened: Any = Field(default_factory=Backends, exclude=True, repr=False)
    """What it and its copies have opened; leave it out."""

    _parameters: ClassVar[frozenset[str]] = METHOD_PARAMETERS
    """What a configuration may set."""
    _generation: ClassVar[type[NativeGenerationController]] = NativeChatController
    """What each named method generates with."""
    _can_judge: ClassVar[bool] = True
    """Whether what is sampled answers any prompt, so that a judge may ask it too."""

    def __init__(self, **fields: Any) -> None:
        self._check_names(fields)
        super().__init__(**fields)
        if "opened" not in fields:  # else it is a copy, whose method may be another call's
            check_method(self.backend, self.method, self.method_options, self.sample_num, self.answers)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with other values of some fields.

        Raises:
            InvalidRequestError: no field of that name.
        """
        self._check_names(update or {})
        names = {field.alias: name for name, field in type(self).model_fields.items() if field.alias}
        given = {names.get(name, name): value for name, value in (update or {}).items()}
        return super().model_copy(update=given, deep=deep)

    @classmethod
    def _check_names(cls, given: Mapping[str, Any]) -> None:
        # LangChain drops unknown names without a word, and a vote would run with samples that nobody asked for.
        known = {*cls.model_fields, *(field.alias for field in cls.model_fields.values())}
        unknown = sorted(given.keys() - known)
        if unknown:
            raise InvalidRequestError(
                f"{cls.__name__} has no field {unknown[0]!r}: sample_num sets the number of samples, and "
                "method_options what else the method takes"
            )

    @property
    def max_concurrency(self) -> int | None:
        """As `max_concurrent_samples`."""
        return self.max_concurrent_samples

    @property
    def config_specs(self) -> list[ConfigurableFieldSpec]:
        """What `config["configurable"]` may set: of the method, and of what is wrapped."""
        inner: Any = self.inner
        renamed = {named.id for named in self.configured.values()}
        return config_specs(self._parameters, inner.config_specs if inner is not None else [], renamed)

    def configurable_fields(self, **kwargs: AnyConfigurableField) -> RunnableSerializable[Any, Any]:
        """Let fields be set by configuration; method and sampling parameters also after tools were bound."""
        copy: Any = super(MethodFields, self.model_copy(update={"configured": {**self.configured, **kwargs}}))
        fields: RunnableSerializable[Any, Any] = copy.configurable_fields(**kwargs)
        return fields

    @property
    def backend(self) -> Backend:
        """What runs the calls, as the fields say."""
        backends: Backends = self.opened
        return backends.get(self._settings(), self._make_backend)

    @property
    def _backends(self) -> Backends:
        opened: Backends = self.opened
        return opened

    def _settings(self) -> tuple[object, ...]:
        """What the backend is made of."""
        return self.inner, self.reward, self.roles, self.request_options, self.max_concurrent_samples

    def _make_backend(self) -> Backend:
        return Backend(
            self._worker(),
            core_reward(self.reward),
            generation=self._generation,
            roles=core_roles(self.roles),
            closes_worker=self._owns_worker(),
            can_judge=self._can_judge,
            options=self.request_options,
        )

    @abstractmethod
    def _worker(self) -> Worker | None:
        """What runs the samples; None for the embedded model."""

    def _owns_worker(self) -> bool:
        """Whether what runs the samples is of its own making."""
        return True

    def _limit(self) -> int:
        at_once = self.max_concurrent_samples
        return Worker.max_concurrency if at_once is None else checked_limit(at_once)

    def _method_call(
        self,
        task: GenerationTask,
        kwargs: Mapping[str, Any],
        manager: Manager | None,
        beneath: Beneath | None = None,
        given_to_chain: object = None,
    ) -> tuple[Call, dict[str, Any]]:
        """The call that does a task, which gets the sampling parameters, and what is left for who is wrapped."""
        given = dict(kwargs)
        method = given.pop("method", self.method)
        limiter = getattr(self, "rate_limiter", None)  # every chat model has one
        gate = Gate.of(given.pop("max_concurrent_samples", None), limiter)
        mine = method == self.method
        llm = self.backend.llm(method, self.method_options if mine else {})
        answers = self.answers if mine else None
        for name, own in (("sample_num", self.sample_num), ("answers", answers)):
            if given.setdefault(name, own) is None:
                del given[name]
        if not llm.takes("sample_num"):
            given.pop("sample_num", None)  # a configuration sets it for every model of a chain
        keywords = split(llm, method, given)
        for name, value in keywords.sampling.items():
            setattr(task, name, value)
        return Call(
            llm, task, keywords.options, sampled_under(manager, beneath, gate, given_to_chain)
        ), keywords.rest


class ModelFields(MethodFields, TellsAsInner):
    """As `MethodFields`, with a server or model behind it, and sampling parameters."""

    _parameters: ClassVar[frozenset[str]] = MODEL_PARAMETERS

    base_url: str | list[str] | None = None
    """Address of an OpenAI-compatible server; a list of several that serve the same model makes a `WorkerPool` of
    them. None runs the embedded model."""
    engine: str | None = None
    """An engine in this process instead of a server: `trtllm` loads the folder that `model` names into a
    TensorRT-LLM of its own, which takes its time and ends with `close()`."""
    model_name: str = Field(default="", alias="model")
    """Name of the model at the server; empty takes the first that the server lists. With `engine`, the model's
    folder."""
    api_key: SecretStr | list[SecretStr | None] | dict[str, SecretStr | None] | None = Field(
        default_factory=lambda: SecretStr(key) if (key := os.environ.get("SCAFFOLDING_API_KEY")) else None
    )
    """Key for the server; `SCAFFOLDING_API_KEY` in the environment by default. Where several have keys of their
    own, a list in the order of their addresses, or a mapping by address."""
    temperature: float | None = None
    """Sampling temperature."""
    max_tokens: int | None = None
    """Tokens of each sample at most."""
    top_p: float | None = None
    """Nucleus sampling."""
    top_k: int | None = None
    """Tokens to choose from at each place at most; not every server or wrapped model takes it."""
    seed: int | None = None
    """Seed of the request; each sample gets one of its own out of it."""
    stop: list[str] | None = Field(default=None, alias="stop_sequences")
    """Texts that end a sample."""
    logprobs: bool | int | None = None
    """Whether the log probability of each token is told, in `response_metadata["logprobs"]`."""
    top_logprobs: int | None = None
    """How many of the most likely tokens are told with it at each place."""
    extra_body: dict[str, Any] | None = None
    """What else the server gets in each request, as it is."""
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Further sampling parameters."""
    timeout: float | None = None
    """Seconds for one sample, over all attempts."""
    max_retries: int = 2
    """Further attempts of a sample that fails."""
    siblings: int | None = None
    """Samples that one request to the server may ask for (`n`); 1 sends each alone, None is 16."""
    streaming: bool = False
    """Whether `invoke` streams to callbacks."""
    worker: Any = Field(default=None, exclude=True, repr=False)
    """A worker of your own instead of a server, or a mapping that names one, which is opened and closed with this
    object: `{"url": address, "headers": {...}}`; see `scaffolding_core.WorkerLike`."""
    acceptance: Any = Field(default=None, exclude=True, repr=False)
    """What whoever acts on the answers accepts; set where tools or a structure are bound."""

    @classmethod
    def wrap(cls, model: Runnable[Any, Any], method: str | Controller = "majority_vote", **fields: Any) -> Self:
        """Give a model that you have a method.

        The model's own callbacks, tools and parameters stay. Set its retries to 0 where several layers would
        retry.

        Args:
            model: a model, one with tools or parameters bound to it, or a chain that returns a message or
                text.
            method: a method's name, or a controller.
            fields: of this class, such as `sample_num`.
        """
        return cls(inner=model, method=method, **fields)

    @classmethod
    def from_config(cls, path: str | Path, *, objects: Mapping[str, object] | None = None, **fields: Any) -> Self:
        """What a configuration describes, see `scaffolding_core.Config`; it is opened and closed with this object.

        Args:
            path: of the file, YAML unless it ends in `.json`.
            objects: what no file can hold, by the name in `$ref`.
            fields: of this class, in place of those that the configuration fills: method, worker, roles, seed and
                request_options.

        Raises:
            InvalidRequestError: the file cannot be read (also an OSError), or is wrong; it says where.
            MissingExtraError: YAML or a worker needs a package that is not installed.
        """
        return cls(**{**Config.read(path, objects).fields(), **fields})

    @property
    def _llm_type(self) -> str:
        return LLM_TYPE

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        parts = {name: identity(getattr(self, name)) for name in _PARTS}
        parts["stop_sequences"] = self.stop  # LangChain puts the call's own, often None, in place of `stop`
        return {**parts, **{name: getattr(self, name) for name in _IDENTIFYING}}

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Which field is a secret, and the environment variable it comes from."""
        return {"api_key": "SCAFFOLDING_API_KEY"}

    def _settings(self) -> tuple[object, ...]:
        server = *server_settings(self.base_url, self.api_key), self.engine, self.model_name
        return *super()._settings(), *server, self.timeout, self.max_retries, self.siblings, self.worker

    def _owns_worker(self) -> bool:
        return not callable(getattr(self.worker, "run_task", None))

    def _worker(self) -> Worker | None:
        self._check_backend()
        if self.worker is not None:
            return cast("Worker", self.worker) if not self._owns_worker() else named_worker(self.worker)
        if self.inner is not None:
            tells_all = isinstance(self.inner, MethodFields) and hasattr(self.inner, "chosen")
            return LangChainWorker(self.inner.chosen() if tells_all else self.inner, max_concurrency=self._limit())
        if self.engine is not None:
            return engine_worker(
                self.engine,
                self.model_name,
                timeout=self.timeout,
                max_concurrency=self._limit(),
                siblings=self.siblings,
            )
        if self.base_url is None:
            return None
        return server_worker(
            self.base_url,
            self.model_name,
            self.api_key,
            timeout=self.timeout,
            max_retries=self.max_retries,
            max_concurrency=self._limit(),
            siblings=self.siblings,
        )

    def _check_backend(self) -> None:
        """Refuse what would be ignored."""
        if sum(part is not None for part in (self.base_url, self.engine, self.inner, self.worker)) > 1:
            raise InvalidRequestError("give one of base_url, engine, worker and a wrapped model")
        own = self.base_url is not None or self.engine is not None
        if self.model_name and not own and self.worker is None:
            raise InvalidRequestError(
                f"no server for the model {self.model_name!r}: set base_url, or name it in the wrapped model"
            )
        if self.max_concurrent_samples is not None and not own and self.inner is None:
            raise InvalidRequestError(
                "max_concurrent_samples is for a server or a wrapped model: "
                "make a worker with a max_concurrency of its own"
            )
        if self.siblings is not None and not own:
            raise InvalidRequestError("siblings is for a server: pass base_url=, or leave it out")

    def _model(self, kwargs: Mapping[str, Any] | None = None) -> str:
        """The name of the model that answers; on an event loop a server's own is known once it has answered."""
        named = (kwargs or {}).get("model") or self.model_name
        if named:
            return str(named)
        if self.inner is not None:
            return model_name(self.inner)
        backend = self.backend
        told = backend.known_model.name or backend.model_info(ModelInfo(), on_loop=False).name
        return told or type(backend.worker).__name__

    def _model_call(
        self, task: GenerationTask, stop: list[str] | None, kwargs: Mapping[str, Any], manager: Manager | None
    ) -> Call:
        """The call that does a task, which gets the parameters that are its own."""
        call, given = self._method_call(task, kwargs, manager)
        for name in ("stream", "ls_structured_output_format"):
            given.pop(name, None)
        task.fill(self._sampling(stop))
        task.acceptance = self.acceptance or told_acceptance(self.inner, kwargs)
        logprobs = {name: given.pop(name, getattr(self, name)) for name in ("logprobs", "top_logprobs")}
        if self.inner is not None:
            given |= {name: value for name, value in logprobs.items() if value is not None}
            task.custom_input_params = {LANGCHAIN_KWARGS: given}
            return call
        if task.num_logprobs is None:
            task.num_logprobs = _num_logprobs(chat=isinstance(task, ChatTask), **logprobs)
        if isinstance(task, ChatTask):
            task.tools = given.pop("tools", None)
        if "model" in given:
            task.extra_body = {**(task.extra_body or {}), "model": given.pop("model")}
        call.options = {**call.options, **given}
        return call

    def _sampling(self, stop: list[str] | None) -> dict[str, Any]:
        mine = {name: getattr(self, name) for name in (*SAMPLING_FIELDS, "top_k", "extra_body")}
        mine |= {"stop": stop or self.stop, **self.model_kwargs}
        return {name: value for name, value in mine.items() if value is not None}


def _num_logprobs(*, chat: bool, logprobs: bool | int | None, top_logprobs: int | None) -> int | None:
    """How many of the most likely tokens are told at each place; None tells nothing of any."""
    if not (logprobs or top_logprobs):
        return None
    if logprobs is not None and not isinstance(logprobs, bool):  # as completion models are asked
        return logprobs
    return top_logprobs or (0 if chat else 1)
