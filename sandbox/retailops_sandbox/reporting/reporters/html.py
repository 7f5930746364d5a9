"""The HTML report: one file that opens anywhere, offline and without a script, and can be printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jinja2
import msgspec

from retailops_sandbox.engine import Event, ScenarioResult, StepResult
from retailops_sandbox.model import Delivery, Expectation, Verdict, encoder
from retailops_sandbox.reporting.render import compared, lines, offline_page, shown, sidebyside, wire_words
from retailops_sandbox.reporting.render.compared import ComparedAnswer
from retailops_sandbox.reporting.render.evidence import MOST_BODY, Evidence, Kept
from retailops_sandbox.reporting.reporters import files
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter
from retailops_sandbox.scenarios import trend
from retailops_sandbox.scenarios.trend import Trend

MOST_ROWS = 20_000
"""Rows of all comparisons side by side; beyond, the differences are only listed."""
_MOST_LISTED = 100


class ShownDelivery(NamedTuple):
    """A delivery as the report shows it."""

    kept: Kept
    words: str
    """Which of the step's deliveries it is; empty where there is only one."""
    differences: Sequence[str]
    """The differences that are not in the comparison."""
    comparison: ComparedAnswer | None
    """The answer beside its expectation; None where nothing differs or there is no room for it."""


class ShownStep(NamedTuple):
    """A step, as the report shows it."""

    result: StepResult
    place: str
    reason: str
    """Empty where the deliveries show it in full."""
    deliveries: Sequence[ShownDelivery]
    left_out: int


class ShownScenario(NamedTuple):
    """A scenario, as the report shows it."""

    result: ScenarioResult
    anchor: str
    headline: str
    """The first violation or difference."""
    remarks: str
    """What stands beside its verdict."""
    steps: Sequence[ShownStep]


class ReportPage(NamedTuple):
    """The whole report."""

    run: FinishedRun
    verdict: Verdict
    headline: str
    """The verdict in words."""
    groups: Mapping[Verdict, Sequence[ShownScenario]]
    """The scenarios of each verdict that there is."""
    change: str
    """What changed since the last run; empty where nothing did."""
    urls: Sequence[str]
    """The first of the URLs that were called."""


