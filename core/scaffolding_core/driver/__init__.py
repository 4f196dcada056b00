"""The driver: steps the generators of requests and runs their calls."""

from __future__ import annotations

from scaffolding_core.driver.compute import computing
from scaffolding_core.driver.driver import Driver
from scaffolding_core.driver.lane import Lane
from scaffolding_core.driver.needs import check_needs
from scaffolding_core.driver.own_loop import OwnLoop
from scaffolding_core.driver.request import Request, current_request
from scaffolding_core.driver.roster import Roster

__all__ = ["Driver", "Lane", "OwnLoop", "Request", "Roster", "check_needs", "computing", "current_request"]
