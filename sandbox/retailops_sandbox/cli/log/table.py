"""Rows in columns, for a terminal and for `grep`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from retailops_sandbox.reporting.render.delivery_text import verdict
from retailops_sandbox.reporting.render.lines import in_line
from retailops_sandbox.reporting.reporters.console import COLOURS

_GAP = "  "


def lines(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = (), colour: bool = False
) -> list[str]:
    """The rows in columns, beneath `head`. The columns named in `right` are aligned right."""
    cells = [[in_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]

    def padded(row: Sequence[str]) -> list[str]:
        return [
            cell.rjust(width) if name in right else cell.ljust(width)
            for name, cell, width in zip(head, row, widths, strict=True)
        ]

    first = _GAP.join(padded(head)).rstrip()
    table = [click.style(first, dim=True) if colour else first]
    for row in cells:
        words = padded(row)
        words[-1] = words[-1].rstrip()
        if colour:
            words = [_tinted(cell, word) for cell, word in zip(row, words, strict=True)]
        table.append(_GAP.join(words).rstrip())
    return table


def _tinted(cell: str, padded: str) -> str:
    word = cell.partition(" ")[2]
    return click.style(padded, fg=COLOURS[word]) if word in COLOURS and cell == verdict(word) else padded
