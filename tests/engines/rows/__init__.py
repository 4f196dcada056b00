"""The engines that the contract runs on, by name."""

import os
from collections.abc import Mapping

from tests.engines.engine import Row
from tests.engines.rows import embedded, scripted, served, trtllm
from tests.servers import live

__all__ = ["ROWS"]

_SERVED = {"live": served.LIVE, "vllm": served.VLLM}
_SHIPPED = {
    "embedded": embedded.ROW,
    "scripted": scripted.SCRIPTED,
    "trtllm-serve": scripted.TRTLLM_SERVE,
    "LLM": trtllm.ROW,
}

_name = os.environ.get("SCAFFOLDING_TEST_ENGINE", "live")
ROWS: Mapping[str, Row] = {_name: _SERVED[_name]} if live.URL else _SHIPPED
"""Where a server is named, that one alone."""
