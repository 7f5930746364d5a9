"""What one worker counts while a rate is held."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from retailops_sandbox.engine import DeliveryFinished, ScenarioResult
from retailops_sandbox.load.counts import OTHERWISE, Counts
from retailops_sandbox.load.wrong_answers import wrong
from retailops_sandbox.scenarios.scenario import Plan


class _UnderWay(msgspec.Struct):
    """A scenario that has begun."""

    plan: Plan
    counts: Counts | None
    """Where it counts; None where it began while nobody counted."""
    was_wrong: bool = False


class Tally:
    """Counts the scenarios that begin between `open` and `close`, each until it has ended."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is a monotonic clock."""
        self._seconds = seconds
        self._open: Counts | None = None
        self._opened_at = 0.0
        self._under_way: dict[int, _UnderWay] = {}
        """By the identity of the plan: each scenario that runs has a plan of its own."""

    def open(self, users: int) -> Counts | None:
        """Count what begins from now on; returns what was counted up to now, as `close` does, if anything."""
        before = self.close() if self._open is not None else None
        self._open = Counts(users=users)
        self._opened_at = self._seconds()
        return before

    def close(self) -> Counts:
        """Count nothing more that begins; the counts go on until none is `under_way`."""
        counts, self._open = self._open or Counts(), None
        counts.seconds = self._seconds() - self._opened_at
        counts.waiting = len(self._under_way)
        return counts

    def under_way(self, counts: Counts | None) -> int:
        """How many of the scenarios that were counted have not ended; without counts, of all."""
        return sum(counts is None or each.counts is counts for each in self._under_way.values())

    def begin(self, plan: Plan) -> None:
        """Take a scenario that begins."""
        self._under_way[id(plan)] = _UnderWay(plan, self._open)
        if self._open is not None:
            self._open.begun += 1

    def on_event(self, event: DeliveryFinished | ScenarioResult) -> None:
        """Count what happened to a scenario that has begun."""
        if isinstance(event, DeliveryFinished):
            self._delivered(event)
        else:
            self._ended(event)

    def _delivered(self, event: DeliveryFinished) -> None:
        scenario, delivery = self._under_way.get(id(event.plan)), event.delivery
        if scenario is None or scenario.counts is None or event.judgement is None:
            return
        if delivery.fault is not None and delivery.fault.kind == "cancelled":
            return  # the test has ended
        what = wrong(delivery, event.judgement, event.contract)
        scenario.was_wrong = scenario.was_wrong or bool(what)
        scenario.counts.add_answer(delivery.timings.total, what)

    def _ended(self, event: ScenarioResult) -> None:
        scenario = self._under_way.pop(id(event.plan), None)
        if self._open is not None:
            self._open.ended += 1
        if scenario is None or scenario.counts is None:
            return
        scenario.counts.waited += event.seconds
        scenario.counts.longest = max(scenario.counts.longest, event.seconds)
        if event.verdict in ("failed", "errored") and not scenario.was_wrong:
            scenario.counts.add_wrong(OTHERWISE)
