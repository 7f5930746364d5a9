"""The rows of a comparison, and their text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox import comparing, jsontext
from retailops_sandbox.comparing.rules import compile_rules
from retailops_sandbox.comparing.values import same
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Expectation, Judgement, Request, Response
from retailops_sandbox.reporting.render import sidebyside, sidebyside_text
from retailops_sandbox.reporting.render.changed_words import changed_words
from retailops_sandbox.reporting.render.comparison_rows import Card, Cards, Fold, Line
from tests.support.records import some_delivery

SETS = {"/events": ("error_code",), "/events/*/associations": ("type", "identity")}

DIFFERENT = ("missing", "unexpected", "changed", "type")

leaf = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.text("ab ~/", max_size=4))
events = st.dictionaries(
    st.sampled_from(["error_code", "a", "/"]), leaf | st.lists(leaf, max_size=2), max_size=3
)
answers = st.fixed_dictionaries(
    {"events": st.lists(events, max_size=4)},
    optional={"ok": leaf, "more": st.dictionaries(st.just("x"), leaf)},
)
rulings = st.sampled_from([{}, {"/events/*/a": "ignore"}, {"/events": "ordered"}, {"/*": "any"}])


def viewed(expected, actual, rules=None):
    return sidebyside.view(expected, actual, compile_rules(rules or {}), SETS)


def flat(rows):
    """All rows at any depth, those in folds too."""
    for row in rows:
        yield row
        if isinstance(row, Fold | Card):
            yield from flat(row.rows)
        elif isinstance(row, Cards):
            yield from flat(row.cards)


# --- Properties ---------------------------------------------------------------------------------------


@given(answers, answers, rulings)
def test_the_view_shows_every_difference_and_nothing_else(expected, actual, rules):
    found = comparing.compare(expected, actual, compile_rules(rules), SETS)
    view = viewed(expected, actual, rules)
    assert (view.differences, view.notes) == (len(found.differences), found.notes)
    lines = [
        row
        for row in flat(view.rows)
        if isinstance(row, Line) and row.kind not in ("same", "ignored", "inside")
    ]
    moved = [row for row in flat(view.rows) if isinstance(row, Card) and row.moved_matters]
    assert len(lines) + len(moved) == len(found.differences)
    assert sorted(line.kind for line in lines) == sorted(
        d.kind for d in found.differences if d.kind != "moved"
    )


@given(answers, answers, rulings)
def test_pointers_and_texts_are_those_of_their_side(expected, actual, rules):
    for row in flat(viewed(expected, actual, rules).rows):
        if isinstance(row, Line):
            for side, body in ((row.expected, expected), (row.actual, actual)):
                if side is not None and row.kind != "inside":
                    assert same(jsontext.parse(side.text), pointer.resolve(body, side.pointer))
        elif isinstance(row, Card):
            assert (row.expected_pointer is None) == (row.kind == "only actual")
            assert (row.actual_pointer is None) == (row.kind == "only expected")


@given(answers, rulings)
def test_where_nothing_differs_everything_is_folded_or_the_same(answer, rules):
    view = viewed(answer, answer, rules)
    assert view.differences == 0
    assert {row.kind for row in view.rows if isinstance(row, Line)} <= {"same", "ignored"}


texts = st.text("ab c.", max_size=12)


@given(texts, texts)
def test_changed_words_spell_both_texts_and_agree_on_the_rest(one, other):
    left, right = changed_words(one, other)
    assert "".join(span.text for span in left) == one
    assert "".join(span.text for span in right) == other
    assert all(
        first.changed != second.changed for spans in (left, right) for first, second in pairwise(spans)
    )
    assert (one == other) == (not any(span.changed for span in (*left, *right)))


@given(answers, answers, rulings, st.integers(40, 160), st.booleans())
def test_the_text_keeps_within_its_width_and_its_colours_only_add(expected, actual, rules, width, colour):
    text = sidebyside_text.text(viewed(expected, actual, rules), width=width, colour=colour)
    bare = re.sub(r"\x1b\[\d*m", "", text)
    assert ("\x1b" in bare) is False
    heading = re.compile(
        r" *([-+✗✓] (missing|unexpected|changed|other type|differs)|[-+✗✓].* event[ :]|events|nearest)"
    ).match
    values = [
        line for line in bare.splitlines() if not heading(line) and "note:" not in line and "rule" not in line
    ]
    assert all(len(line) <= width for line in values)


# --- By example ---------------------------------------------------------------------------------------

EXPECTED = {
    "status": "ok",
    "events": [
        {"error_code": "A", "message": "the order was not found", "n": 1, "m": 2},
        {"error_code": "B", "message": "x"},
    ],
}
ACTUAL = {
    "status": "ok",
    "events": [
        {"error_code": "NEW"},
        {"error_code": "A", "message": "the order was never found", "n": 1, "m": 2},
    ],
}


def test_events_stand_as_aligned_cards():
    status, cards = viewed(EXPECTED, ACTUAL).rows
    assert (status.row, status.label, status.glyph, status.word) == ("line", "status", "✓", "same")
    assert (cards.row, cards.label, cards.expected_pointer, cards.actual_pointer) == (
        "cards",
        "events",
        "/events",
        "/events",
    )
    new, pair, lost = cards.cards
    assert (new.kind, new.word, new.code, new.words) == (
        "only actual",
        "unexpected",
        "NEW",
        "unexpected event",
    )
    assert (pair.kind, pair.expected_pointer, pair.actual_pointer) == ("pair", "/events/0", "/events/1")
    assert (pair.glyph, pair.code, pair.words) == ("✗", "A", "event 1")
    assert (lost.kind, lost.word, lost.glyph, lost.actual_pointer) == ("only expected", "missing", "-", None)
    fold = pair.rows[-1]
    assert (fold.row, fold.count, fold.word) == ("fold", 3, "3 more members alike")
    assert [line.label for line in fold.rows] == ["error_code", "n", "m"]


def order_event(code: str, message: str, *subjects: str) -> dict:
    about = [
        {"type": kind, "identity": which} for kind, _, which in (each.partition(" ") for each in subjects)
    ]
    return {"status": "error", "error_code": code, "error_message": message, "associations": about}


def cards_of(expected: list, actual: list, rules: dict | None = None) -> list[Card]:
    rows = viewed({"events": expected}, {"events": actual}, rules).rows
    return [row for row in flat(rows) if isinstance(row, Card)]


def test_an_event_with_another_code_is_one_pair_that_names_both_codes():
    (pair,) = cards_of(
        [order_event("ERR1409", "Order 4897 has shipped", "order 4897")],
        [order_event("ERR1001", "Order 4897 has left", "order 4897")],
    )
    assert (pair.code, pair.words) == ("ERR1409 → ERR1001", "event 1 · order 4897")


def test_a_missing_event_and_an_unexpected_one_say_code_message_and_subject():
    new, lost = cards_of(
        [order_event("A", "It has shipped", "order 1", "sku S1")],
        [{"error_code": "B", "error_message": "A refund is pending", "associations": None}],
    )
    assert (lost.code, lost.words) == ("A", "missing event: It has shipped · order 1, sku S1")
    assert (new.code, new.words) == ("B", "unexpected event: A refund is pending")


REFUSED = order_event("ERR1409", "It has shipped", "order 1")
PENDING = {"status": "warning", "error_code": "B", "error_message": "A refund is pending"}


@pytest.mark.parametrize(
    ("rule", "wanted", "told"),
    [
        (
            {"none": {"status": "error"}},
            'no event with status "error"',
            [("+", "ERR1409", "unexpected event: It has shipped · order 1"), ("✓", "B", "event 2")],
        ),
        (
            {"each": {"status": "error"}},
            'only events with status "error"',
            [
                ("✓", "ERR1409", "event 1 · order 1"),
                ("+", "B", "unexpected event: A refund is pending"),
            ],
        ),
        (
            {"some": {"status": "fatal"}},
            'an event with status "fatal"',
            [
                ("-", "", 'missing event: an event with status "fatal"'),
                ("✓", "ERR1409", "event 1 · order 1"),
                ("✓", "B", "event 2"),
            ],
        ),
    ],
)
def test_a_rule_about_all_events_shows_each_by_what_it_decides(rule, wanted, told):
    (cards,) = viewed({"events": []}, {"events": [REFUSED, PENDING]}, {"/events": rule}).rows
    assert (cards.label, cards.wanted) == ("events", wanted)
    assert [(card.glyph, card.code, card.words) for card in cards.cards] == told
    # What is lacking has no rows; an event has all that came.
    assert [len(card.rows) for card in cards.cards] == [int(bool(code)) for _, code, _ in told]


@pytest.mark.parametrize("rules", [{}, {"/events": {"none": {"status": "fatal"}}}, {"/events": "unordered"}])
def test_events_are_told_where_they_are_as_expected_too(rules):
    body = {"events": [REFUSED, PENDING], "more": 1}
    (cards, _) = viewed(body, body | {"more": 2}, rules).rows
    assert [(card.glyph, card.code) for card in cards.cards] == [("✓", "ERR1409"), ("✓", "B")]


@pytest.mark.parametrize("rules", [{}, {"": {"extra": "allow"}, "/events": {"none": {"status": "fatal"}}}])
def test_events_are_told_where_nothing_differs_at_all(rules):
    body = {"events": [REFUSED, PENDING]}
    (cards,) = viewed(body, body, rules).rows
    assert [(card.glyph, card.code) for card in cards.cards] == [("✓", "ERR1409"), ("✓", "B")]


@pytest.mark.parametrize(
    ("expected", "actual", "rules"),
    [
        ({"events": None}, {"events": [REFUSED]}, {}),
        ({}, {"events": [REFUSED]}, {}),
        ({"events": []}, {"events": [REFUSED]}, {"/events": "ignore"}),
        ({"events": [REFUSED]}, {"events": None}, {"/events": {"some": {"status": "error"}}}),
    ],
)
def test_an_array_that_is_not_compared_with_another_is_told_as_a_whole(expected, actual, rules):
    (place,) = viewed(expected, actual, rules).rows
    assert {row.row for row in flat([place])} <= {"line", "fold"}


def test_events_that_a_rule_about_all_accepts_are_folded_where_they_are_many():
    many = [PENDING] * (sidebyside.MOST_ALIKE + 1)
    rule = {"none": {"status": "error"}}
    (cards,) = viewed({"events": []}, {"events": [*many, REFUSED]}, {"/events": rule}).rows
    fold, card = cards.cards
    assert (fold.word, card.code) == ("11 more events alike", "ERR1409")


def test_an_event_about_many_things_names_the_first():
    about = [f"sku {number}" for number in range(9)]
    (lost,) = cards_of([order_event("A", "Gone for good", *about)], [])
    assert lost.words.endswith(" · sku 0, sku 1, sku 2 and 6 more")


def test_an_event_that_came_in_another_place_says_so():
    events = [order_event(code, "x") for code in "ABC"]
    new = order_event("NEW", "y")
    moved = [card.words for card in cards_of(events, [events[2], *events[:2], new]) if card.moved]
    assert moved == ["event 3, answered as number 1 (the order does not matter)"]
    moved = [
        card for card in cards_of(events, [events[2], *events[:2]], {"/events": "ordered"}) if card.moved
    ]
    assert [(card.word, card.words) for card in moved] == [
        ("differs", "event 3, answered as number 1 (against the rule ordered)")
    ]


def test_events_that_match_are_a_line_each_until_they_are_many():
    events = [order_event(f"E{number}", "x") for number in range(10)]
    assert [card.code for card in cards_of(events, [*events, order_event("NEW", "y")])][:10] == [
        f"E{number}" for number in range(10)
    ]


def test_an_event_that_matches_by_a_rule_opens_into_its_members():
    expected, came = order_event("A", "x"), order_event("A", "y")
    same, _ = cards_of([expected], [came, order_event("B", "z")], {"/events/*/error_message": "any"})
    assert same.same
    assert [row.label for row in same.rows] == ["status", "error_code", "error_message", "associations"]


def test_what_an_item_is_called_comes_from_its_array():
    view = sidebyside.view(
        {"results": [{"id": 1, "n": 0}], "entry": [1]},
        {"results": [], "entry": []},
        sets={"/results": ("id",), "/entry": ()},
    )
    assert [card.words for card in flat(view.rows) if isinstance(card, Card)] == [
        "missing result",
        "missing item",
    ]


def test_a_rule_can_stand_at_each_value_but_not_at_an_item_that_is_not_expected():
    view = viewed(EXPECTED, ACTUAL)
    places = {row.label: row.rule_pointer for row in flat(view.rows) if isinstance(row, Line)}
    assert places["status"] == "/status"
    assert places["message"] == "/events/0/message"
    assert places[""] is None
    (line,) = [row for row in viewed({"a": {}}, {"a": {"b": 1}}).rows if row.kind == "unexpected"]
    assert line.rule_pointer == "/a/b"


@given(answers, answers)
def test_a_rule_that_ignores_a_place_leaves_no_difference_there(expected, actual):
    for row in flat(viewed(expected, actual).rows):
        if (
            isinstance(row, Line)
            and row.rule_pointer
            and "*" not in row.rule_pointer
            and row.kind != "inside"
        ):
            again = viewed(expected, actual, {row.rule_pointer: "ignore"})
            assert not any(
                isinstance(each, Line) and each.rule_pointer == row.rule_pointer and each.kind in DIFFERENT
                for each in flat(again.rows)
            )


def test_changed_words_inside_a_string_are_marked():
    pair = viewed(EXPECTED, ACTUAL).rows[1].cards[1]
    line = next(row for row in pair.rows if row.kind == "changed")
    assert [(span.text, span.changed) for span in line.expected.spans] == [
        ('"the order was ', False),
        ("not", True),
        (' found"', False),
    ]
    assert [span.text for span in line.actual.spans if span.changed] == ["never"]


def test_a_missing_event_keeps_its_hint():
    expected = {"events": [{"error_code": "A", "s": 1}, {"error_code": "B", "s": 1}]}
    card = viewed(expected, {"events": [{"error_code": "A", "s": 1}]}).rows[0].cards[1]
    assert card.hint.startswith('nearest is /events/0, but error_code is "A" instead of "B"')


def test_the_rule_that_applied_is_shown():
    view = viewed({"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"/a": "ignore", "/b": {"regex": "^x"}})
    assert [(row.kind, row.rule) for row in view.rows] == [
        ("ignored", '/a "ignore"'),
        ("changed", '/b {"regex":"^x"}'),
    ]


def test_moved_cards_say_whether_it_matters():
    expected = {"events": [{"error_code": "A"}, {"error_code": "B"}]}
    actual = {"events": expected["events"][::-1]}

    def cards(rules):
        found = [row for row in flat(viewed(expected, actual, rules).rows) if isinstance(row, Card)]
        return [(card.moved, card.moved_matters, card.same) for card in found]

    assert cards({"/events": "ordered"}) == [(True, True, True), (False, False, True)]
    assert cards({"/events/*/x": "ignore"}) == [(True, False, True), (False, False, True)]


def delivered(body, **more):
    request = Request(method="POST", url="http://127.0.0.1/", headers=())
    return some_delivery(
        sent_at="2024-01-01T00:00:00Z",
        receiver="mine",
        request=request,
        response=Response(status=200, body=body, **more),
    )


def judged(expectation: Expectation) -> Judgement:
    return Judgement(delivery="run.1", verdict="failed", at="", expectation=expectation)


def test_a_delivery_is_viewed_beside_its_expectation():
    expectation = Expectation(body=EXPECTED, rules={"/events/*/message": "ignore"})
    view = sidebyside.of(delivered(jsontext.compact(ACTUAL).decode()), judged(expectation), SETS)
    assert view == viewed(EXPECTED, ACTUAL, expectation.rules)


def test_there_is_no_view_without_two_documents():
    assert sidebyside.of(delivered("{}"), judged(Expectation())) is None
    assert sidebyside.of(delivered("<html>"), judged(Expectation(body=1))) is None
    assert sidebyside.of(delivered("1234", base64=True), judged(Expectation(body=1))) is None


def test_terminal_controls_and_bidirectional_tricks_are_spelled_out():
    view = viewed({"a": ""}, {"a": "\x9b31m\u202e\x7f", "b\x1b": {"\x1b": 1}, "": 2})
    text = sidebyside_text.text(view)
    assert "\\u009b31m\\u202e\\u007f" in text
    assert text.replace("\n", "").isprintable()


def test_many_rows_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(sidebyside, "MOST_ROWS", 10)
    view = viewed({"a": list(range(50))}, {"a": list(range(100, 150))})
    assert view.left_out == 41
    assert len(list(flat(view.rows))) == 10
    assert "41 more rows are not shown" in sidebyside_text.text(view)


def test_a_long_fold_holds_its_first_rows_and_counts_all():
    events = [{"error_code": f"E{number}"} for number in range(500)]
    fold, new = viewed({"events": events}, {"events": [*events, {"error_code": "NEW"}]}).rows[0].cards
    assert (fold.count, len(fold.rows), fold.word) == (500, sidebyside.MOST_IN_FOLD, "500 more events alike")
    assert new.kind == "only actual"


def test_a_very_long_value_is_cut_and_says_how_long_it_was():
    (line,) = viewed({"a": "x"}, {"a": ["y" * 30_000]}).rows
    assert line.actual.text.endswith("characters)")
    assert len(line.actual.text) < 21_000


def test_strings_of_very_many_words_are_marked_as_a_whole():
    one, other = "a " * 5_000, "b " * 5_000
    assert [[span.changed for span in side] for side in changed_words(one, other)] == [
        [True],
        [True],
    ]


@pytest.mark.parametrize(("expected", "actual"), [(1, 2), ("a", "b"), ([1], {"a": 1}), ([], {}), (None, [])])
def test_documents_that_are_no_objects(expected, actual):
    (line,) = viewed(expected, actual).rows
    assert (line.label, line.expected.pointer, line.actual.pointer) == ("", "", "")
    assert sidebyside_text.text(viewed(expected, actual))


TEXT = """\
✓ status  "ok"
events
  + NEW unexpected event /events/0
  ✗ A event 1
    ✗ changed  message
        "the order was [-not-] found"                | "the order was {+never+} found"
    ✓ 3 more members alike
  - B missing event /events/1"""


def test_the_text_for_a_terminal():
    shown = sidebyside_text.text(viewed(EXPECTED, ACTUAL))
    assert [line for line in shown.splitlines() if "nearest" not in line] == TEXT.splitlines()


def test_on_a_narrow_terminal_the_sides_stand_one_under_the_other():
    shown = sidebyside_text.text(viewed(EXPECTED, ACTUAL), width=60).splitlines()
    assert '        - "the order was [-not-] found"' in shown
    assert '        + "the order was {+never+} found"' in shown


def test_wide_characters_count_twice():
    line = sidebyside_text.text(viewed({"a": "日" * 60, "b": 0}, {"a": "本" * 60, "b": 0}), width=100)
    rows = [each for each in line.splitlines() if " | " in each]
    assert len(rows) > 1
    assert all(len(each) + sum(character in "日本" for character in each) <= 100 for each in rows)


def test_colour_marks_instead_of_brackets():
    text = sidebyside_text.text(viewed(EXPECTED, ACTUAL), colour=True)
    assert "\x1b[35mnot\x1b[0m" in text
    assert "\x1b[36mnever\x1b[0m" in text
    assert "[-" not in text
