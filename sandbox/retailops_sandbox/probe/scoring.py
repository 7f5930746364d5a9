"""How the trials of a probe came out: by area, and by field and mutation."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from retailops_sandbox.probe.grouping import Case
from retailops_sandbox.probe.kinds import kind_of
from retailops_sandbox.probe.observers.reading import Answered
from retailops_sandbox.probe.probes import AREAS, Area
from retailops_sandbox.probe.report import AreaScore, Cell, Observation, Outcome, ProbeReport


class Tally:
    """Counts the trials that were done. Which of them did not hold is told by the observations."""

    def __init__(self, resumed: ProbeReport | None = None) -> None:
        """`resumed` is a report that a probe goes on with."""
        self._tried: dict[Area, int] = dict.fromkeys(AREAS, 0)
        self._cells: dict[tuple[str, str], str] = {}
        self._cases: set[Case] = set()
        self._seen: set[tuple[str, str]] = set()
        if resumed is not None:
            self._tried |= {score.area: score.tried for score in resumed.areas}
            self._seen = {(each.probe, step) for each in resumed.done for step in each.steps}
            self._cells |= {(cell.field, cell.what): cell.delivery for cell in resumed.cells}
            self._cases |= {Case("contract", cell.field, cell.what) for cell in resumed.cells}

    def add(self, answered: Answered) -> None:
        """Count the trial of a delivery, once for all its deliveries."""
        probe, trial = answered.probe, answered.trial
        if trial.is_check or (probe.id, trial.step) in self._seen:
            return
        self._seen.add((probe.id, trial.step))
        self._tried[probe.area] += 1
        self._cases.add(Case(probe.area, trial.field, trial.what))
        if answered.delivery.response is not None:
            self._tried["answers"] += 1
        if trial.field:
            self._cells.setdefault((trial.field, trial.what), answered.delivery.id)

    @property
    def tried_cases(self) -> Collection[Case]:
        """All that was tried; of a probe that this one goes on with, what was done to fields."""
        return self._cases

    def areas(self, observations: Iterable[Observation]) -> tuple[AreaScore, ...]:
        """How the trials of each area came out that had any."""
        outcomes: dict[tuple[Area, str, str], Outcome] = {}
        for each in observations:
            key = (each.area, each.probe, each.step)
            outcomes[key] = _worse(outcomes.get(key, "held"), kind_of(each.kind).outcome)
        scores = []
        for area, tried in self._tried.items():
            found = [outcome for (of, _, _), outcome in outcomes.items() if of == area]
            did_not, to_see = found.count("did not"), found.count("to see")
            tried = max(tried, len(found))
            if tried:
                held = tried - did_not - to_see
                scores.append(AreaScore(area=area, tried=tried, held=held, did_not=did_not, to_see=to_see))
        return tuple(scores)

    def cells(self, observations: Iterable[Observation]) -> tuple[Cell, ...]:
        """How each field and what was done to it came out, in the order in which they were tried."""
        worst: dict[tuple[str, str], Cell] = {}
        for each in observations:
            if not each.field:
                continue
            kind, key = kind_of(each.kind), (each.field, each.what)
            known = worst.get(key)
            outcome = _worse(known.outcome if known else "held", kind.outcome)
            if known is None or outcome != known.outcome:
                worst[key] = Cell(
                    field=each.field,
                    what=each.what,
                    outcome=outcome,
                    delivery=each.delivery,
                    shown=kind.shown,
                )
        held = {
            key: Cell(field=key[0], what=key[1], outcome="held", delivery=delivery)
            for key, delivery in self._cells.items()
        }
        return tuple((held | worst).values())


_BADNESS: tuple[Outcome, ...] = ("held", "to see", "did not")


def _worse(one: Outcome, other: Outcome) -> Outcome:
    return max(one, other, key=_BADNESS.index)
