"""Runs and the results of their scenarios, as the pages show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from retailops_sandbox.model import Delivery, Judgement, Result, ResultStep, RunInfo, Verdict
from retailops_sandbox.reporting.render import causes, lines
from retailops_sandbox.reporting.render.causes import Cause
from retailops_sandbox.reporting.render.lines import outcome
from retailops_sandbox.reporting.render.shown import moment
from retailops_sandbox.runlog.entries import Entry
from retailops_sandbox.runlog.ports import LogReader
from retailops_sandbox.runlog.runs import RunSummary
from retailops_sandbox.scenarios import trend
from retailops_sandbox.scenarios.trend import Past, Trend

_KINDS = {
    "serve": "sent by hand",
    "send": "sent by hand",
    "run": "scenarios",
    "record": "recording",
    "load": "load test",
}


_SPOILED: tuple[Verdict, ...] = ("failed", "errored")


class DeliveryLine(msgspec.Struct, frozen=True):
    """A delivery of a step in one line, and the lines of its violations and differences."""

    id: str
    number: int
    attempt: int
    verdict: str
    """The verdict of the run's own judgement."""
    answer: str
    total: float
    lines: list[str]
    """The first of its violations and differences."""
    more: int
    """How many further lines there are."""
    re_checked: str
    """The latest verdict where it differs from the run's; else empty."""


class StepRow(msgspec.Struct, frozen=True):
    """A step of a scenario in a run."""

    result: ResultStep
    deliveries: list[DeliveryLine]
    """The first deliveries of the step."""
    more: int
    """How many further deliveries there are."""
    cause: Cause | None = None
    """The cause for which it failed, where all of its failed deliveries have the same."""
    contract: str = ""
    """The action and edition of the step, where its scenario has several."""


class ResultRow(msgspec.Struct, frozen=True):
    """A scenario in a run."""

    result: Result
    trend: Trend | None
    before: Result | None
    """The earlier result that the result is compared with."""
    steps: list[StepRow]
    """The steps that are shown, from the first."""
    more: int
    """How many further steps there are."""
    is_common: bool = False
    """Whether it failed for the common cause of its run, and so has no steps."""

    @property
    def cause(self) -> Cause | None:
        """The cause for which it failed, where all of its failed steps have the same."""
        failed = [step for step in self.steps if step.result.verdict in _SPOILED]
        return causes.shared([step.cause for step in failed]) if failed else None


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in one line."""

    summary: RunSummary
    info: RunInfo
    """The facts about the run; empty where the run file is damaged."""
    seconds: float
    """How long the run took, or has taken until now."""

    @property
    def id(self) -> str:
        return self.summary.id

    @property
    def kind(self) -> str:
        return _KINDS.get(self.info.kind, self.info.kind) if self.summary.info else ""

    @property
    def state(self) -> str:
        if self.summary.info is None:
            return "damaged"
        return "open" if is_open(self.summary) else self.summary.state

    @property
    def counts(self) -> list[tuple[Verdict, int]]:
        """The number of scenarios by verdict, the worst first, without verdicts that no scenario has."""
        return counted(self.summary.outcomes)

    @property
    def failing(self) -> int:
        """The number of scenarios that failed or errored."""
        return sum(self.summary.outcomes.get(each, 0) for each in _SPOILED)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of the run as a whole; None where nothing has a result."""
        if self.failing:
            return "failed"
        if self.info.unreadable or self.info.incomplete_shards:
            return "errored"
        return next((verdict for verdict, _ in reversed(self.counts)), None)

    @property
    def says(self) -> str:
        """The verdict in words: how many of the results are like that."""
        said = [f"{count:,} {verdict}" for verdict, count in reversed(self.counts)]
        if self.failing:
            said = [f"{self.failing:,} of {self.summary.results:,} did not pass"]
        elif lost := len(self.info.unreadable):
            said.insert(0, f"{lost:,} unreadable")
        if lacking := self.info.incomplete_shards:
            said.append(f"{lacking:,} incomplete {'shard' if lacking == 1 else 'shards'}")
        return ", ".join(said)

    @property
    def problems(self) -> list[str]:
        """Why parts of the run cannot be read."""
        return [str(problem) for problem in self.summary.problems]


def run_row(run: RunSummary, now: str) -> RunRow:
    """The row of a run as it is at this instant."""
    info = run.info or RunInfo(id=run.id, started_at="")
    until = info.finished_at or (now if run.state == "running" else "")
    return RunRow(summary=run, info=info, seconds=seconds_between(info.started_at, until))


