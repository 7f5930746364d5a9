"""What a user does: a scenario about orders of its own, through the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from gevent.event import Event

from retailops_sandbox.engine import Sources
from retailops_sandbox.load.renumbering import Renumbering
from retailops_sandbox.load.tally import Tally
from retailops_sandbox.scenarios.scenario import Plan


class Sending:
    """Runs scenarios for the users of one worker, each about orders of its own, or about those it names."""

    def __init__(self, plans: Sequence[Plan], sources: Sources, tally: Tally) -> None:
        self._renumberings = {id(plan): Renumbering(plan, sources) for plan in plans}
        self._tally = tally
        self._has_ended = False
        self.keeps_orders = False
        """Whether all scenarios are about the orders that they name."""

    def begin(self) -> None:
        """A test begins."""
        self._has_ended = False

    def begin_no_more(self) -> None:
        """Let users wait until they are stopped, once what they have begun has ended."""
        self._has_ended = True

    def run(self, plan: Plan, take: Callable[[int], list[int]], run: Callable[[Plan], None]) -> None:
        """Run one of the plans to its end: `take` takes so many numbers of orders, `run` sends it."""
        if self._has_ended:
            Event().wait()
        renumbering = self._renumberings[id(plan)]
        if self.keeps_orders or not renumbering.count:
            own = msgspec.structs.replace(plan)  # the tally tells scenarios apart by their plans
        else:
            own = renumbering.about(take(renumbering.count))
        self._tally.begin(own)
        run(own)
