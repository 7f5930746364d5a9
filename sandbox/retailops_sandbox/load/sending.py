"""What a user does: a scenario about orders of its own, through the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from retailops_sandbox.engine import Sources
from retailops_sandbox.load.renumbering import Renumbering
from retailops_sandbox.load.tally import Tally
from retailops_sandbox.scenarios.scenario import Plan


class Sending:
    """Runs scenarios for the users of one worker, each about orders that no other has."""

    def __init__(self, plans: Sequence[Plan], sources: Sources, tally: Tally) -> None:
        self._renumberings = {id(plan): Renumbering(plan, sources) for plan in plans}
        self._tally = tally

    def run(self, plan: Plan, take: Callable[[int], list[int]], run: Callable[[Plan], None]) -> None:
        """Run one of the plans to its end: `take` takes so many numbers of orders, `run` sends it."""
        renumbering = self._renumberings[id(plan)]
        own = renumbering.about(take(renumbering.count) if renumbering.count else ())
        self._tally.begin(own)
        run(own)
