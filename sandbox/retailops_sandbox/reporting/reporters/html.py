"""The HTML report: one file that opens anywhere, offline and without a script, and can be printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import jinja2

from retailops_sandbox import __version__, resources
from retailops_sandbox.contracts import contract
from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.errors import SandboxError
from retailops_sandbox.model import Delivery, Headers, Judgement, Receiver, Verdict, Violation, encoder
from retailops_sandbox.reporting.render import lines, shown, sidebyside
from retailops_sandbox.reporting.render.evidence import MOST_BODY, Evidence, Kept
from retailops_sandbox.scenarios import trend
from retailops_sandbox.scenarios.trend import Trend

ORDER: tuple[Verdict, ...] = ("failed", "errored", "skipped", "recorded", "passed")
"""What a reader came for, first."""
MOST_ROWS = 20_000
"""Rows of all comparisons side by side; beyond, the differences are only listed."""
_MOST_LISTED = 100


class Message(NamedTuple):
    """A request or a response."""

    start_line: str
    headers: Headers
    body: str
    size: str
    is_base64: bool
    is_cut: bool


class ShownDelivery(NamedTuple):
    """One attempt to send, as the report shows it."""

    delivery: Delivery
    words: str
    """Which one of several it is."""
    verdict: str
    outcome: str
    payload_violations: Sequence[Violation]
    violations: Sequence[Violation]
    differences: Sequence[str]
    """Those that are not in the view."""
    view: sidebyside.View | None
    departures: int
    """Of all differences."""
    notes: Sequence[str]
    expectation: str
    request: Message
    response: Message | None


class ShownStep(NamedTuple):
    """A step, as the report shows it."""

    result: StepResult
    place: str
    reason: str
    """Empty where what follows says it in full."""
    deliveries: Sequence[ShownDelivery]
    left_out: int


class ShownScenario(NamedTuple):
    """A scenario, as the report shows it."""

    result: ScenarioResult
    anchor: str
    headline: str
    """What spoiled it first."""
    steps: Sequence[ShownStep]


def document(
    results: Sequence[ScenarioResult],
    unreadable: Sequence[SandboxError],
    evidence: Evidence,
    *,
    receiver: Receiver,
    trends: Mapping[str, Trend] = {},
    run: str,
    started_at: str,
    seconds: float,
    interrupted: bool,
) -> str:
    """The whole report as text. Nothing goes into it that is not redacted."""
    writer = _Writer(evidence)
    scenarios = {
        verdict: [
            writer.scenario(result, f"{verdict}-{number}")
            for number, result in enumerate(_of_verdict(results, verdict, trends), 1)
        ]
        for verdict in ORDER
    }
    counts = Counter(result.verdict for result in results)
    return (
        _template()
        .get_template("reporting/report.html")
        .render(
            groups={verdict: group for verdict, group in scenarios.items() if group},
            counts={verdict: counts[verdict] for verdict in ORDER if counts[verdict]},
            total=len(results),
            unreadable=unreadable,
            overall=_overall(counts, len(unreadable), interrupted),
            receiver=receiver,
            trends=trends,
            change=lines.change(results, trends),
            urls=sorted(writer.urls)[:5],
            run=run,
            started_at=started_at,
            seconds=seconds,
            tool=f"retailops-sandbox {__version__}",
        )
    )


def _of_verdict(
    results: Sequence[ScenarioResult], verdict: Verdict, trends: Mapping[str, Trend]
) -> list[ScenarioResult]:
    """Those of one verdict: what became worse first, otherwise as they ended."""
    found = [result for result in results if result.verdict == verdict]
    return sorted(found, key=lambda result: trend.rank(verdict, trends.get(result.plan.id)))


def _overall(counts: Counter[Verdict], unreadable: int, interrupted: bool) -> tuple[str, str]:
    """The verdict of the whole, and its words."""
    spoiled = counts["failed"] + counts["errored"]
    if interrupted:
        return "errored", "Interrupted: what follows is what was done until then"
    if spoiled:
        return "failed", f"{spoiled:,} of {counts.total():,} did not pass"
    if unreadable:
        return "errored", f"{unreadable:,} could not be read"
    if not counts["passed"]:
        return "skipped", "Nothing was judged"
    return "passed", "All passed" if counts["passed"] == counts.total() else "Nothing failed"


class _Writer:
    """Turns results into what the template shows, within the bounds of the whole report."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._rows = MOST_ROWS
        self.urls: set[str] = set()
        """Where requests went."""

    def scenario(self, result: ScenarioResult, anchor: str) -> ShownScenario:
        spoiled = [step for step in result.steps if step.verdict == result.verdict]
        headline = lines.headline(spoiled[0]) if spoiled and result.verdict in ("failed", "errored") else ""
        return ShownScenario(result, anchor, headline, [self._step(result, step) for step in result.steps])

    def _step(self, result: ScenarioResult, step: StepResult) -> ShownStep:
        found = self._evidence.of(result.plan, step.name)
        several = found.spoiled + found.others > 1
        place = f"{result.plan.file}:{result.plan.line(step.number)}" if result.plan.file else ""
        told = {each.reason for each in step.judgements if each.differences or each.violations}
        reason = "" if step.reason in told and found.kept else step.reason
        return ShownStep(
            step, place, reason, [self._delivery(each, several) for each in found.kept], found.left_out
        )

    def _delivery(self, kept: Kept, several: bool) -> ShownDelivery:
        sent, judgement = kept.delivery, kept.judgement
        self.urls.add(f"{sent.request.method} {sent.request.url}")
        verdict = judgement.verdict if judgement else "dropped on purpose" if sent.dropped else "sent again"
        view = self._view(kept)
        differences = (
            [each for each in judgement.differences if not view or each.part != "body"] if judgement else []
        )
        listed = [lines.difference(each) for each in differences[:_MOST_LISTED]]
        if len(differences) > _MOST_LISTED:
            listed.append(f"… and {len(differences) - _MOST_LISTED:,} more")
        return ShownDelivery(
            delivery=sent,
            words=_which(sent) if several else "",
            verdict=verdict,
            outcome=shown.outcome(sent),
            payload_violations=judgement.payload_violations if judgement else (),
            violations=judgement.violations if judgement else (),
            differences=listed,
            view=view,
            departures=len(judgement.differences) if judgement else 0,
            notes=judgement.notes if judgement else (),
            expectation=_expected(judgement),
            request=_message(
                f"{sent.request.method} {sent.request.url}",
                sent.request.headers,
                sent.request.body,
                sent.request.base64,
                kept.request_size,
            ),
            response=None
            if sent.response is None
            else _message(
                f"HTTP/{sent.response.http_version} {sent.response.status}",
                sent.response.headers,
                sent.response.body,
                sent.response.base64,
                kept.response_size,
            ),
        )

    def _view(self, kept: Kept) -> sidebyside.View | None:
        """The comparison side by side, where that shows more than the list and there is room for it."""
        sent, judgement = kept.delivery, kept.judgement
        if judgement is None or judgement.expectation is None or not judgement.differences:
            return None
        if not self._rows or sent.response is None or kept.response_size > len(sent.response.body):
            return None
        view = sidebyside.of(sent, judgement.expectation, contract.load(sent.action, sent.edition).arrays)
        if view is None or not view.differences:
            return None
        self._rows -= min(self._rows, _count(view.rows))
        return view


def _count(rows: Iterable[object]) -> int:
    """How many rows there are, those within others too."""
    inner = ("rows", "cards")
    return sum(1 + sum(_count(getattr(row, name, ())) for name in inner) for row in rows)


def _which(sent: Delivery) -> str:
    again = f", attempt {sent.attempt}" if sent.attempt > 1 else ""
    return f"delivery {sent.number}{again}"


def _expected(judgement: Judgement | None) -> str:
    if judgement is None or judgement.expectation is None:
        return ""
    return shown.body(encoder.encode(judgement.expectation).decode(), MOST_BODY).best


def _message(start_line: str, headers: Headers, body: str, base64: bool, size: int) -> Message:
    is_cut = size > len(body)
    text = shown.harmless(body) if is_cut or base64 else shown.body(body, MOST_BODY).best
    spelled = f"{size:,} characters" if is_cut else shown.size(body)
    return Message(start_line, headers, text, spelled, base64, is_cut)


@cache
def _template() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.templates_dir()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(glyphs=lines.GLYPHS)
    environment.filters.update(
        visible=lines.visible, in_line=lines.in_line, ms=shown.milliseconds, clock=shown.clock
    )
    return environment
