"""The rows of an aligned comparison. sidebyside.py makes them; console, HTML report and browser show them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from retailops_sandbox.reporting.render.changed_words import Span
from retailops_sandbox.reporting.render.items import ItemWords

LineKind = Literal["same", "ignored", "missing", "unexpected", "changed", "type", "inside"]
CardKind = Literal["pair", "only expected", "only actual"]
_GLYPHS = {"missing": "-", "unexpected": "+", "changed": "✗", "type": "✗", "inside": "✗"}
_WORDS = {"inside": "differs inside", "type": "other type"}
_SAME = "✓"


class Side(msgspec.Struct, frozen=True):
    """The value of one side at a place: its pointer into the body and its text."""

    pointer: str
    spans: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One place of both bodies. A side without a value is None; kind `inside` is a heading of deeper rows."""

    depth: int
    label: str
    kind: LineKind
    expected: Side | None
    actual: Side | None
    rule: str = ""
    """Path and spelling of the rule that applied."""
    matcher: str = ""
    """The same rule in short, without its path: `regex ^ERR`."""
    rule_pointer: str | None = None
    """Where a rule for the value stands, as a pointer into the expected body; None where none can."""
    row: Literal["line"] = "line"

    @property
    def glyph(self) -> str:
        return _GLYPHS.get(self.kind, _SAME)

    @property
    def word(self) -> str:
        return _WORDS.get(self.kind, self.kind)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """An expected item of a set-like array with its actual counterpart, or one of them alone."""

    kind: CardKind
    same: bool
    moved: bool
    moved_matters: bool
    """Whether a rule `ordered` makes the move a difference."""
    noun: str
    """What the item is: `event`."""
    item: ItemWords
    """What the item says, the expected one where there is one."""
    answered_code: str = ""
    """The actual item's code, where both are there and their codes differ."""
    expected_pointer: str | None
    actual_pointer: str | None
    array_pointer: str
    """The array's pointer into the expected body."""
    rows: tuple[Row, ...]
    hint: str = ""
    row: Literal["card"] = "card"

    @property
    def glyph(self) -> str:
        if self.kind == "pair":
            return _SAME if self.same and not self.moved_matters else _GLYPHS["inside"]
        return _GLYPHS["missing" if self.kind == "only expected" else "unexpected"]

    @property
    def word(self) -> str:
        if self.kind == "pair":
            return "same" if self.same and not self.moved_matters else "differs"
        return "missing" if self.kind == "only expected" else "unexpected"

    @property
    def code(self) -> str:
        """`ERR1409`, or `ERR1409 → ERR1001` where it changed; empty for an item without one."""
        return f"{self.item.code or 'none'} → {self.answered_code}" if self.answered_code else self.item.code

    @property
    def words(self) -> str:
        """The rest of the item's one line: what it is, what it says, what is in it."""
        if self.kind == "pair":
            told = f"{self.noun} {_number(self.expected_pointer)}{self._move}"
        elif self.item.message:
            told = f"{self.word} {self.noun}: {self.item.message}"
        else:
            told = f"{self.word} {self.noun}"
        return f"{told} · {self.item.about}" if self.item.about else told

    @property
    def _move(self) -> str:
        if not self.moved:
            return ""
        matters = "against the rule ordered" if self.moved_matters else "the order does not matter"
        return f", answered as number {_number(self.actual_pointer)} ({matters})"


class Cards(msgspec.Struct, frozen=True, kw_only=True):
    """A set-like array."""

    depth: int
    label: str
    expected_pointer: str
    actual_pointer: str
    cards: tuple[Card | Fold, ...]
    rule: str = ""
    matcher: str = ""
    wanted: str = ""
    """What the rule wants of the items, where one decides on all of them: `no event with status "error"`."""
    row: Literal["cards"] = "cards"


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring places without a difference, folded. `rows` may hold only the first of them."""

    depth: int
    count: int
    what: str
    """What is folded, in the plural where it is more than one: `members`."""
    rows: tuple[Line | Cards | Card, ...]
    row: Literal["fold"] = "fold"

    @property
    def word(self) -> str:
        return f"{self.count:,} more {self.what} alike"


Row: TypeAlias = Line | Cards | Fold


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A whole comparison, ready to be shown."""

    rows: tuple[Row, ...]
    differences: int
    notes: tuple[str, ...] = ()
    left_out: int = 0
    """The number of rows beyond MOST_ROWS."""


def _number(pointer_: str | None) -> int:
    """The number of an item, from 1, by its pointer."""
    return int((pointer_ or "").rpartition("/")[2]) + 1
