"""The heat map of a probe: a row for each field, a column for each thing that was done to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from retailops_sandbox import jsontext
from retailops_sandbox.foreign_text import place
from retailops_sandbox.probe.mutations import MUTATIONS
from retailops_sandbox.probe.report import Cell, Outcome, ProbeReport
from retailops_sandbox.reporting.probes import words

_WORST: tuple[Outcome, ...] = ("did not", "to see", "held")


class Column(NamedTuple):
    """One thing that was done to fields."""

    what: str
    heading: str


class Row(NamedTuple):
    """One field."""

    field: str
    name: str
    """The field's last two members, such as `order.id`; its pointer where they are those of another field."""
    cells: Sequence[Cell | None]
    """One for each column; None where that was not tried."""
    worst: Outcome


class HeatMap(NamedTuple):
    """Fields in the order in which they were tried, and what was done to them: mutations first."""

    columns: Sequence[Column]
    rows: Sequence[Row]


def heat_map(report: ProbeReport) -> HeatMap:
    """The heat map of a probe; one without rows where no field was tried."""
    found = {(each.field, each.what): each for each in report.cells}
    tried = dict.fromkeys(each.what for each in report.cells)
    mutations = [each.key for each in MUTATIONS if each.key in tried]
    whats = [*mutations, *(each for each in tried if each not in mutations)]
    fields = list(dict.fromkeys(each.field for each in report.cells))
    names = Counter(map(_name, fields))
    rows = [
        _row(
            field,
            _name(field) if names[_name(field)] == 1 else words.field_name(field),
            [found.get((field, what)) for what in whats],
        )
        for field in fields
    ]
    return HeatMap([Column(what, words.heading(what)) for what in whats], rows)


def _name(field: str) -> str:
    """The last two members of a pointer, an item of an array as `lines[0]`."""
    members: list[str] = []
    for token in jsontext.pointer.parse(field):
        if members and (token.isdigit() or token == "*"):
            members[-1] += f"[{token}]"
        else:
            members.append(token)
    return place(".".join(members[-2:])) or words.field_name(field)


def _row(field: str, name: str, cells: Sequence[Cell | None]) -> Row:
    outcomes = {each.outcome for each in cells if each is not None}
    return Row(field, name, cells, next(each for each in _WORST if each in outcomes))


def glyph(cell: Cell) -> str:
    """What stands in a cell: what came back, else the glyph of its outcome."""
    return cell.shown or words.OUTCOME_GLYPHS[cell.outcome]


def said(cell: Cell) -> str:
    """A cell in words: `/data/order/id: null: did not, 5xx`."""
    shown = f", {cell.shown}" if cell.shown else ""
    return f"{words.field_name(cell.field)}: {words.heading(cell.what)}: {cell.outcome}{shown}"
