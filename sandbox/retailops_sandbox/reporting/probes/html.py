"""A probe as a page: one file that opens offline and without a script, and can be printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import jinja2
import msgspec

from retailops_sandbox import __version__
from retailops_sandbox.model import Delivery
from retailops_sandbox.probe.report import AreaScore, Finding, Outcome, ProbeReport
from retailops_sandbox.reporting.probes import heatmap, words
from retailops_sandbox.reporting.probes.heatmap import HeatMap
from retailops_sandbox.reporting.probes.words import ProbeVerdict
from retailops_sandbox.reporting.render import lines, offline_page, shown, wire_words
from retailops_sandbox.reporting.render.evidence import MOST_BODY

_MOST_BODIES = 4 * MOST_BODY
"""The most characters of all bodies on the page."""


class ShownFinding(NamedTuple):
    """A finding, as the page shows it."""

    finding: Finding
    anchor: str
    outcome: Outcome
    label: str
    source: str
    """Where the demand comes from; empty for the contract's source."""
    sent: Delivery | None
    """The smallest request with its answer, long bodies cut; None where the log has it no more."""
    request_size: int
    """Characters of the whole body."""
    response_size: int


class ShownArea(NamedTuple):
    """An area of the scorecard."""

    score: AreaScore
    name: str
    counts: Sequence[tuple[Outcome, int]]


class ProbePage(NamedTuple):
    """The whole page."""

    report: ProbeReport
    verdict: ProbeVerdict
    changes: str
    contract_source: str
    areas: Sequence[ShownArea]
    findings: Sequence[ShownFinding]
    map: HeatMap
    notes: Sequence[str]
    left_out: str
    tool: str


def document(report: ProbeReport, evidence: Mapping[str, Delivery]) -> str:
    """The whole page as text; `evidence` has deliveries by their ids, as the log keeps them."""
    findings, room = [], _MOST_BODIES
    for number, finding in enumerate(report.findings, 1):
        sent = evidence.get(finding.smallest.delivery)
        made = _finding(finding, number, sent, min(MOST_BODY, room))
        room -= min(room, made.request_size + made.response_size)
        findings.append(made)
    page = ProbePage(
        report=report,
        verdict=words.verdict(report),
        changes=", ".join(words.changes(report)),
        contract_source=words.contract_source(report),
        areas=[
            ShownArea(each, words.AREA_NAMES[each.area], words.counts(each))
            for each in words.worst_first(report.areas)
        ],
        findings=findings,
        map=heatmap.heat_map(report),
        notes=words.notes(report),
        left_out=words.left_out(report),
        tool=f"retailops-sandbox {__version__}",
    )
    return _template().get_template("reporting/probe.html").render(page=page)


def _finding(finding: Finding, number: int, sent: Delivery | None, room: int) -> ShownFinding:
    sizes = (0, 0)
    if sent is not None:
        request, response = sent.request, sent.response
        sizes = (len(request.body), len(response.body) if response else 0)
        if max(sizes) > room:
            request = msgspec.structs.replace(request, body=request.body[:room])
            if response is not None:
                response = msgspec.structs.replace(response, body=response.body[:room])
            sent = msgspec.structs.replace(sent, request=request, response=response)
    return ShownFinding(
        finding,
        f"finding-{number}",
        words.outcome(finding),
        words.label(finding),
        words.own_source(finding),
        sent,
        *sizes,
    )


@cache
def _template() -> jinja2.Environment:
    environment = offline_page.environment()
    environment.globals.update(outcome_verdicts=words.OUTCOME_VERDICTS, outcome_glyphs=words.OUTCOME_GLYPHS)
    environment.filters.update(
        outcome=lines.outcome,
        request_line=wire_words.request_line,
        field_name=words.field_name,
        glyph=heatmap.glyph,
        said=heatmap.said,
        pretty=shown.pretty,
    )
    return environment
