"""What became of a run's scenarios, as the pages show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from retailops_sandbox.model import Judgement, Result, ResultStep, RunInfo, Verdict
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.render.shown import moment, outcome
from retailops_sandbox.runlog.log import Entry, Log, RunSummary
from retailops_sandbox.scenarios import trend
from retailops_sandbox.scenarios.trend import Past, Trend

VERDICTS: tuple[Verdict, ...] = ("failed", "errored", "skipped", "recorded", "passed")
"""In the order in which counts are told."""
TRENDS: tuple[Trend, ...] = ("regressed", "still failing", "new", "fixed", "still passing")
_KINDS = {"serve": "sent by hand", "send": "sent by hand", "run": "scenarios", "record": "recording"}


class DeliveryLine(msgspec.Struct, frozen=True):
    """A delivery of a step, and what is held against it."""

    id: str
    number: int
    attempt: int
    verdict: str
    """What the run said of it."""
    answer: str
    total: float
    lines: list[str]
    """Violations and differences, the first of them."""
    more: int
    """How many further ones there are."""
    judged_again: str
    """The latest verdict, where it is another one by now."""


class StepRow(msgspec.Struct, frozen=True):
    """A step of a scenario in a run."""

    result: ResultStep
    deliveries: list[DeliveryLine]
    """The first of them."""
    more: int


class ResultRow(msgspec.Struct, frozen=True):
    """A scenario in a run."""

    result: Result
    trend: Trend | None
    before: Result | None
    """What it is compared with."""
    steps: list[StepRow]
    """The first of those that have something to say."""
    more: int


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run in one line."""

    id: str
    kind: str
    state: str
    started_at: str
    seconds: float
    receiver: str
    stand_in: bool
    planned: int
    counts: list[tuple[str, int]]
    """Verdict and how many scenarios; none that there is none of."""
    deliveries: int
    unreadable: int
    is_pinned: bool
    foreign: str
    """The name of the file that it was opened from; empty where it is the workspace's."""
    problems: list[str]

    @property
    def done(self) -> int:
        return sum(count for _, count in self.counts)


def run_row(run: RunSummary, now: str) -> RunRow:
    """A run as it stands at this instant."""
    info = run.info or RunInfo(id=run.id, started_at="")
    until = info.finished_at or (now if run.state == "running" else "")
    return RunRow(
        id=run.id,
        kind=_KINDS.get(info.kind, info.kind) if run.info else "",
        state=_state(run),
        started_at=info.started_at,
        seconds=_seconds(info.started_at, until),
        receiver=info.receiver,
        stand_in=info.stand_in,
        planned=info.scenarios,
        counts=counted(run.outcomes),
        deliveries=run.deliveries,
        unreadable=len(info.unreadable),
        is_pinned=run.is_pinned,
        foreign=run.foreign,
        problems=[str(problem) for problem in run.problems],
    )


def _state(run: RunSummary) -> str:
    if run.info is None:
        return "damaged"
    return "open" if is_open(run) else run.state


def is_open(run: RunSummary) -> bool:
    """Whether it takes what is sent by hand: it may go on for days, and nothing is under way meanwhile."""
    return run.state == "running" and run.info is not None and run.info.kind == "serve"


def counted(counts: Mapping[Verdict, int]) -> list[tuple[str, int]]:
    """How many there are of each verdict, the worst first."""
    return [(verdict, counts[verdict]) for verdict in VERDICTS if counts.get(verdict)]


def trends(
    run: RunSummary, results: Sequence[Result], past: Iterable[Past]
) -> dict[str, tuple[Trend | None, Result | None]]:
    """The trend of each result of a run, by the scenario's id, and what it is compared with.

    `past` comes newest first.
    """
    if run.info is None:
        return {}
    before = trend.before(run.info, past, {result.scenario for result in results})
    return {
        result.scenario: (trend.of(result, before.get(result.scenario)), before.get(result.scenario))
        for result in results
    }


def past(log: Log, before: RunInfo) -> Iterator[Past]:
    """The runs that a run is compared with, the newest first, each read when it is asked for."""
    for run in log.runs():
        if run.info is not None and run.results and trend.is_comparable(run.info, before):
            yield Past(run.info, log.results(run.id))


def result_rows(
    results: Iterable[Result],
    told: dict[str, tuple[Trend | None, Result | None]],
    entries: Iterable[Entry],
    *,
    wanted: Callable[[ResultStep], bool],
    most: int,
) -> list[ResultRow]:
    """The rows of these results: what got worse first. At most so many of each: steps, deliveries, lines."""
    deliveries: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        deliveries[entry.delivery.scenario, entry.delivery.step].append(entry)
    rows = []
    for result in results:
        told_of = [step for step in result.steps if wanted(step)]
        steps = []
        for step in told_of[:most]:
            sent = deliveries[result.scenario, step.name]
            # What spoiled the step first.
            sent = sorted(sent, key=lambda entry: _verdict(entry) not in ("failed", "errored"))
            steps.append(StepRow(step, [_line(each, most) for each in sent[:most]], max(0, len(sent) - most)))
        found, before = told.get(result.scenario, (None, None))
        rows.append(ResultRow(result, found, before, steps, max(0, len(told_of) - most)))
    return sorted(rows, key=lambda row: (trend.rank(row.result.verdict, row.trend), row.result.scenario))


def _line(entry: Entry, most: int) -> DeliveryLine:
    sent, judgement = entry.delivery, _first(entry)
    said: list[str] = []
    if judgement is not None:
        said += [lines.violation(each) for each in judgement.violations]
        said += [lines.difference(each, width=200) for each in judgement.differences]
    latest = entry.judgement
    verdict = _verdict(entry)
    return DeliveryLine(
        id=sent.id,
        number=sent.number,
        attempt=sent.attempt,
        verdict=verdict,
        answer=outcome(sent),
        total=sent.timings.total,
        lines=said[:most],
        more=max(0, len(said) - most),
        judged_again=latest.verdict if latest is not None and latest.verdict != verdict else "",
    )


def _first(entry: Entry) -> Judgement | None:
    """The judgement that the run made; later ones are of people who judged again."""
    return entry.judgements[0] if entry.judgements else None


def _verdict(entry: Entry) -> str:
    if entry.delivery.dropped:
        return "dropped on purpose"
    judgement = _first(entry)
    return judgement.verdict if judgement is not None else "not judged"


def _seconds(start: str, end: str) -> float:
    since, until = moment(start), moment(end)
    return (until - since).total_seconds() if since is not None and until is not None else 0.0
