"""Methods that ask again with what was said of an answer."""

from scaffolding_core.controllers.refining.retry_with_feedback import RetryWithFeedbackController

__all__ = ["RetryWithFeedbackController"]
