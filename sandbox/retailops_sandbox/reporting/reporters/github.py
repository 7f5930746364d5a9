"""Annotations for GitHub Actions at the steps that failed, and the job's summary.

GitHub Actions reads commands in all that a job prints, so no text of a receiver or a file may look like one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from retailops_sandbox.engine import ScenarioResult, StepResult
from retailops_sandbox.errors import SandboxError, shortened
from retailops_sandbox.foreign_text import in_text, quoted
from retailops_sandbox.reporting.render import lines
from retailops_sandbox.reporting.reporters.reporter import FinishedRun, Reporter

MOST_ANNOTATIONS = 10
"""The most annotations that GitHub shows of one step."""
MOST_SUMMARY = 1024 * 1024
"""Bytes; GitHub refuses a summary that has more, all of it."""
_LONGEST_MESSAGE = 2_000
_LONGEST_CELL = 300
_NOTE = 200
"""Bytes that are kept free for the note that something was left out."""

_punctuation = re.compile(r"[!-/:-@\[-`{-~]")


class GitHub(Reporter):
    """Annotates what failed, and adds to the job's summary."""

    def __init__(
        self, say: Callable[[str], None], complain: Callable[[str], None], environment: Mapping[str, str]
    ) -> None:
        self._say = say
        self._complain = complain
        self._environment = environment

    def finish(self, run: FinishedRun) -> None:
        for line in annotated(run, root=self._environment.get("GITHUB_WORKSPACE") or os.getcwd()):
            self._say(line)
        file = self._environment.get("GITHUB_STEP_SUMMARY")
        if not file:
            return
        try:
            with open(file, "ab") as written:
                written.write(summary(run, room=MOST_SUMMARY - written.tell()).encode())
        except OSError as error:
            self._complain(f"warning: the step summary {file} cannot be written: {error.strerror}")


def annotated(run: FinishedRun, *, root: str) -> list[str]:
    """The commands that annotate failures in files beneath `root`, at most MOST_ANNOTATIONS."""
    return [*_unreadable(run, root), *_incomplete(run, root), *_failed(run, root)][:MOST_ANNOTATIONS]


def _unreadable(run: FinishedRun, root: str) -> Iterator[str]:
    for error in run.unreadable:
        yield annotation(str(error), title="unreadable", file=error.file, line=error.line, root=root)


def _incomplete(run: FinishedRun, root: str) -> Iterator[str]:
    for error in run.incomplete:
        yield annotation(str(error), title="incomplete", file="", line=0, root=root)


def _failed(run: FinishedRun, root: str) -> Iterator[str]:
    against = f"receiver: {lines.receiver(run.receiver)}"
    for result in run.results:
        for step in result.steps:
            if step.verdict in ("failed", "errored"):
                yield annotation(
                    "\n".join([*_said(step), against]),
                    title=f"{result.plan.name}: step {quoted(step.name)} {step.verdict}",
                    file=result.plan.file,
                    line=result.plan.line(step.number) if result.plan.file else 0,
                    root=root,
                )


def _said(step: StepResult) -> list[str]:
    """The headline of a step, followed by all violations and differences if there are several."""
    headline = lines.headline(step)
    found = sum(len(each.differences) + len(each.violations) for each in step.judgements)
    return [headline, *lines.step(step, most=5)] if found > 1 else [headline]


def annotation(message: str, *, title: str, file: str, line: int, root: str) -> str:
    """The command that annotates a line of a file; 0 is the file as a whole."""
    inside = _beneath(root, file)
    properties = {
        **({"file": inside} if inside else {}),
        **({"line": str(line)} if inside and line else {}),
        "title": lines.in_line(title)[:_LONGEST_CELL],
    }
    spelled = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    if file and not inside:
        # A file of no repository, such as a shipped scenario, can be named only in words.
        message = f"{lines.visible(file)}{f':{line}' if line else ''}: {message}"
    return f"::error {spelled}::{_data(in_text(message)[:_LONGEST_MESSAGE])}"


