"""The aligned comparison as rows: the same ones for console, HTML report and browser.

A renderer loops over `view.rows`, each of which has a `row`: "line", "fold" (neighbouring rows without a
difference) or "cards" (a set-like array, with its items side by side, each with rows of its own).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET

from retailops_sandbox import foreign_text, jsontext, redaction
from retailops_sandbox.assignment import longest_common
from retailops_sandbox.comparing import NO_SETS
from retailops_sandbox.comparing.aligning import align
from retailops_sandbox.comparing.differences import listed
from retailops_sandbox.comparing.matchers import RuleError
from retailops_sandbox.comparing.node import NOTHING_KNOWN, Kind, Node, known_differences, settle
from retailops_sandbox.comparing.rules import NO_RULES, Rules, compile_rules, whole_scope
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.foreign_text import in_text, visible
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Delivery, Difference, Json, Judgement
from retailops_sandbox.patterns import Budget
from retailops_sandbox.reporting.render.lines import place

MOST_ROWS = 2_000
MOST_IN_FOLD = 50
MOST_TEXT = 20_000
"""Characters of one value."""
MOST_WORDS = 4_000_000
"""The most words of one string times words of the other; beyond, both are marked as changed."""

LineKind = Literal["same", "ignored", "missing", "unexpected", "changed", "type", "inside"]
CardKind = Literal["pair", "only expected", "only actual"]
_GLYPHS = {"missing": "-", "unexpected": "+", "changed": "~", "type": "~", "inside": "~"}
_WORDS = {"inside": "differs inside", "type": "other type"}


class Span(msgspec.Struct, frozen=True):
    """A piece of text, marked where it changed."""

    text: str
    changed: bool = False


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
    row: Literal["line"] = "line"

    @property
    def glyph(self) -> str:
        return _GLYPHS.get(self.kind, "=")

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
    identity: tuple[tuple[str, str], ...]
    """The identity fields of the item and their values, the expected ones where there are any."""
    expected_pointer: str | None
    actual_pointer: str | None
    rows: tuple[Row, ...]
    hint: str = ""
    row: Literal["card"] = "card"

    @property
    def glyph(self) -> str:
        if self.kind == "pair":
            return "=" if self.same else "~"
        return "-" if self.kind == "only expected" else "+"

    @property
    def word(self) -> str:
        if self.kind == "pair":
            return "same" if self.same else "differs"
        return "missing" if self.kind == "only expected" else "unexpected"


class Cards(msgspec.Struct, frozen=True, kw_only=True):
    """A set-like array."""

    depth: int
    label: str
    expected_pointer: str
    actual_pointer: str
    cards: tuple[Card | Fold, ...]
    rule: str = ""
    row: Literal["cards"] = "cards"


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring places without a difference, folded. `rows` may hold only the first of them."""

    depth: int
    count: int
    what: Literal["line", "item"]
    rows: tuple[Line | Cards | Card, ...]
    row: Literal["fold"] = "fold"

    @property
    def word(self) -> str:
        return f"{self.count:,} unchanged {self.what}{'' if self.count == 1 else 's'}"


Row: TypeAlias = Line | Cards | Fold


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A whole comparison, ready to be shown."""

    rows: tuple[Row, ...]
    differences: int
    notes: tuple[str, ...] = ()
    left_out: int = 0
    """The number of rows beyond MOST_ROWS."""


class NotTriedAgain(SandboxError):
    """A comparison that is shown as it was judged, because one of its rules is not tried again."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"the rule {path} is not tried again: {why}")


def view(
    expected: Json,
    actual: Json,
    rules: Rules = NO_RULES,
    sets: Mapping[str, tuple[str, ...]] = NO_SETS,
    known: Mapping[tuple[str, str], Kind] = NOTHING_KNOWN,
) -> View:
    """Two bodies side by side, with the rules and set-like arrays that they were compared with.

    `known` are the differences that were found before something was struck out.
    """
    root = align(expected, actual, whole_scope(rules, sets))
    settle(root, known)
    told = listed(root)
    hints = {
        each.expected_pointer: each.hint for each in told.differences if each.hint and each.kind == "missing"
    }
    rower = _Rower(hints)
    rows = rower.rows([_Place(root, "", "", "")], 0)
    return View(rows=rows, differences=root.cost, notes=told.notes, left_out=rower.left_out)


