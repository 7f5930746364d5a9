"""The output of `run` and `send`: a line for each scenario, and the reasons of those that did not pass."""

from __future__ import annotations

from collections.abc import Callable

import click

from retailops_sandbox.engine import LARGE_BODY, DeliveryFinished, DeliveryStarted, Event, ScenarioResult
from retailops_sandbox.foreign_text import quoted
from retailops_sandbox.model import Delivery, Judgement, Response, Verdict
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.render.wire_words import request_line
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter

COLOURS: dict[Verdict, str] = {
    "passed": "green",
    "failed": "red",
    "errored": "magenta",
    "recorded": "cyan",
    "skipped": "yellow",
}
_INDENT = "      "
_ANSWER = 600
"""The most characters of an answer that are printed."""
_COMPARED = 60
"""The most lines of a comparison that are printed."""
_URLS = 5
"""The most URLs that are printed before something is sent there."""
_SAID = 40
"""The most lines of a step's reasons that are printed."""


class Console(Reporter):
    """Prints a run line by line, for a terminal of `width` columns."""

    def __init__(
        self,
        echo: Callable[[str], None],
        *,
        colour: bool,
        width: int,
        verbose: bool,
        brief: bool = False,
        left_out: int = 0,
    ) -> None:
        """A brief console prints only scenarios that failed or errored, and skipped ones at the end.

        `left_out` is the number of scenarios that were not selected.
        """
        self._echo = echo
        self._colour = colour
        self._words = {
            verdict: self._style(f"{glyph} {verdict:<8}", verdict) for verdict, glyph in lines.GLYPHS.items()
        }
        self._width = width
        self._verbose = verbose
        self._brief = brief
        self._left_out = left_out
        self._skipped: dict[str, list[ScenarioResult]] = {}
        """The skipped scenarios, by reason."""
        self._shown: dict[int, list[DeliveryFinished]] = {}
        """The deliveries to be shown beneath their scenario, by plan."""
        self._causes: set[str] = set()
        """The faults that were printed: what many scenarios have in common is printed once."""
        self._urls: set[str] = set()
        """The URLs that were printed."""

    def on_event(self, event: Event) -> None:
        if isinstance(event, DeliveryStarted):
            if event.url not in self._urls and len(self._urls) < _URLS:
                self._urls.add(event.url)
                self._echo(f"sends to {lines.in_line(event.url)}")
        elif isinstance(event, DeliveryFinished):
            if event.judgement is not None and (
                self._verbose or event.judgement.verdict in ("failed", "errored")
            ):
                self._shown.setdefault(id(event.plan), []).append(event)
        elif isinstance(event, ScenarioResult):
            deliveries = self._shown.pop(id(event.plan), [])
            if event.verdict == "skipped":
                self._skipped.setdefault(event.steps[0].reason, []).append(event)
            elif not self._brief or event.verdict in ("failed", "errored"):
                self._scenario(event, deliveries)

    def finish(self, run: FinishedRun) -> None:
        """Print the closing lines: what did not run or could not be read, the counts, the receiver."""
        for reason, skipped in self._skipped.items():
            if len(skipped) == 1:
                self._scenario(skipped[0], [])
            else:
                self._echo(f"{self._words['skipped']}  {len(skipped):,} scenarios: {lines.in_line(reason)}")
        for error in run.unreadable:
            self._echo(self._style("! unreadable", "errored") + f"  {lines.in_line(str(error))}")
        for error in run.incomplete:
            self._echo(self._style("! incomplete", "errored") + f"  {lines.in_line(str(error))}")
        words = lines.scenario_counts(
            run.results, run.unreadable, run.incomplete, always=("passed", "failed")
        )
        if self._left_out:
            words.append(f"{self._left_out} left out")
        if change := lines.change(run.results, run.trends):
            self._echo(change)
        self._echo(f"{', '.join(words)} in {run.seconds:.2f} s, receiver: {lines.receiver(run.receiver)}")

    def _scenario(self, result: ScenarioResult, deliveries: list[DeliveryFinished]) -> None:
        word = self._words[result.verdict]
        plan = result.plan
        attempts = max([step.attempts for step in result.steps], default=1)
        after = f" after {attempts} attempts" if attempts > 1 else ""
        place = f"  {plan.id}" if plan.id and plan.scenario.name else ""
        said = ", ".join(filter(None, (lines.steps_repeated(result), lines.steps_remarks(result))))
        note = f"  ({said})" if said else ""
        took = f"{round(result.seconds * 1000)} ms{after}"
        cause = _cause(result)
        is_told = cause in self._causes and not self._verbose
        again = "  (the same cause as above)" if is_told else ""
        self._echo(f"{word}  {lines.in_line(plan.name + place)}  {took}{note}{again}")
        if is_told:
            return
        if cause:
            self._causes.add(cause)
        compared = {event.delivery.id: self._side_by_side(event) for event in deliveries}
        beside = [id for id, text in compared.items() if text]
        spoiled = sum(step.verdict == "errored" for step in result.steps)
        left_out = [step for step in result.steps if step.verdict == "skipped"] if spoiled else []
        for step in result.steps:
            if step not in left_out and (
                step.verdict in ("failed", "errored", "skipped") or (self._verbose and step.reason)
            ):
                place = f"  {lines.in_line(plan.place(step.number))}" if plan.file else ""
                self._echo(f"    {lines.GLYPHS[step.verdict]} step {quoted(step.name)} {step.verdict}{place}")
                for line in lines.cut(lines.step(step, most=_SAID, beside=beside), _SAID):
                    self._echo(_INDENT + line)
            for event in deliveries:
                if event.delivery.step == step.name:
                    self._delivery(event, compared[event.delivery.id])
        if left_out:
            count = f"{len(left_out):,} step{'' if len(left_out) == 1 else 's'}"
            self._echo(f"    {lines.GLYPHS['skipped']} {count} after it skipped")

    def _delivery(self, event: DeliveryFinished, compared: str) -> None:
        """Print a delivery: request, outcome, and the comparison or the answer."""
        delivery = event.delivery
        request = lines.in_line(request_line(delivery))
        self._echo(
            f"{_INDENT}{delivery.id}: {request} -> {_outcome(delivery)}  {delivery.timings.total:.0f} ms"
        )
        if event.judgement is not None and event.judgement.verdict not in ("failed", "errored"):
            if by := lines.expected_by(event.judgement):
                self._echo(f"{_INDENT}{event.judgement.verdict}: as {by}")
            # Of a failed delivery, the step's reasons have the violations already.
            for line in lines.cut([lines.violation(each) for each in event.judgement.violations], _SAID):
                self._echo(f"{_INDENT}the answer breaks the contract: {line}")
        if compared:
            for line in lines.cut(compared.split("\n"), _COMPARED):
                self._echo(_INDENT + line)
        elif delivery.response is not None and delivery.response.body:
            answer = _answer(delivery.response)
            if not _is_told(answer, event.judgement):
                self._echo(f"{_INDENT}answer: {lines.visible(answer)}")

    def _side_by_side(self, event: DeliveryFinished) -> str:
        delivery, judgement = event.delivery, event.judgement
        if judgement is None or judgement.expectation is None or not judgement.differences:
            return ""
        if delivery.response is None or len(delivery.response.body) > LARGE_BODY:
            # Aligning a large body takes as long as judging it did, and here it would delay other deliveries.
            return ""
        if lines.is_told_by_rules(judgement):
            return ""
        from retailops_sandbox.reporting.render import sidebyside_text  # Only what differs needs it.

        width = self._width - len(_INDENT)
        return sidebyside_text.compared(delivery, judgement, event.contract, width=width, colour=self._colour)

    def _style(self, text: str, verdict: Verdict) -> str:
        return click.style(text, fg=COLOURS[verdict]) if self._colour else text


def _cause(result: ScenarioResult) -> str:
    """The fault by which a scenario ended; empty for any other verdict."""
    return next((step.reason for step in result.steps if step.verdict == "errored" and step.faults), "")


def _answer(response: Response) -> str:
    """The beginning of a response's body; of markup and of what is no text, what it is."""
    if response.base64 or response.body.lstrip()[:1] == "<":
        from retailops_sandbox.answers import content

        return content.of(response).words
    text = response.body
    body = " ".join(text[: 4 * _ANSWER].split())
    more = f" … ({len(text)} characters)" if len(body) > _ANSWER or len(text) > 4 * _ANSWER else ""
    return body[:_ANSWER] + more


def _is_told(answer: str, judgement: Judgement | None) -> bool:
    """Whether the violations say already what the answer is."""
    found = judgement.violations if judgement is not None else ()
    return any(answer == words for each in found for words in (each.message, *each.hints))


def _outcome(delivery: Delivery) -> str:
    if delivery.fault is not None:
        return f"fault {delivery.fault.kind}"  # its message is the reason of the step
    outcome = lines.outcome(delivery)
    if not delivery.redirects:
        return outcome
    return f"{outcome} after {lines.visible('; '.join(map(lines.redirect, delivery.redirects)))}"
