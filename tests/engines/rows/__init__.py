"""The engines that the contract runs on, by name."""

from collections.abc import Mapping

from tests.engines.engine import Row
from tests.engines.rows import embedded, scripted

__all__ = ["ROWS"]

ROWS: Mapping[str, Row] = {"embedded": embedded.ROW, "scripted": scripted.ROW}
