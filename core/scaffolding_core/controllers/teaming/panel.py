"""Panel: several models, or methods, take turns at the samples of a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tasks import GenerationTask

__all__ = ["PanelController"]


class PanelController(Controller):
    """Several models, or methods, that take turns: of a method that samples, sample i is the i-th one's.

    Stands where a method takes a controller to generate with: samples of different models make different mistakes,
    which a vote forgives. Where methods are nested, the turns are those of the innermost that samples; what asks
    for no one of several samples asks the first.

    Cost: that of whoever has the turn.

    Args:
        members: who takes turns, in this order; with their names, or else named by their places, from 0.

    Attributes:
        members: by their names.

    Raises:
        InvalidRequestError: nobody, or one that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(self, members: Sequence[Controller] | Mapping[str, Controller]) -> None:
        named = members if isinstance(members, Mapping) else {str(i): member for i, member in enumerate(members)}
        if not named:
            raise InvalidRequestError("nobody is on the panel: give it at least one controller")
        self.members = {name: checked_part(each, f"member {name!r}", "process") for name, each in named.items()}
        self.streams_answer = all(member.streams_answer for member in self.members.values())

    def process(self, tasks: list[GenerationTask], *args: Any, **options: Any) -> Steps[Any]:
        """Have the tasks run by the member whose turn it is."""
        turn = (tasks[0].sample_index or 0) % len(self.members)
        for task in tasks:
            if task.group is not None:  # others of the group are asked by another member, and are no siblings
                task.group = task.group, turn
        return [*self.members.values()][turn].process(tasks, *args, **options)
