"""What the page shows of a report: its verdict, areas, causes, and the map of fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from retailops_sandbox.model import Verdict
from retailops_sandbox.probe.probes import AREAS, Area
from retailops_sandbox.probe.probing import ProbeOutline
from retailops_sandbox.probe.report import AreaScore, Cell, Finding, Outcome, ProbeReport
from retailops_sandbox.reporting.probes import heatmap, words
from retailops_sandbox.reporting.probes.words import ProbeVerdict
from retailops_sandbox.scenarios.scenario import SUFFIX
from retailops_sandbox.workspace.names import free_name
from retailops_sandbox.workspace.undo import ended

NEW = "new"
"""The filter that leaves the causes that the probe before did not find."""
TABLE = "table"
"""The view of the fields as a table."""
_LONGEST_NAME = 60

_ABOUT: dict[Area, str] = {
    "contract": "Each documented field missing, null, empty, of another type, far too long",
    "repetition": "The same request again, at once, and after others",
    "transport": "Bodies, headers and methods as careless clients send them",
    "auth": "Wrong proofs of the sender, each to be refused",
    "speed": "One at a time, then several at once",
    "answers": "What each answer says, and gives away",
}


class Bar(msgspec.Struct, frozen=True):
    """A part of an area's bar, in percent of its width."""

    verdict: Verdict
    x: float
    width: float


class AreaCard(msgspec.Struct, frozen=True, kw_only=True):
    """An area: what it tries, how many requests that takes, and how they came out."""

    name: str
    about: str
    planned: int | None = None
    """The number of requests; None where none are sent for it, or nothing is about to be sent."""
    score: AreaScore | None = None
    """None before a probe."""
    counts: Sequence[tuple[Outcome, int]] = ()
    bars: Sequence[Bar] = ()


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A finding in the list."""

    number: int
    """Its place among all findings, from 1."""
    finding: Finding
    verdict: Verdict
    """The verdict with the glyph and colour of its outcome."""
    evidence: str
    """What was seen, with a full stop."""
    label: str
    rests_on: str
    """What the label means, and the source."""
    is_open: bool
    file_name: str
    """The proposed name of a scenario's file, or the one that was typed."""
    problem: str = ""
    """Why it was not saved as a scenario; empty where nobody tried."""
    saved_as: str = ""
    """The name of the scenario file that has it already; empty where none was found."""


class FieldCell(msgspec.Struct, frozen=True):
    """A field and one thing that was done to it."""

    cell: Cell
    verdict: Verdict
    """The verdict with the colour of its outcome."""
    glyph: str
    field: str
    what: str


class MapRow(msgspec.Struct, frozen=True):
    """A field in the map."""

    pointer: str
    name: str
    """A short name that no other field has."""
    cells: Sequence[FieldCell | None]
    """One for each column; None where that was not tried."""


class FieldMap(msgspec.Struct, frozen=True):
    """The map of the fields and what was done to them."""

    columns: Sequence[str]
    rows: Sequence[MapRow]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A report as the page shows it."""

    report: ProbeReport
    verdict: ProbeVerdict
    tried: str
    not_compared: str
    """Why it is compared with no other; empty where it is."""
    areas: Sequence[AreaCard]
    findings: Sequence[FindingRow]
    """Those that the filter accepts."""
    only_new: bool
    new: int
    """The number of new findings."""
    as_table: bool
    map: FieldMap | None
    """None where the fields are shown as a table."""
    cells: Sequence[FieldCell]
    """The cells of the table, worst first; empty where they are shown as a map."""
    contract_source: str
    """Where the contract comes from; empty where no finding rests on it."""
    left_out: str
    notes: Sequence[str]
    """What it could not see, of which the first holds for every probe."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of a page asks for."""

    show: str = ""
    """`new`, or empty for all findings."""
    view: str = ""
    """`table`, or empty for the map."""
    finding: str = ""
    """The key of the finding that is open."""


class SaveAttempt(msgspec.Struct, frozen=True):
    """A finding that could not be saved as a scenario."""

    finding: str
    file_name: str
    problem: str


def result_of(
    report: ProbeReport,
    asked: Asked,
    saved: Callable[[str], str | None],
    attempt: SaveAttempt | None = None,
    *,
    coming: Collection[Area] = (),
) -> Result:
    """The result that a page shows.

    `saved` is the text of the scenario file of a name, None where there is none. `coming` are areas that
    have their place also where nothing of them was tried yet.
    """
    rows = [_finding(number, each, asked, saved, attempt) for number, each in enumerate(report.findings, 1)]
    only_new = asked.show == NEW and bool(report.compared_with)
    as_table = asked.view == TABLE
    return Result(
        report=report,
        verdict=words.verdict(report),
        tried=words.tried(report),
        not_compared="" if report.compared_with else words.NOT_COMPARED,
        areas=[_card(each) for each in _scores(report, coming)],
        findings=[row for row in rows if not only_new or row.finding.state == "new"],
        only_new=only_new,
        new=sum(each.state == "new" for each in report.findings),
        as_table=as_table,
        map=None if as_table else _map(report),
        cells=_worst_first(report.cells) if as_table else (),
        contract_source=words.contract_source(report),
        left_out=words.left_out(report),
        notes=words.notes(report),
    )


