"""Methods that change what the model is asked."""

from scaffolding_core.controllers.prompting.budget_forcing import BudgetForcingController
from scaffolding_core.controllers.prompting.chain_of_thought import ChainOfThoughtController
from scaffolding_core.controllers.prompting.plan_and_solve import PlanAndSolveController
from scaffolding_core.controllers.prompting.program_of_thought import ProgramOfThoughtController
from scaffolding_core.controllers.prompting.re_reading import ReReadingController
from scaffolding_core.controllers.prompting.step_back import StepBackController

__all__ = [
    "BudgetForcingController",
    "ChainOfThoughtController",
    "PlanAndSolveController",
    "ProgramOfThoughtController",
    "ReReadingController",
    "StepBackController",
]
