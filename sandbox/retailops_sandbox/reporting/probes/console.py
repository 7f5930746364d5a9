"""A probe on a terminal or in a job's log: the scorecard, the findings, and what was not seen."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator

import click

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.foreign_text import visible
from retailops_sandbox.model import Receiver, Verdict
from retailops_sandbox.probe.failing import FAILS, FailOn, failing
from retailops_sandbox.probe.probing import ProbeOutline
from retailops_sandbox.probe.report import Finding, ProbeReport
from retailops_sandbox.reporting.probes import words
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.reporters.console import COLOURS

_LEAST = 44
"""The fewest columns that texts are wrapped to."""


def text(report: ProbeReport, *, width: int, colour: bool, fail_on: Collection[FailOn] = FAILS) -> list[str]:
    """The lines of a finished probe, none wider than `width` but for a word that is; the verdict is last."""
    return list(_Writer(max(width, _LEAST), colour).report(report, fail_on))


def outline(planned: ProbeOutline, contract: Contract, receiver: Receiver, *, width: int) -> list[str]:
    """The lines of what a probe will send."""
    writer = _Writer(max(width, _LEAST), colour=False)
    told = words.outline(planned, contract, receiver)
    return [line for each in told for line in writer.wrapped(each, indent="  ")]


class _Writer:
    def __init__(self, width: int, colour: bool) -> None:
        self._width = width
        self._colour = colour

    def report(self, report: ProbeReport, fail_on: Collection[FailOn]) -> Iterator[str]:
        if report.areas:
            yield ""
            yield from self._scorecard(report)
        for finding in report.findings:
            yield ""
            yield from self._finding(finding)
        if remarks := list(self._remarks(report)):
            yield from ("", *remarks)
        yield ""
        found = words.verdict(report)
        glyph_and_word = self._style(f"{found.glyph} {found.word}", found.verdict)
        yield from self.wrapped(
            f": {found.sentence}", first=glyph_and_word, bare=len(found.glyph + found.word) + 1, indent="  "
        )
        shop = f"the stand-in {lines.NO_PROOF}" if report.stand_in else report.receiver
        yield from self.wrapped(f"{words.tried(report)}, receiver: {shop}")
        if any(each.smallest.delivery for each in report.findings):
            yield from self.wrapped("open a delivery: retailops-sandbox log show DELIVERY")
        named = words.enumerated(sorted(fail_on))
        if failed := failing(report, fail_on):
            yield from self.wrapped(f"fails: {words.counted(len(failed), 'cause')} of {named} (--fail-on)")
        elif any(words.outcome(each) == "did not" for each in report.findings):
            yield from self.wrapped(f"exit 0: --fail-on names {named} only")

    def _scorecard(self, report: ProbeReport) -> Iterator[str]:
        room = max(map(len, words.AREA_NAMES.values()))
        for score in words.worst_first(report.areas):
            counts = [
                self._style(f"{count:,} {word}", words.OUTCOME_VERDICTS[word])
                for word, count in words.counts(score)
            ]
            yield f"{words.AREA_NAMES[score.area]:<{room}}  {', '.join(counts)}"

    def _finding(self, finding: Finding) -> Iterator[str]:
        outcome = words.outcome(finding)
        glyph = words.OUTCOME_GLYPHS[outcome]
        notes = ", ".join(filter(None, (words.label(finding), finding.state)))
        yield from self.wrapped(
            f" {finding.title}  ({notes})",
            first=self._style(glyph, words.OUTCOME_VERDICTS[outcome]),
            bare=len(glyph),
            indent="  ",
        )
        for heading, said in words.details(finding):
            yield from self.wrapped(f"    {heading + ':':<10}{said}", indent=" " * 14)

    def _remarks(self, report: ProbeReport) -> Iterator[str]:
        said = [f"gone: {title}" for title in report.gone]
        if report.sdk_tool:
            said.append(f"the SDK's tool: {report.sdk_tool}")
        said += [f"note: {note}" for note in words.notes(report)]
        if left := words.left_out(report):
            said.append(left)
        if report.stopped and words.verdict(report).word != "not finished":
            said.append(f"it ended early: {report.stopped}")
        for each in said:
            yield from self.wrapped(each, indent="  ")

    def wrapped(self, said: str, *, first: str = "", bare: int = 0, indent: str = "") -> list[str]:
        """A text in lines; it follows `first`, which takes `bare` columns on the first of them."""
        wrapped = textwrap.wrap(
            visible(said),
            self._width,
            initial_indent="\0" * bare,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        head, *others = wrapped or [""]
        return [first + head.replace("\0", ""), *others]

    def _style(self, said: str, verdict: Verdict) -> str:
        return click.style(said, fg=COLOURS[verdict]) if self._colour else said
