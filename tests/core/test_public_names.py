"""The public names of each package, written down once more, so that none that users import goes by accident."""

import importlib

import pytest

import scaffolding_core

PUBLIC = {
    "scaffolding_core": """
        BeamSearchController BudgetForcingController DvtsController DynasorController
        ParticleFilteringController ParticleGibbsController StepSplitter Arm Bandit BanditRoutingController
        CascadeController DebateController MixtureOfAgentsController PanelController CalibratedController
        threshold_for TwoThenThinkController REWARDS CombinedReward Judgement RewardKind RewardLike Scorer
        VerifiedReward Verdict Verifier resolve_reward SemanticVoteController GenSelectController
        KnockoutController PivotTournamentController UniversalVoteController ANSWER_OPTIONS
        AbMctsController BestFirstController LatsController MctsController TreeOfThoughtsController Answer
        Answers AssistantMessage AuthenticationError BackendTimeoutError BackendUnavailableError
        BadRequestError BestOfNController Beta Boxed Budget BudgetExceededError CallRecord CancelRace
        Candidate CandidateEvent Capabilities ChainOfThoughtController ChatTask ClosedError CodeFailure
        CodeTask CodeWorker ComputeTask Config ContentFilterError ContextLengthExceededError Controller
        ControllerError CrossEncoderWorker Criterion DeadlockError DecisionEvent DeepConfOfflineController
        DeepConfOnlineController Delta Dirichlet Doubling Equivalence Event Exact ExecutionTrace Extractor
        FieldVoteController FinalEvent FirstOf FromFunction FromMessage Full FunctionTool FunctionWorker
        GenerationTask Hints IncompleteResponseError InsufficientSamplesError InvalidRequestError Json
        KeyEquivalence LastNumber LocalWorker Lossless MCPCallTask MCPWorker METHODS MajorityVoteController
        Mathematical Method MissingExtraError MissingWorkerError ModelFileError ModelInfo
        ModelNotFoundError NativeChatController NativeGenerationController NativeRewardController
        Normalised Numeric OpenAIToolDescription OpenAIWorker Outcome PairwiseJudge ParallelProcess Parsed
        PassJudge PerField PlanAndSolveController ProcessRewardWorker ProgramOfThoughtController Quorum
        REQUEST_OPTIONS Race RateLimitError ReActController ReReadingController Reading Recording
        RecordingWorker Regex ReplayMismatchError ReplayWorker RequestCancelledError
        RetryWithFeedbackController RewardModelWorker RewardTask RoleMessage RubricJudge Run RunCutError
        Runs RunsWorker SAMPLING_PARAMETERS ScaffoldingError ScaffoldingLlm ScaffoldingOutput
        ScaffoldingResult ScaffoldingStream ScoreJudge ServerError SharedBudget
        ChainOfVerificationController CritiqueReviseController MultiChainComparisonController
        PlanSearchController RecursiveSelfAggregationController ReflexionController SelfRefineController
        SequentialRevisionController ShortVoteController SimulatedWorker Stated StepBackController Steps
        StopRule StreamChatTask StreamGenerationTask Structure SystemMessage TRTLLMWorker Task TokenEvent
        TokenLogprob ToolCall ToolCalls ToolDescription ToolListTask ToolLoopController ToolMessage
        ToolsWorker UnitTests UnknownMethodError UnsupportedParameterError UnsupportedTaskError Usage
        UserMessage WeightedVoteController WholeText Window Worker WorkerError WorkerPool
        WorkspaceChangedError WrappingWorker build_method current_run default_extractor message_from_dict
        per_run shared_local_worker workspace WorkerLike
    """,
    "scaffolding_core.answers": """
        Acceptance Accepted Answer Answers AnswersLike Boxed Classes Equivalence Exact Extractor
        FieldClasses FirstOf FromFunction FromMessage Json KINDS KeyEquivalence Kind KnownTools LastNumber
        Mathematical Normalised Numeric OfKind Parsed PerField REFUSAL ReadArguments Reading Regex Stated
        StepSplitter Structure ToolCalls Tools WholeText as_written default_equivalence default_extractor
        is_refusal read_as_type read_by_schema tools_of
    """,
    "scaffolding_core.voting": """
        Ballot Beta Dirichlet Doubling FieldBallot First Full Lossless Borda PosteriorBallot Quorum REFUSED
        STOP_RULES StopRule Tally WEIGHINGS Weighing Window checked_confidence resolve_stop_rule
        resolve_weighing winner winner_of
    """,
    "scaffolding_core.search": """
        AbMcts Beam BestFirst BreadthFirst DepthFirst Dvts Lats Mcts Node ParticleGibbs Particles ROOT
        StepSearch Thought TreeSearch Trial
    """,
    "scaffolding_core.errors": """
        AuthenticationError BackendTimeoutError BackendUnavailableError BadRequestError BudgetExceededError
        ClosedError ContentFilterError ContextLengthExceededError ControllerError DeadlockError
        IncompleteResponseError InsufficientSamplesError InvalidRequestError MissingExtraError
        MissingWorkerError ModelFileError ModelNotFoundError RateLimitError ReplayMismatchError
        RequestCancelledError RunCutError ScaffoldingError ServerError UnknownMethodError
        UnsupportedParameterError UnsupportedTaskError WorkerError WorkspaceChangedError
    """,
    "scaffolding_core.adapting": """
        Acceptance AnswersLike Backend Backends Call Calls Classes Closable Code JsonObject KnownTools
        ReadArguments RewardFunction RewardLike SCORING_ROLES ShownEvents TaskHandler ToolAnswer ToolSource
        Tools around_calls as_asked as_written before_sending call_function candidate_data check_method
        check_reward_function checked_answers checked_sample_num computing converted_reward current_request
        engine_worker fitted lawful_name model_values current_runs in_run_of named_worker on_abandoned
        prompt_text read_arguments read_as_type read_by_schema read_either read_json result_data run_either
        run_in_thread server_settings server_worker split tool_source tools_of
    """,
    "langchain_scaffolding": """
        ChatScaffolding FromRunnable LangChainWorker NativeRunnableController RunnableWorker SameByRunnable
        ScaffoldingLLM ScaffoldingRunnable agent_tools agent_transcript evaluator_reward with_best_of_n
        with_chain_of_thought with_majority_vote
    """,
    "langchain_scaffolding.decisions": """
        Poll RiskByDecision SameByDecision StepByDecision VotedResponse VotingDecisionModel decision_reward
    """,
    "langchain_scaffolding.middleware": """
        OnDisagreement ProgressMiddleware ScaffoldingMiddleware ToolCallVoteMiddleware AskPersonMiddleware
        ask_person
    """,
    "llamaindex_scaffolding": """
        EvaluatorSupport LlamaIndexWorker ReActStep RotatedContext SampleEndEvent SampleInProgressEvent
        SampledWorkflow ScaffoldingLLM ScaffoldingQueryEngine ShuffledContext SourceSupport
        UnsupportedAnswerError run_method with_best_of_n with_chain_of_thought with_majority_vote
    """,
}


@pytest.mark.parametrize("package", PUBLIC)
def test_the_public_names_are_these_each_once(package):
    names = importlib.import_module(package).__all__
    assert sorted(names) == sorted(PUBLIC[package].split())


@pytest.mark.parametrize("package", PUBLIC)
def test_each_of_them_is_there(package):
    module = importlib.import_module(package)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_any_other_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        scaffolding_core.Nothing  # noqa: B018  # the lookup is what fails
