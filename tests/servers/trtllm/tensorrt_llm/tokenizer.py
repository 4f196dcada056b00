"""A tokenizer of pieces of words, with a chat template."""

import json
import re
from typing import Any

_PIECE = re.compile(r"<extra_0>|\s?\w{1,4}|\s|[^\w\s]")
_SPECIAL = ("<pad>", "<s>", "</s>")


class Tokenizer:
    """Ids are given as pieces are met; every instance knows the same."""

    _pieces: list[str] = [*_SPECIAL, *"abcdefghijklmnopqrstuvwxyz0123456789", "{", "}", '"']
    pad_token_id, bos_token_id, eos_token_id = range(3)
    vocab_size = 1 << 16

    def __init__(self, chat_template: str | None = "roles") -> None:
        self.chat_template = chat_template

    def encode(self, text: str, add_special_tokens: bool = True, **kwargs: Any) -> list[int]:
        ids = [self._id(piece) for piece in _PIECE.findall(text)]
        return [self.bos_token_id, *ids] if add_special_tokens else ids

    def decode(self, token_ids: list[int], skip_special_tokens: bool = False, **kwargs: Any) -> str:
        return "".join(
            self._pieces[token] for token in token_ids if not (skip_special_tokens and token < len(_SPECIAL))
        )

    def apply_chat_template(
        self,
        conversation: list[dict[str, Any]],
        tools: list[dict[str, Any]] | None = None,
        add_generation_prompt: bool = False,
        tokenize: bool = True,
        **kwargs: Any,
    ) -> str | list[int]:
        if self.chat_template is None:
            raise ValueError("Cannot use chat template functions because tokenizer.chat_template is not set")
        text = "".join(f"{name}={kwargs[name]}\n" for name in sorted(kwargs))
        if tools:
            text += f"tools: {json.dumps(tools)}\n"
        for message in conversation:
            calls = [call["function"] for call in message.get("tool_calls") or ()]
            for call in calls:
                assert isinstance(call["arguments"], dict), "a template goes through the arguments of a call"
            text += f"{message['role']}: {message.get('content') or json.dumps(calls)}\n"
        text += "assistant:" if add_generation_prompt else ""
        return self.encode(text, add_special_tokens=False) if tokenize else text

    def _id(self, piece: str) -> int:
        if piece not in self._pieces:
            self._pieces.append(piece)
        return self._pieces.index(piece)
