"""Code: what stands between fences."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding_core.answers.code import Block, Code, blocks_in, python_of
from scaffolding_core.answers.extractor import REFUSAL, Answer, Extractor, Reading
from scaffolding_core.answers.refusal import refuses
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.messages import AssistantMessage

__all__ = ["CodeIn", "PythonIn"]

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
        blocks = [block for block in blocks_in(said) if block.content.strip()]
        if not blocks and refuses(said):
            return Reading(None, REFUSAL)
        code = "\n\n".join(block.content.strip("\n") for block in self._chosen(blocks)) or said
        return Reading(Code(code), "code") if code.strip() else Reading(None)

    def _chosen(self, blocks: Sequence[Block]) -> Sequence[Block]:
        return blocks


class PythonIn(CodeIn):
    """A program to run: where fences say `python`, what stands between others is its output, or a shell's."""

    def _chosen(self, blocks: Sequence[Block]) -> Sequence[Block]:
        return python_of(blocks)
