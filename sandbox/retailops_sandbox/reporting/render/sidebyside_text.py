"""The rows of a comparison as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from unicodedata import combining, east_asian_width

from retailops_sandbox.contracts.contract import Contract
from retailops_sandbox.foreign_text import WHOLE, place, visible
from retailops_sandbox.model import Delivery, Judgement
from retailops_sandbox.reporting.render import sidebyside
from retailops_sandbox.reporting.render.comparison_rows import Card, Cards, Fold, Line, Row, Side, View

_NARROW = 80
"""The fewest columns for two sides beside each other."""
_RED, _EXPECTED, _ANSWERED, _DIM, _PLAIN = "\x1b[31m", "\x1b[35m", "\x1b[36m", "\x1b[2m", "\x1b[0m"
_COLOURS = {"✗": _RED, "-": _EXPECTED, "+": _ANSWERED, "✓": _DIM}
"""Red is for a verdict alone; the two sides have neutral colours."""


def compared(delivery: Delivery, judgement: Judgement, agreed: Contract, *, width: int, colour: bool) -> str:
    """A delivery's answer beside what was expected; empty where its body does not differ."""
    try:
        view = sidebyside.of(delivery, judgement, agreed.arrays)
    except sidebyside.NotTriedAgain as error:
        return visible(f"not shown beside each other: {error}")
    return text(view, width=width, colour=colour) if view is not None and view.differences else ""


def text(view: View, *, width: int = 100, colour: bool = False) -> str:
    """The comparison in lines of at most `width` columns where words allow it, expected left, actual right.

    Without colour, what changed inside a string is in `[-...-]` and `{+...+}`.
    """
    printer = _Printer(max(width, 40), colour)
    lines = [line for row in view.rows for line in printer.row(row, 0)]
    lines += [printer.tinted("✓", visible(f"note: {note}")) for note in view.notes]
    if view.left_out:
        lines.append(f"{view.left_out:,} more rows are not shown")
    return "\n".join(lines)


class _Printer:
    def __init__(self, width: int, colour: bool) -> None:
        self._width = width
        self._colour = colour

    def tinted(self, glyph: str, words: str) -> str:
        return f"{_COLOURS[glyph]}{words}{_PLAIN}" if self._colour and words else words

    def row(self, row: Row | Card, indent: int) -> Iterator[str]:
        if isinstance(row, Line):
            yield from self._line(row, indent)
        elif isinstance(row, Fold):
            yield self.tinted("✓", f"{'  ' * (indent + row.depth)}✓ {row.word}")
        elif isinstance(row, Cards):
            start = indent + row.depth
            yield f"{'  ' * start}{row.label or WHOLE}{_rule(row.rule)}"
            for card in row.cards:
                yield from self.row(card, start if isinstance(card, Card) else indent)
        else:
            yield from self._card(row, indent + 1)

    def _card(self, card: Card, indent: int) -> Iterator[str]:
        start = "  " * indent
        at = {"only expected": card.expected_pointer, "only actual": card.actual_pointer}.get(card.kind)
        facts = (card.glyph, card.code, card.words, place(at or ""))
        yield self.tinted(card.glyph, f"{start}{' '.join(filter(None, facts))}")
        if card.hint:
            yield f"{start}  {visible(card.hint)}"
        is_told = card.same if card.kind == "pair" else bool(card.code or card.item.message)
        if not is_told:
            for row in card.rows:
                yield from self.row(row, indent + 1)

    def _line(self, line: Line, indent: int) -> Iterator[str]:
        start = "  " * (indent + line.depth)
        if line.kind in ("same", "ignored"):
            side = line.actual or line.expected
            value = " ".join(side.text.split()) if side is not None else ""
            shown = f"{start}✓ {line.label}  {value}"[: self._width]
            yield self.tinted("✓", shown) + _rule(line.rule)
            return
        if line.label:
            yield self.tinted(line.glyph, f"{start}{line.glyph} {line.word}  {line.label}") + _rule(line.rule)
        if line.kind != "inside":
            yield from self._sides(line.expected, line.actual, f"{start}    " if line.label else start)

    def _sides(self, expected: Side | None, actual: Side | None, start: str) -> Iterator[str]:
        room = self._width - len(start)
        if room < _NARROW or expected is None or actual is None:
            for side, glyph in ((expected, "-"), (actual, "+")):
                if side is not None:
                    for words, _ in self._wrapped(side, glyph, max(room - 2, 20)):
                        yield f"{start}{glyph} {words}"
            return
        column = (room - 3) // 2
        left, right = self._wrapped(expected, "-", column), self._wrapped(actual, "+", column)
        for at in range(max(len(left), len(right))):
            words, columns = left[at] if at < len(left) else ("", 0)
            other = right[at][0] if at < len(right) else ""
            yield f"{start}{words}{' ' * (column - columns)} | {other}".rstrip()

    def _wrapped(self, side: Side, glyph: str, width: int) -> list[tuple[str, int]]:
        """The lines of a side, with the columns that each takes."""
        lines: list[list[tuple[str, bool]]] = [[]]
        columns = [0]
        for character, changed in self._characters(side, glyph):
            taken = _columns(character)
            if character == "\n" or columns[-1] + taken > width:
                lines.append([])
                columns.append(0)
            if character != "\n":
                lines[-1].append((character, changed))
                columns[-1] += taken
        return [(self._painted(line, glyph), taken) for line, taken in zip(lines, columns, strict=True)]

    def _characters(self, side: Side, glyph: str) -> Iterator[tuple[str, bool]]:
        for span in side.spans:
            shown = span.text
            if span.changed and not self._colour and len(side.spans) > 1:
                shown = f"[-{shown}-]" if glyph == "-" else f"{{+{shown}+}}"
            yield from ((character, span.changed) for character in shown)

    def _painted(self, line: list[tuple[str, bool]], glyph: str) -> str:
        runs = groupby(line, key=lambda each: each[1])
        texts = ((changed, "".join(character for character, _ in run)) for changed, run in runs)
        return "".join(self.tinted(glyph, words) if changed else words for changed, words in texts)


def _rule(rule: str) -> str:
    return f"  [rule {visible(rule)}]" if rule else ""


def _columns(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
