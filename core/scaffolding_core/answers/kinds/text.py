"""Text: the final statement, in its own words."""

from __future__ import annotations

from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.phrases import phrases, says_something
from scaffolding_core.answers.refusal import refuses
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.answers.value import bare
from scaffolding_core.messages import AssistantMessage

__all__ = ["FinalStatement"]


class FinalStatement(Extractor):
    """What is marked as the answer, whole; where nothing is, the last paragraph, without thoughts and markup."""

    costly = False

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The statement; None if nothing was said, or for a refusal."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The statement, read as `boxed`, `stated`, by its key in JSON, or as `last paragraph`."""
        said = (without_thoughts(message.text) or "").strip()
        if not says_something(said):
            return Reading(None)
        phrase, how = next(phrases(said), ("", ""))
        if how not in ("", "last sentence"):
            return Reading(bare(phrase) if isinstance(phrase, str) else phrase, how)
        if refuses(said):
            return Reading(None, REFUSAL)
        return Reading(bare(said.rsplit("\n\n", 1)[-1]), "last paragraph")