def _beneath(root: str, file: str) -> str:
    """A file's path from the repository's root; empty where it lies elsewhere, or cannot be written out."""
    if not file or not file.isprintable():
        return ""
    real = os.path.realpath(file)
    start = os.path.join(os.path.realpath(root), "")
    return real.removeprefix(start).replace(os.sep, "/") if real.startswith(start) else ""


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# --- the summary ---


def summary(run: FinishedRun, *, room: int = MOST_SUMMARY) -> str:
    """The job's summary in Markdown, in at most `room` bytes: what failed first, and a note if it is cut."""
    results = run.results
    words = lines.scenario_counts(results, run.unreadable, run.incomplete)
    spoiled = [result for result in results if result.verdict in ("failed", "errored")]
    others = [result for result in results if result.verdict not in ("failed", "errored")]
    parts = [f"### RetailOPS sandbox: {', '.join(words) or 'nothing ran'}\n\n"]
    parts.append(f"Receiver: **{_text(lines.receiver(run.receiver))}**, {run.seconds:.2f} s\n\n")
    if change := lines.change(results, run.trends):
        parts.append(f"{_text(change)}\n\n")
    broken = [_broken(error, "unreadable") for error in run.unreadable]
    broken += [_broken(error, "incomplete") for error in run.incomplete]
    parts += _table([*broken, *(row for each in spoiled for row in _rows(each))])
    if others:
        parts.append("<details><summary>The others</summary>\n\n")
        parts += _table([_row(each) for each in others])
        parts.append("</details>\n\n")
    return _cut(parts, room)


def _table(rows: Sequence[tuple[str, str, str, str]]) -> Iterator[str]:
    if not rows:
        return
    yield "| verdict | scenario | what | ms |\n|---|---|---|---:|\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"
    yield "\n"


def _broken(error: SandboxError, word: str) -> tuple[str, str, str, str]:
    return f"! {word}", _text(error.file), _text(str(error)), ""


def _rows(result: ScenarioResult) -> Iterator[tuple[str, str, str, str]]:
    for step in result.steps:
        if step.verdict in ("failed", "errored"):
            word = f"{lines.GLYPHS[step.verdict]} {step.verdict}"
            what = _text(f"step {quoted(step.name)}: {lines.headline(step)}")
            yield word, _named(result), what, f"{step.seconds * 1000:.0f}"


def _row(result: ScenarioResult) -> tuple[str, str, str, str]:
    reason = next((step.reason for step in result.steps if step.reason), "")
    said = (reason, lines.steps_repeated(result), lines.steps_remarks(result))
    reason = "; ".join(filter(None, said))
    word = f"{lines.GLYPHS[result.verdict]} {result.verdict}"
    return word, _named(result), _text(reason), f"{result.seconds * 1000:.0f}"


def _named(result: ScenarioResult) -> str:
    plan = result.plan
    return f"{_text(plan.name)}<br>{_text(plan.id)}" if plan.scenario.name and plan.id else _text(plan.name)


def _text(text: str) -> str:
    """The text as Markdown, with every character escaped that has a meaning there."""
    shown = shortened(lines.in_line(text), _LONGEST_CELL)
    return _punctuation.sub(lambda found: f"&#{ord(found[0])};", shown)


def _cut(parts: Sequence[str], room: int) -> str:
    """The parts that fit into the room, and a note if some do not."""
    kept: list[str] = []
    used = 0
    for part in parts:
        used += len(part.encode())
        if used > room - _NOTE:
            end = "\n</details>\n" if any("<details>" in each for each in kept) else ""
            note = f"{end}\nMore than GitHub takes: the rest is in the job's log and in the other reports.\n"
            return "".join([*kept, note]) if room > _NOTE else ""
        kept.append(part)
    return "".join(kept)
