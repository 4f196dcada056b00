"""A look at a GGUF file before it is loaded: llama.cpp's own message for a broken one says little."""

from __future__ import annotations

import struct
from pathlib import Path

from scaffolding_core.errors import ModelFileError

__all__ = ["check_gguf"]

_HEADER = struct.Struct("<4sIQQ")
_SMALLEST = 1024


def check_gguf(path: Path) -> None:
    """Check that a file is there, readable, and begins as a GGUF file does.

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
    if len(header) < _HEADER.size or size < _SMALLEST:
        raise ModelFileError(f"the model file {path} is cut short: download it again")
    magic, version, tensors, _ = _HEADER.unpack(header)
    if magic != b"GGUF":
        raise ModelFileError(f"{path} is no GGUF file: convert the model, or take one in that format")
    if not 2 <= version <= 16 or not tensors:
        raise ModelFileError(f"the model file {path} is broken (version {version}): download it again")
