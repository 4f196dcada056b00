"""What judges answers."""

from scaffolding_core.controllers.judging.unit_tests import UnitTests

__all__ = ["UnitTests"]