def of(
    delivery: Delivery, judgement: Judgement, sets: Mapping[str, tuple[str, ...]] = NO_SETS
) -> View | None:
    """A delivery's answer beside the expected body; None where either is missing or not JSON.

    Raises NotTriedAgain where a rule cannot be tried as it was when the delivery was judged.
    """
    expectation = redaction.listing.expectation(judgement)
    if expectation is None or expectation.body is UNSET or delivery.fault is not None:
        return None
    try:
        actual = redaction.listing.answered(delivery)
    except SourceError:
        # The violations say already that the body is not JSON.
        return None
    known = known_differences(judgement.differences)
    try:
        rules = compile_rules(expectation.rules)
    except RuleError as error:
        raise NotTriedAgain(error.path, error.what) from error
    rules.share(Budget())  # once one is given up, the others would be tried for nothing
    found = view(expectation.body, actual, rules, sets, known)
    if rules.given_up is not None:
        raise NotTriedAgain(rules.given_up.path, "its search takes too long")
    return found


def of_difference(found: Difference) -> Line:
    """One difference by itself, its place as the label."""
    expected = () if found.expected is UNSET else _plain(_pretty(found.expected), True)
    actual = () if found.actual is UNSET else _plain(_pretty(found.actual), True)
    if isinstance(found.expected, str) and isinstance(found.actual, str):
        expected, actual = changed_words(_pretty(found.expected), _pretty(found.actual))
    return Line(
        depth=0,
        label=visible(place(found)),
        kind="changed" if found.kind == "moved" else found.kind,
        expected=Side(found.expected_pointer or "", expected) if expected else None,
        actual=Side(found.actual_pointer or "", actual) if actual else None,
        rule="" if found.rule is None else visible(f"{found.rule_path or '(root)'} {_compact(found.rule)}"),
    )


# --- From the alignment to rows -----------------------------------------------------------------------


class _Place(msgspec.Struct, frozen=True):
    node: Node
    label: str
    expected: str
    actual: str


class _Rower:
    def __init__(self, hints: Mapping[str | None, str]) -> None:
        self._hints = hints
        self._room = MOST_ROWS
        self.left_out = 0

    def rows(self, places: Iterable[_Place], depth: int) -> tuple[Row, ...]:
        """The rows of several places, with neighbours that do not differ folded."""
        found: list[Row] = []
        for quiet, run in groupby(places, key=lambda place: not place.node.cost):
            group = list(run)
            if not quiet:
                for place in group:
                    found += self._place(place, depth)
            elif len(group) == 1 and not group[0].node.children:
                found += [_line(group[0], depth)] if self._has_room() else []
            elif self._has_room():
                shown = tuple(_line(place, depth) for place in group[:MOST_IN_FOLD])
                found.append(Fold(depth=depth, count=len(group), what="line", rows=shown))
        return tuple(found)

    def _has_room(self) -> bool:
        if not self._room:
            self.left_out += 1
            return False
        self._room -= 1
        return True

    def _place(self, place: _Place, depth: int) -> Sequence[Row]:
        """The rows of a place where something differs."""
        if place.expected == "" and place.node.children and not place.node.set_like:
            return self.rows(_beneath(place), depth)
        if not self._has_room():
            return ()
        if place.node.set_like:
            return [self._cards(place, depth)]
        if not place.node.children:
            return [_line(place, depth)]
        heading = Line(
            depth=depth,
            label=place.label,
            kind="inside",
            expected=Side(place.expected),
            actual=Side(place.actual),
            rule=_rule(place.node),
        )
        return [heading, *self.rows(_beneath(place), depth + 1)]

    def _cards(self, place: _Place, depth: int) -> Cards:
        cards: list[Card | Fold] = []
        for quiet, run in groupby(_beneath(place), key=lambda item: not (item.node.cost or item.node.moved)):
            group = list(run)
            if not quiet:
                cards += [self._card(item, place.node) for item in group if self._has_room()]
            elif self._has_room():
                shown = tuple(self._card(item, place.node) for item in group[:MOST_IN_FOLD])
                cards.append(Fold(depth=depth + 1, count=len(group), what="item", rows=shown))
        return Cards(
            depth=depth,
            label=place.label,
            expected_pointer=place.expected,
            actual_pointer=place.actual,
            cards=tuple(cards),
            rule=_rule(place.node),
        )

    def _card(self, item: _Place, array: Node) -> Card:
        node = item.node
        if node.kind == "object":
            rows = self.rows(_beneath(item), 0)
        else:
            rows = (_line(msgspec.structs.replace(item, label=""), 0),)
        has_expected, has_actual = node.expected is not UNSET, node.actual is not UNSET
        return Card(
            kind="pair"
            if has_expected and has_actual
            else "only expected"
            if has_expected
            else "only actual",
            same=not node.cost,
            moved=node.moved,
            moved_matters=node.moved and array.keeps_order,
            identity=_identity(node, array),
            expected_pointer=item.expected if has_expected else None,
            actual_pointer=item.actual if has_actual else None,
            rows=rows,
            hint=self._hints.get(item.expected, "") if node.kind == "missing" else "",
        )


