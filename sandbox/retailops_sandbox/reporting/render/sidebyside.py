"""The aligned comparison as rows: the same ones for console, HTML report and browser.

A renderer loops over `view.rows`, each of which has a `row`: "line", "fold" (neighbouring rows without a
difference) or "cards" (a set-like array, such as the events, with its items side by side, each with rows of
its own).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import msgspec
from msgspec import UNSET

from retailops_sandbox import foreign_text, jsontext, redaction
from retailops_sandbox.comparing import NO_SETS
from retailops_sandbox.comparing.aligning import align
from retailops_sandbox.comparing.differences import listed
from retailops_sandbox.comparing.matchers import RuleError
from retailops_sandbox.comparing.node import NOTHING_KNOWN, Kind, Node, known_differences, settle
from retailops_sandbox.comparing.rules import NO_RULES, Rules, compile_rules, whole_scope
from retailops_sandbox.errors import SandboxError, SourceError
from retailops_sandbox.foreign_text import WHOLE, in_text, visible
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Delivery, Difference, Json, Judgement
from retailops_sandbox.patterns import Budget
from retailops_sandbox.reporting.render.changed_words import Span, changed_words, whole
from retailops_sandbox.reporting.render.comparison_rows import (
    Card,
    CardKind,
    Cards,
    Fold,
    Line,
    LineKind,
    Row,
    Side,
    View,
)
from retailops_sandbox.reporting.render.items import ItemKind, ItemWords
from retailops_sandbox.reporting.render.lines import place

MOST_ROWS = 2_000
MOST_IN_FOLD = 50
MOST_ALIKE = 10
"""The most items without a difference, one after the other, that are not folded."""
MOST_TEXT = 20_000
"""Characters of one value."""


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
    rower = _Rower(hints, sets)
    whole_body = _Place(root, "", "", "", (), "")
    has_members = root.children and not root.set_like
    rows = rower.rows(_beneath(whole_body) if has_members else [whole_body], 0)
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
    expected = () if found.expected is UNSET else whole(value_text(found.expected), changed=True)
    actual = () if found.actual is UNSET else whole(value_text(found.actual), changed=True)
    if isinstance(found.expected, str) and isinstance(found.actual, str):
        expected, actual = changed_words(value_text(found.expected), value_text(found.actual))
    return Line(
        depth=0,
        label=visible(place(found)),
        kind="changed" if found.kind == "moved" else found.kind,
        expected=Side(found.expected_pointer or "", expected) if expected else None,
        actual=Side(found.actual_pointer or "", actual) if actual else None,
        rule="" if found.rule is None else visible(f"{found.rule_path or WHOLE} {_compact(found.rule)}"),
    )


# --- From the alignment to rows -----------------------------------------------------------------------


class _Place(msgspec.Struct, frozen=True):
    node: Node
    label: str
    expected: str
    actual: str
    path: tuple[str, ...]
    """The tokens of its pointer, with `*` for the position of an item."""
    rule_pointer: str | None


class _Rower:
    def __init__(self, hints: Mapping[str | None, str], sets: Mapping[str, tuple[str, ...]]) -> None:
        self._hints = hints
        self._sets = {pointer.parse(path): identity for path, identity in sets.items()}
        self._room = MOST_ROWS
        self.left_out = 0

    def rows(self, places: Iterable[_Place], depth: int) -> tuple[Row, ...]:
        """The rows of several places, with neighbours that do not differ folded.

        The items of a set-like array of the body, such as the events, are told where they do not differ, too.
        """
        found: list[Row] = []
        for (quiet, has_items), run in groupby(
            places, key=lambda place: (not place.node.cost, self._has_items(place))
        ):
            group = list(run)
            if has_items:
                found += [self._items(place, depth) for place in group if self._has_room()]
            elif not quiet:
                for place in group:
                    found += self._place(place, depth)
            elif len(group) == 1 and not group[0].node.children:
                found += [_line(group[0], depth)] if self._has_room() else []
            elif self._has_room():
                shown = tuple(_line(place, depth) for place in group[:MOST_IN_FOLD])
                what = "member" if len(group) == 1 else "members"
                found.append(Fold(depth=depth, count=len(group), what=what, rows=shown))
        return tuple(found)

    def _has_room(self) -> bool:
        if not self._room:
            self.left_out += 1
            return False
        self._room -= 1
        return True

    def _place(self, place: _Place, depth: int) -> Sequence[Row]:
        """The rows of a place where something differs."""
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
            matcher=_matcher(place.node),
        )
        return [heading, *self.rows(_beneath(place), depth + 1)]

    def _has_items(self, place: _Place) -> bool:
        """Whether it is an array of which each item is told, whether they differ or not."""
        node = place.node
        if not isinstance(node.actual, list) or node.kind == "ignored":
            return False
        is_judged = node.matcher is not None and node.matcher.wanted != ""
        is_set = len(place.path) == 1 and place.path in self._sets and not (node.cost and not node.children)
        return is_judged or is_set

    def _items(self, place: _Place, depth: int) -> Cards:
        if place.node.children:
            return self._cards(place, depth)
        return self._whole_items(place, place.node.actual, depth)

    def _cards(self, place: _Place, depth: int) -> Cards:
        kind = ItemKind(place.path, self._sets)
        cards: list[Card | Fold] = []
        for quiet, run in groupby(_beneath(place), key=lambda item: not (item.node.cost or item.node.moved)):
            group = [partial(self._card, item, place, kind) for item in run]
            cards += self._told(group, kind, depth, is_folded=quiet)
        return _cards_of(place, cards, depth)

    def _told(
        self, cards: Sequence[Callable[[], Card]], kind: ItemKind, depth: int, *, is_folded: bool
    ) -> Iterator[Card | Fold]:
        """Neighbouring items, made as they are shown; many of them are folded where they may be."""
        if not is_folded or len(cards) <= MOST_ALIKE:
            yield from (make() for make in cards if self._has_room())
        elif self._has_room():
            shown = tuple(make() for make in cards[:MOST_IN_FOLD])
            yield Fold(depth=depth + 1, count=len(cards), what=kind.nouns, rows=shown)

    def _whole_items(self, place: _Place, items: list[Json], depth: int) -> Cards:
        """The items of an array that is as expected, or that one rule decides on."""
        kind = ItemKind(place.path, self._sets)
        rule = place.node.matcher
        wanted = "" if rule is None else rule.wanted
        broken = [False] * len(items) if rule is None or not place.node.cost else rule.broken_by(items)
        cards: list[Card | Fold] = []
        if place.node.cost and not any(broken):
            lacking = ItemWords("", wanted, "")
            cards.append(
                _item_card("only expected", lacking, kind, place.expected, f"{place.expected}/-", ())
            )
        for is_broken, run in groupby(range(len(items)), key=broken.__getitem__):
            group = [partial(_whole_card, place, kind, at, items[at], is_broken=is_broken) for at in run]
            cards += self._told(group, kind, depth, is_folded=not is_broken)
        return _cards_of(place, cards, depth, wanted)

    def _card(self, item: _Place, array: _Place, kind: ItemKind) -> Card:
        node = item.node
        if node.kind == "object" and not node.cost:
            # It is folded as a whole already.
            rows: tuple[Row, ...] = tuple(_line(each, 0) for each in _beneath(item)[:MOST_IN_FOLD])
        elif node.kind == "object":
            # What differs first, then all that does not in one fold: an event takes few lines.
            rows = self.rows(sorted(_beneath(item), key=lambda member: not member.node.cost), 0)
        else:
            rows = (_line(msgspec.structs.replace(item, label="", rule_pointer=None), 0),)
        has_expected, has_actual = node.expected is not UNSET, node.actual is not UNSET
        words = kind.words(node.expected if has_expected else node.actual)
        answered = kind.words(node.actual).code if has_expected and has_actual else words.code
        return Card(
            kind="pair"
            if has_expected and has_actual
            else "only expected"
            if has_expected
            else "only actual",
            same=not node.cost,
            moved=node.moved,
            moved_matters=node.moved and array.node.keeps_order,
            noun=kind.noun,
            item=words,
            answered_code="" if answered == words.code else answered or "none",
            expected_pointer=item.expected if has_expected else None,
            actual_pointer=item.actual if has_actual else None,
            array_pointer=array.expected,
            rows=rows,
            hint=self._hints.get(item.expected, "") if node.kind == "missing" else "",
        )


def _item_card(
    word: CardKind, item: ItemWords, kind: ItemKind, array: str, path: str, rows: tuple[Row, ...]
) -> Card:
    """An item of an array whose items one rule decides on; `path` is its pointer on its side."""
    return Card(
        kind=word,
        same=word == "pair",
        moved=False,
        moved_matters=False,
        noun=kind.noun,
        item=item,
        expected_pointer=path if word != "only actual" else None,
        actual_pointer=path if word != "only expected" else None,
        array_pointer=array,
        rows=rows,
    )


def _whole_card(place: _Place, kind: ItemKind, at: int, item: Json, *, is_broken: bool) -> Card:
    path = f"{place.actual}/{at}"
    row = _answered(path, item, is_broken=is_broken)
    word: CardKind = "only actual" if is_broken else "pair"
    return _item_card(word, kind.words(item), kind, place.expected, path, (row,))


def _cards_of(place: _Place, cards: Sequence[Card | Fold], depth: int, wanted: str = "") -> Cards:
    return Cards(
        depth=depth,
        label=place.label,
        expected_pointer=place.expected,
        actual_pointer=place.actual,
        cards=tuple(cards),
        rule=_rule(place.node),
        matcher=_matcher(place.node),
        wanted=wanted,
    )


def _answered(path: str, item: Json, *, is_broken: bool) -> Line:
    """An item that came, as a whole."""
    side = Side(path, whole(value_text(item), changed=is_broken))
    return Line(depth=0, label="", kind="unexpected" if is_broken else "same", expected=None, actual=side)


def _beneath(place: _Place) -> list[_Place]:
    found = []
    is_array = place.node.kind == "array"
    for child in place.node.children:
        expected = f"{place.expected}/{pointer.escape(child.expected_token)}"
        actual = f"{place.actual}/{pointer.escape(child.actual_token)}"
        token = str(child.actual_token if child.expected is UNSET else child.expected_token)
        label = visible(foreign_text.place(token)) or '""'
        has_rule = place.rule_pointer is not None and not (is_array and child.expected is UNSET)
        path = (*place.path, "*" if is_array else token)
        found.append(_Place(child, label, expected, actual, path, expected if has_rule else None))
    return found


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
        matcher=_matcher(node),
        rule_pointer=place.rule_pointer or None,
    )


def _line_kind(node: Node) -> LineKind:
    if node.kind == "object" or node.kind == "array":
        return "inside" if node.cost else "same"
    return node.kind


def _rule(node: Node) -> str:
    return f"{node.matcher.path or WHOLE} {_compact(node.matcher.rule)}" if node.matcher is not None else ""


def _matcher(node: Node) -> str:
    if node.matcher is None:
        return ""
    rule = node.matcher.rule
    if isinstance(rule, str):
        return rule
    ((name, argument),) = rule.items()
    return f"{name} {visible(argument) if isinstance(argument, str) else _compact(argument)}"


def _texts(node: Node, kind: LineKind) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    expected = "" if node.expected is UNSET else value_text(node.expected)
    actual = "" if node.actual is UNSET else value_text(node.actual)
    if kind in ("same", "ignored", "inside"):
        return whole(expected, changed=False), whole(actual, changed=False)
    if isinstance(node.expected, str) and isinstance(node.actual, str):
        return changed_words(expected, actual)
    return whole(expected, changed=True), whole(actual, changed=True)


def _compact(value: Any) -> str:
    return visible(jsontext.compact(value).decode())


def value_text(value: Any) -> str:
    """A value as it is shown: JSON, spread where it is no single value, cut after MOST_TEXT characters."""
    text = (
        jsontext.pretty(value)
        if isinstance(value, (dict, list)) and value
        else jsontext.compact(value).decode()
    )
    if len(text) > MOST_TEXT:
        text = f"{text[:MOST_TEXT]}… ({len(text):,} characters)"
    return in_text(text)
