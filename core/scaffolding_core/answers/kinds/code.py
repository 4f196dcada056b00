"""Code: what stands between fences."""

from __future__ import annotations

from scaffolding_core.answers.code import Code, blocks_in
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.refusal import refuses
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.messages import AssistantMessage

__all__ = ["CodeIn"]

_SEARCHED = 100_000


class CodeIn(Extractor):
    """The fenced blocks of a text, together; a text without any is code as a whole."""

    costly = False

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The code; None if there is none, or for a refusal."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The code, read as `code`."""
        said = (without_thoughts(message.text) or "").strip("\n")[-_SEARCHED:]
        blocks = [block.content.strip("\n") for block in blocks_in(said) if block.content.strip()]
        if not blocks and refuses(said):
            return Reading(None, REFUSAL)
        code = "\n\n".join(blocks) or said
        return Reading(Code(code), "code") if code.strip() else Reading(None)