def _beneath(place: _Place) -> list[_Place]:
    found = []
    for child in place.node.children:
        expected = f"{place.expected}/{pointer.escape(child.expected_token)}"
        actual = f"{place.actual}/{pointer.escape(child.actual_token)}"
        token = child.actual_token if child.expected is UNSET else child.expected_token
        found.append(_Place(child, visible(foreign_text.place(str(token))) or '""', expected, actual))
    return found


def _identity(item: Node, array: Node) -> tuple[tuple[str, str], ...]:
    value = item.actual if item.expected is UNSET else item.expected
    fields = (array.scope.identity or ()) if array.scope is not None else ()
    if not isinstance(value, dict):
        return ()
    return tuple((field, _compact(value[field])) for field in fields if field in value)


def _line(place: _Place, depth: int) -> Line:
    node = place.node
    kind = _line_kind(node)
    expected, actual = _texts(node, kind)
    return Line(
        depth=depth,
        label=place.label,
        kind=kind,
        expected=Side(place.expected, expected) if expected else None,
        actual=Side(place.actual, actual) if actual else None,
        rule=_rule(node),
    )


def _line_kind(node: Node) -> LineKind:
    if node.kind == "object" or node.kind == "array":
        return "inside" if node.cost else "same"
    return node.kind


def _rule(node: Node) -> str:
    return (
        f"{node.matcher.path or '(root)'} {_compact(node.matcher.rule)}" if node.matcher is not None else ""
    )


def _texts(node: Node, kind: LineKind) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    expected = "" if node.expected is UNSET else _pretty(node.expected)
    actual = "" if node.actual is UNSET else _pretty(node.actual)
    if kind in ("same", "ignored", "inside"):
        return _plain(expected, False), _plain(actual, False)
    if isinstance(node.expected, str) and isinstance(node.actual, str):
        return changed_words(expected, actual)
    return _plain(expected, True), _plain(actual, True)


def _plain(text: str, changed: bool) -> tuple[Span, ...]:
    return (Span(text, changed),) if text else ()


def _compact(value: Any) -> str:
    return visible(jsontext.compact(value).decode())


def _pretty(value: Any) -> str:
    text = (
        jsontext.pretty(value)
        if isinstance(value, (dict, list)) and value
        else jsontext.compact(value).decode()
    )
    if len(text) > MOST_TEXT:
        text = f"{text[:MOST_TEXT]}… ({len(text):,} characters)"
    return in_text(text)


# --- Words inside a string ----------------------------------------------------------------------------

_word = re.compile(r"\w+|\s+|[^\w\s]").findall


def changed_words(expected: str, actual: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Two texts as spans, with the words marked that the other does not have in this order."""
    words, actual_words = _word(expected), _word(actual)
    if len(words) * len(actual_words) > MOST_WORDS:
        return _plain(expected, True), _plain(actual, True)
    places: dict[str, int] = {}
    for column, word in enumerate(actual_words):
        places[word] = places.get(word, 0) | 1 << column
    common = longest_common([places.get(word, 0) for word in words], len(actual_words))
    return (
        _spans(words, {row for row, _ in common}),
        _spans(actual_words, {column for _, column in common}),
    )


def _spans(words: Sequence[str], kept: set[int]) -> tuple[Span, ...]:
    changed = [at not in kept for at in range(len(words))]
    for at in range(1, len(words) - 1):  # a space between two changed words reads as one change
        changed[at] = changed[at] or (words[at].isspace() and changed[at - 1] and changed[at + 1])
    runs = groupby(zip(words, changed, strict=True), key=lambda each: each[1])
    return tuple(Span("".join(word for word, _ in run), mark) for mark, run in runs)
