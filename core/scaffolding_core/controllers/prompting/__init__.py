"""Methods that change what the model is asked."""

from scaffolding_core.controllers.prompting.chain_of_thought import ChainOfThoughtController
from scaffolding_core.controllers.prompting.program_of_thought import ProgramOfThoughtController

__all__ = ["ChainOfThoughtController", "ProgramOfThoughtController"]