def is_open(run: RunSummary) -> bool:
    """Whether it is the run of a live `serve` process, to which sends by hand belong for days."""
    return run.state == "running" and run.info is not None and run.info.kind == "serve"


def counted(counts: Mapping[Verdict, int]) -> list[tuple[Verdict, int]]:
    """The counts by verdict, the worst first, without zeros."""
    return [(verdict, counts[verdict]) for verdict in lines.VERDICT_ORDER if counts.get(verdict)]


def trends(
    log: LogReader, run: RunSummary, results: Sequence[Result]
) -> dict[str, tuple[Trend | None, Result | None]]:
    """The trend of each result of a run and the earlier result it is compared with, by scenario id."""
    if run.info is None:
        return {}
    # Else each run of the log would be read for a scenario that none has.
    known = log.scenarios_before(run.id, {result.scenario for result in results})
    before = trend.before(run.info, _past_runs(log, run.info), known)
    return {
        result.scenario: (trend.of(result, before.get(result.scenario)), before.get(result.scenario))
        for result in results
    }


def _past_runs(log: LogReader, before: RunInfo) -> Iterator[Past]:
    """The runs that a run is compared with, the newest first. Each is read when the iteration reaches it."""
    for run in log.runs():
        if run.info is not None and run.results and trend.is_comparable(run.info, before):
            yield Past(run.info, log.results(run.id))


def result_rows(
    results: Iterable[Result],
    compared: Mapping[str, tuple[Trend | None, Result | None]],
    entries: Iterable[Entry],
    *,
    is_shown: Callable[[ResultStep], bool],
    most: int,
) -> list[ResultRow]:
    """The rows of these results, those that got worse first.

    `compared` is what `trends` returns. `most` bounds the steps of a row, the deliveries of a step, and the
    lines of a delivery.
    """
    deliveries: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    contracts: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        sent = entry.delivery
        deliveries[sent.scenario, sent.step].append(entry)
        contracts[sent.scenario].add(_contract(sent))
    rows = []
    for result in results:
        shown = [step for step in result.steps if is_shown(step)]
        steps = []
        for step in shown[:most]:
            # The failed and errored deliveries first.
            found_of = deliveries[result.scenario, step.name]
            of_step = sorted(found_of, key=lambda entry: _verdict(entry) not in _SPOILED)
            steps.append(
                StepRow(
                    step,
                    [_line(each, most) for each in of_step[:most]],
                    max(0, len(of_step) - most),
                    _cause(step, of_step),
                    _contract(of_step[0].delivery) if of_step and len(contracts[result.scenario]) > 1 else "",
                )
            )
        found, before = compared.get(result.scenario, (None, None))
        rows.append(ResultRow(result, found, before, steps, max(0, len(shown) - most)))
    return sorted(rows, key=lambda row: (trend.rank(row.result.verdict, row.trend), row.result.scenario))


def _contract(sent: Delivery) -> str:
    return f"{sent.action} {sent.edition}"


def _cause(step: ResultStep, sent: Sequence[Entry]) -> Cause | None:
    if step.verdict not in _SPOILED:
        return None
    failed = [entry for entry in sent if _verdict(entry) in _SPOILED]
    found = [causes.of_delivery(entry.delivery, _first(entry)) for entry in failed]
    return causes.shared(found) if found else causes.of_reason(step.reason)


def _line(entry: Entry, most: int) -> DeliveryLine:
    sent, judgement = entry.delivery, _first(entry)
    found: list[str] = []
    if judgement is not None:
        found += [lines.violation(each) for each in judgement.violations]
        found += [lines.difference(each, width=200) for each in judgement.differences]
    latest = entry.judgement
    verdict = _verdict(entry)
    return DeliveryLine(
        id=sent.id,
        number=sent.number,
        attempt=sent.attempt,
        verdict=verdict,
        answer=outcome(sent),
        total=sent.timings.total,
        lines=found[:most],
        more=max(0, len(found) - most),
        re_checked=latest.verdict if latest is not None and latest.verdict != verdict else "",
    )


def _first(entry: Entry) -> Judgement | None:
    """The judgement that the run itself made; later ones are re-checks."""
    return entry.judgements[0] if entry.judgements else None


def _verdict(entry: Entry) -> str:
    if entry.delivery.dropped:
        return "dropped on purpose"
    judgement = _first(entry)
    return judgement.verdict if judgement is not None else "not judged"


def seconds_between(start: str, end: str) -> float:
    """The seconds between two instants; 0 where one is not known."""
    since, until = moment(start), moment(end)
    return (until - since).total_seconds() if since is not None and until is not None else 0.0
