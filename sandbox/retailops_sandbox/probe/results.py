"""What a probe has tried and seen so far, and the report of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.probe import phrases
from retailops_sandbox.probe.earlier import compared
from retailops_sandbox.probe.findings import findings
from retailops_sandbox.probe.mutations import MUTATIONS
from retailops_sandbox.probe.observing import Answered
from retailops_sandbox.probe.probes import Area, Probe, Trial
from retailops_sandbox.probe.report import Finding, Observation, ProbeReport, Smallest, Tried
from retailops_sandbox.probe.sampling import without
from retailops_sandbox.probe.scoring import Tally

_MOST_OBSERVATIONS = 5_000
_MUTATIONS = frozenset(mutation.key for mutation in MUTATIONS)


class Results:
    """What a probe has tried and seen so far."""

    def __init__(self, contract: Contract, begun: ProbeReport, resumed: ProbeReport | None) -> None:
        """`resumed` is the report of a probe that goes on."""
        self._contract = contract
        self.begun = begun
        """The report before anything was sent."""
        self._resumed = resumed
        self._all: Sequence[Probe] = ()
        self._by_id: dict[str, Probe] = {}
        self._tally = Tally(resumed)
        self._tried: set[tuple[str, str]] = set()
        self._done: dict[str, set[str]] = {}
        self._observations: list[Observation] = []
        self._smallest: dict[str, Smallest] = {}
        self._notes: dict[str, None] = {}
        self.earlier: ProbeReport | None = None
        self.baseline = ""
        self.stopped = ""
        self._doubts: dict[str, None] = {}
        if resumed is not None:
            self._done = {each.probe: {*each.steps} for each in resumed.done}
            self._tried = {(probe, step) for probe, steps in self._done.items() for step in steps}
            # What was not done to the end is sent again, and seen again.
            self._observations = [
                each for each in resumed.observations if (each.probe, each.step) in self._tried
            ]

    def left_of(self, probes: Sequence[Probe]) -> list[Probe]:
        """What of some probes was not done."""
        return without(probes, self._done)

    def plan(self, everything: Sequence[Probe]) -> list[Probe]:
        """Take down all that could be tried; returns what of it was not done.

        A step that was done and is to be sent again, with another of its group, counts as not done.
        """
        self._all = everything
        self._by_id |= {probe.id: probe for probe in everything}
        left = self.left_of(everything)
        again = {(probe.id, trial.step) for probe in left for trial in probe.trials} & self._tried
        self._tried -= again
        self._observations = [each for each in self._observations if (each.probe, each.step) not in again]
        for probe, step in again:
            self._done[probe].discard(step)
        return left

    def probe(self, id: str) -> Probe | None:
        """The probe of an id; None for one of another run, and for a scenario."""
        return self._by_id.get(id)

    def tried(self, answered: Answered) -> None:
        """Count the trial of a delivery."""
        self._by_id.setdefault(answered.probe.id, answered.probe)
        self._tally.add(answered)
        self._tried.add((answered.probe.id, answered.trial.step))

    def done(self, probe: Probe) -> None:
        self._done.setdefault(probe.id, set()).update(trial.step for trial in probe.trials)

    def observe(self, seen: Iterable[Observation]) -> None:
        self._observations += seen

    def note(self, words: str) -> None:
        """Say what could not be seen, and why; the same words once."""
        self._notes[words] = None

    def doubt(self, words: str) -> None:
        """Say why it cannot be told that the receiver is fit."""
        self._doubts[words] = None

    def end(self) -> None:
        """Doubt what was planned where nothing of an area, of a field or of a mutation was tried."""
        planned = [(probe, trial) for probe in self._all for trial in probe.trials if not trial.is_check]
        tried = [(probe, trial) for probe, trial in planned if (probe.id, trial.step) in self._tried]
        areas = {probe.area for probe, _ in planned} - {probe.area for probe, _ in tried}
        if areas:
            self.doubt(f"too little was tried: nothing of {', '.join(sorted(areas))}")
            return
        for name, part in (("field", _field), ("mutation", _mutation)):
            wanted = {part(*each) for each in planned} - {""}
            missed = wanted - {part(*each) for each in tried}
            if missed:
                self.doubt(f"too little was tried: {len(missed)} of {len(wanted)} {name}s were left out")
                return

    def shrunk(self, finding: Finding, smallest: Smallest) -> None:
        """Give a finding a smaller request that shows it."""
        self._smallest[finding.key] = smallest

    @property
    def observations(self) -> Sequence[Observation]:
        return self._observations

    @property
    def found(self) -> tuple[Finding, ...]:
        """The findings so far, worst first."""
        found = findings(
            self._observations, self._contract, tried=self._tally.tried_cases, probes=self._by_id
        )
        return tuple(self._with_smallest(each) for each in found)

    def _with_smallest(self, finding: Finding) -> Finding:
        smallest = self._smallest.get(finding.key, finding.smallest)
        return msgspec.structs.replace(
            finding, smallest=smallest, title=phrases.reduced(finding.title, smallest.shown)
        )

    def report(self, *, seconds: float, requests: int, faults: int, sdk_tool: str) -> ProbeReport:
        """The report so far."""
        report = msgspec.structs.replace(
            self.begun,
            seconds=round(seconds, 3),
            requests=requests + (self._resumed.requests if self._resumed else 0),
            faults=faults + (self._resumed.faults if self._resumed else 0),
            stopped=self.stopped,
            baseline=self.baseline,
            doubts=tuple(self._doubts),
            left_out=self._left_out(),
            areas=self._tally.areas(self._observations),
            cells=self._tally.cells(self._observations),
            findings=self.found,
            notes=tuple(self._notes),
            sdk_tool=sdk_tool,
            observations=tuple(self._observations[:_MOST_OBSERVATIONS]),
            done=tuple(Tried(probe=probe, steps=tuple(sorted(steps))) for probe, steps in self._done.items()),
        )
        planned = {probe.id for probe in self._all}
        begun = {probe for probe, _ in self._tried if probe in planned} - self._done.keys()
        report = msgspec.structs.replace(report, interrupted=tuple(sorted(begun)))
        return report if self.earlier is None else compared(report, self.earlier)

    def _left_out(self) -> dict[Area, int]:
        left = Counter(
            probe.area
            for probe in self._all
            for trial in probe.trials
            if not trial.is_check and (probe.id, trial.step) not in self._tried
        )
        return dict(left)


def _field(_: Probe, trial: Trial) -> str:
    return trial.field


def _mutation(probe: Probe, trial: Trial) -> str:
    return trial.what if probe.area == "contract" and trial.what in _MUTATIONS else ""
