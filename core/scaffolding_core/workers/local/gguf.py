"""A look at a GGUF file before it is loaded: llama.cpp's own message for a broken one says little."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from scaffolding_core.errors import ModelFileError

__all__ = ["chat_template", "check_gguf", "trained_context"]

_HEADER = struct.Struct("<4sIQQ")
_VERSIONS = range(2, 17)
_TEMPLATE_KEY = b"tokenizer.chat_template"
_CONTEXT_KEY = b".context_length"
_TEXT = struct.Struct("<IQ")
_NUMBER = struct.Struct("<II")
_UINT32 = 4
_HEADER_END = 1 << 26
_SMALLEST_TENSOR = 32
"""Bytes that a tensor's entry in the header takes at least: name, shape, type, place."""


def check_gguf(path: Path) -> None:
    """Check that a file is there, readable, and begins as a GGUF file does; costs one small read.

    A file cut short farther on shows when it is loaded.

    Raises:
        ModelFileError: it is not.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
        size = path.stat().st_size
    except FileNotFoundError:
        raise ModelFileError(f"there is no model file {path}: correct the path") from None
    except OSError as error:
        raise ModelFileError(f"the model file {path} cannot be read: {error.strerror}") from error
    if header[:4] != b"GGUF":
        raise ModelFileError(f"{path} is no GGUF file: convert the model, or take one in that format")
    if len(header) < _HEADER.size:
        raise ModelFileError(f"the model file {path} is cut short: download it again")
    _, version, tensors, _ = _HEADER.unpack(header)
    if version not in _VERSIONS or not tensors:
        raise ModelFileError(f"the model file {path} is broken (version {version}): download it again")
    if size < tensors * _SMALLEST_TENSOR:
        raise ModelFileError(f"the model file {path} is cut short: download it again")


def chat_template(path: Path) -> str:
    """The chat template in a GGUF file; empty if it has none within the first 64 MB."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_TEMPLATE_KEY, 0, _HEADER_END) + len(_TEMPLATE_KEY)
        if at < len(_TEMPLATE_KEY) or at + _TEXT.size > len(content):
            return ""
        _, length = _TEXT.unpack_from(content, at)
        text = content[at + _TEXT.size : min(at + _TEXT.size + length, _HEADER_END)]
    return text.decode("utf-8", "replace")


def trained_context(path: Path) -> int | None:
    """Tokens of context that the model in a GGUF file was trained for; None if the file does not tell."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_CONTEXT_KEY, 0, _HEADER_END) + len(_CONTEXT_KEY)
        if at < len(_CONTEXT_KEY) or at + _NUMBER.size > len(content):
            return None
        kind, number = _NUMBER.unpack_from(content, at)
    return int(number) if kind == _UINT32 else None