class Report(Reporter):
    """Keeps what the page shows of each delivery, and writes it at the end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._evidence = Evidence()

    def on_event(self, event: Event) -> None:
        self._evidence.on_event(event)

    def finish(self, run: FinishedRun) -> None:
        files.write(self._file, document(run, self._evidence))


def document(run: FinishedRun, evidence: Evidence) -> str:
    """The whole report as text. Nothing goes into it that is not redacted."""
    writer = _Writer(evidence)
    groups = {
        verdict: [
            writer.scenario(result, f"{verdict}-{number}")
            for number, result in enumerate(_of_verdict(run.results, verdict, run.trends), 1)
        ]
        for verdict in lines.VERDICT_ORDER
    }
    counts = Counter(result.verdict for result in run.results)
    verdict, headline = _overall(counts, len(run.unreadable), len(run.incomplete), run.interrupted)
    page = ReportPage(
        run=run,
        verdict=verdict,
        headline=headline,
        groups={verdict: group for verdict, group in groups.items() if group},
        change=lines.change(run.results, run.trends),
        urls=sorted(writer.urls)[:5],
    )
    return _template().get_template("reporting/report.html").render(page=page)


def _of_verdict(
    results: Sequence[ScenarioResult], verdict: Verdict, trends: Mapping[str, Trend]
) -> list[ScenarioResult]:
    """The results with one verdict: regressed ones first, otherwise as they ended."""
    found = [result for result in results if result.verdict == verdict]
    return sorted(found, key=lambda result: trend.rank(verdict, trends.get(result.plan.id)))


def _overall(
    counts: Counter[Verdict], unreadable: int, incomplete: int, interrupted: bool
) -> tuple[Verdict, str]:
    """The verdict of the whole run, and its words."""
    spoiled = counts["failed"] + counts["errored"]
    if interrupted:
        return "errored", "Interrupted: what follows is what was done until then"
    if spoiled:
        return "failed", f"{spoiled:,} of {counts.total():,} did not pass"
    if unreadable:
        return "errored", f"{unreadable:,} could not be read"
    if incomplete:
        return "errored", "Not all of the run is here"
    if not counts["passed"]:
        return "skipped", "Nothing was judged"
    return "passed", "All passed" if counts["passed"] == counts.total() else "Nothing failed"


class _Writer:
    """Turns results into what the template shows, within the bounds of the whole report."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._rows = MOST_ROWS
        self.urls: set[str] = set()
        """The methods and URLs of requests."""

    def scenario(self, result: ScenarioResult, anchor: str) -> ShownScenario:
        spoiled = [step for step in result.steps if step.verdict == result.verdict]
        headline = lines.headline(spoiled[0]) if spoiled and result.verdict in ("failed", "errored") else ""
        steps = [self._step(result, step) for step in result.steps]
        return ShownScenario(result, anchor, headline, lines.steps_remarks(result), steps)

    def _step(self, result: ScenarioResult, step: StepResult) -> ShownStep:
        found = self._evidence.of(result.plan, step.name)
        several = found.spoiled + found.others > 1
        # As the log keeps it, so that a merged run is reported alike.
        is_located = any(each.verdict != "passed" for each in result.steps)
        place = result.plan.place(step.number) if is_located else result.plan.file
        told = {each.reason for each in step.judgements if each.differences or each.violations}
        reason = "" if step.reason in told and found.kept else step.reason
        return ShownStep(
            step, place, reason, [self._delivery(each, several) for each in found.kept], found.left_out
        )

    def _delivery(self, kept: Kept, several: bool) -> ShownDelivery:
        sent, judgement = kept.delivery, kept.judgement
        self.urls.add(f"{sent.request.method} {sent.request.url}")
        try:
            found, untried = self._comparison(kept), []
        except sidebyside.NotTriedAgain as error:
            found, untried = None, [f"not shown beside each other: {error}"]
        differences = judgement.differences if judgement is not None and found is None else ()
        listed = untried + [lines.difference(each) for each in differences[:_MOST_LISTED]]
        if len(differences) > _MOST_LISTED:
            listed.append(f"… {lines.and_more(len(differences) - _MOST_LISTED)}")
        return ShownDelivery(kept, _which(sent) if several else "", listed, found)

    def _comparison(self, kept: Kept) -> ComparedAnswer | None:
        """The comparison side by side, where that shows more than the list and there is room for it."""
        sent, judgement = kept.delivery, kept.judgement
        if judgement is None or judgement.expectation is None or not judgement.differences:
            return None
        if not self._rows or sent.response is None or kept.response_size > len(sent.response.body):
            return None
        agreed = kept.contract
        view = sidebyside.of(sent, judgement, agreed.arrays)
        found = compared.of(sent, judgement, agreed.ok_statuses, view)
        self._rows -= min(self._rows, 1 + _count(view.rows if view is not None else ()))
        return msgspec.structs.replace(found, notes=())  # the report lists them below, with or without it


def _count(rows: Iterable[object]) -> int:
    """The number of rows, including nested ones."""
    inner = ("rows", "cards")
    return sum(1 + sum(_count(getattr(row, name, ())) for name in inner) for row in rows)


def _which(sent: Delivery) -> str:
    again = f", attempt {sent.attempt}" if sent.attempt > 1 else ""
    return f"delivery {sent.number}{again}"


def _expected(expectation: Expectation) -> str:
    """The expectation as it is shown."""
    return shown.body(encoder.encode(expectation).decode(), MOST_BODY).best


@cache
def _template() -> jinja2.Environment:
    environment = offline_page.environment()
    environment.filters.update(
        remarks=lines.remarks,
        repeated=lines.repeated,
        outcome=lines.outcome,
        redirect=lines.redirect,
        request_line=wire_words.request_line,
        spelled=wire_words.spelled,
        expected=_expected,
    )
    return environment