def planned_areas(outline: ProbeOutline) -> list[AreaCard]:
    """The areas before a probe, with the number of requests of each."""
    cards = []
    for area in AREAS:
        count = outline.areas.get(area, 0)
        if count or area == "answers":
            planned = count if area != "answers" else None
            cards.append(AreaCard(name=words.AREA_NAMES[area], about=_ABOUT[area], planned=planned))
    return cards


def short_names(pointers: Sequence[str]) -> dict[str, str]:
    """A short name for each pointer, by which no two are alike: its last members, with dots between them."""
    parts = {each: _parts(each) for each in pointers}
    names: dict[str, str] = {}
    for pointer, own in parts.items():
        tails = (own[-length:] for length in range(min(2, len(own)), len(own)))
        tail = next((each for each in tails if _ending(parts.values(), each) == 1), own)
        names[pointer] = ".".join(tail) or words.field_name(pointer)
    return names


def _ending(parts: Iterable[list[str]], tail: list[str]) -> int:
    """How many pointers end in these members."""
    return sum(each[-len(tail) :] == tail for each in parts)


def _parts(pointer: str) -> list[str]:
    """The members of a pointer; the index of an item belongs to its array."""
    found: list[str] = []
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if found and (name.isdecimal() or name == "*"):
            found[-1] += f"[{name}]"
        else:
            found.append(name)
    return found


def _finding(
    number: int,
    finding: Finding,
    asked: Asked,
    saved: Callable[[str], str | None],
    attempt: SaveAttempt | None,
) -> FindingRow:
    taken: dict[str, str] = {}

    def is_taken(name: str) -> bool:
        text = saved(name)
        if text is not None:
            taken[name] = text
        return text is not None

    free = free_name(_file_name(finding.title), is_taken)
    kept = ended(finding.smallest.scenario) if finding.smallest.scenario else None
    tried = attempt if attempt is not None and attempt.finding == finding.key else None
    rests_on = words.LABEL_WORDS[finding.label]
    source = words.own_source(finding)
    return FindingRow(
        number=number,
        finding=finding,
        verdict=words.OUTCOME_VERDICTS[words.outcome(finding)],
        evidence=finding.evidence if finding.evidence.endswith(".") else f"{finding.evidence}.",
        label=words.label(finding),
        rests_on=f"{rests_on}: {source}" if source else rests_on,
        is_open=tried is not None or finding.key == asked.finding,
        file_name=tried.file_name if tried is not None else free,
        problem=tried.problem if tried is not None else "",
        saved_as=next((name + SUFFIX for name, text in taken.items() if text == kept), ""),
    )


def _file_name(title: str) -> str:
    """A name for a scenario's file, made of a sentence."""
    letters = "".join(each if each.isascii() and each.isalnum() else " " for each in title.casefold())
    name = "-".join(letters.split())
    return name[:_LONGEST_NAME].strip("-").removesuffix(SUFFIX) or "finding"


def _scores(report: ProbeReport, coming: Collection[Area]) -> list[AreaScore]:
    known = {each.area: each for each in report.areas}
    wanted = [each for each in AREAS if each in known or each in coming]
    return [known.get(each, AreaScore(area=each)) for each in wanted]


def _card(score: AreaScore) -> AreaCard:
    counts = words.counts(score)
    total = sum(count for _, count in counts) or 1
    bars, x = [], 0.0
    for outcome, count in counts:
        width = 100 * count / total
        bars.append(Bar(words.OUTCOME_VERDICTS[outcome], round(x, 2), round(width, 2)))
        x += width
    return AreaCard(
        name=words.AREA_NAMES[score.area], about=_ABOUT[score.area], score=score, counts=counts, bars=bars
    )


_WORST: dict[Outcome, int] = {"did not": 0, "to see": 1, "held": 2}


def _worst_first(cells: Sequence[Cell]) -> list[FieldCell]:
    return [_cell(each) for each in sorted(cells, key=lambda each: _WORST[each.outcome])]


def _map(report: ProbeReport) -> FieldMap:
    made = heatmap.heat_map(report)
    names = short_names([row.field for row in made.rows])
    rows = [
        MapRow(row.field, names[row.field], [None if each is None else _cell(each) for each in row.cells])
        for row in made.rows
    ]
    return FieldMap([column.heading for column in made.columns], rows)


def _cell(cell: Cell) -> FieldCell:
    return FieldCell(
        cell=cell,
        verdict=words.OUTCOME_VERDICTS[cell.outcome],
        glyph=heatmap.glyph(cell),
        field=words.field_name(cell.field),
        what=words.heading(cell.what),
    )
