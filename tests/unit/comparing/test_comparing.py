"""Comparing documents: properties first, then what each kind of difference says."""

from __future__ import annotations

import random
from copy import deepcopy
from itertools import permutations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retailops_sandbox import comparing
from retailops_sandbox.comparing import aligning, pairing
from retailops_sandbox.comparing import differences as difference_list
from retailops_sandbox.comparing.rules import DEEPEST, NO_RULES, compile_rules, whole_scope
from retailops_sandbox.comparing.values import same
from retailops_sandbox.jsontext import pointer
from retailops_sandbox.model import Number
from tests.support.applying import apply

SETS = {"/events": ("error_code",), "/events/*/associations": ("type", "identity")}

# --- What is compared ---------------------------------------------------------------------------------

leaf = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from(["", "a", "b", "/~"]),
    st.sampled_from(["1.0", "0.5", "2e0"]).map(Number),
)
keys = st.sampled_from(["a", "b", "c", "~/", "0"])
documents = st.recursive(
    leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3), max_leaves=12
)
associations = st.fixed_dictionaries(
    {"type": st.sampled_from(["sku", "order"])}, optional={"identity": st.sampled_from(["S1", "S2"])}
)
events = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["error", "warning"]),
        "error_code": st.sampled_from(["E1", "E2", "E3"]),
        "error_message": st.sampled_from(["m", "n"]),
        "diagnostic_data": st.lists(leaf, max_size=2),
        "associations": st.lists(associations, max_size=3),
    },
)
answers = st.lists(events, max_size=5).map(lambda found: {"events": found})

SATISFIED = [
    {},
    {"/events/*/diagnostic_data": "ignore"},
    {"/events/*": {"extra": "allow"}},
    {"/events/*/error_code": {"regex": "^E"}, "/events/*/error_message": {"type": "string"}},
    {"/events/0": "any"},
    {"/events/0/error_code": "ignore", "/events/*/associations": {"type": "array"}},
    {"/events/1/status": {"one_of": ["error", "warning"]}, "/events/*/status": {"contains": "r"}},
    {"/events/*/diagnostic_data": "unordered"},
    {"/events/*/associations/*/identity": "ignore", "/events/0/associations/0/type": {"regex": "sku|order"}},
]
"""Rules that every expected answer satisfies itself."""
rulings = st.sampled_from(SATISFIED)


def differences(expected, actual, rules=None, sets=SETS):
    return comparing.compare(expected, actual, compile_rules(rules or {}), sets).differences


# --- Properties ---------------------------------------------------------------------------------------


@given(documents)
def test_a_document_does_not_differ_from_itself(document):
    assert comparing.compare(document, deepcopy(document)) == comparing.Comparison()


@given(answers, rulings)
def test_an_answer_does_not_differ_from_itself_under_rules(answer, rules):
    assert differences(answer, deepcopy(answer), rules) == ()


@given(documents, documents)
def test_there_are_differences_exactly_where_documents_are_not_equal(expected, actual):
    assert (differences(expected, actual, sets={}) == ()) == same(expected, actual)


@given(documents, documents)
def test_the_actual_with_its_differences_applied_equals_the_expected(expected, actual):
    before = deepcopy(actual)
    applied = apply(differences(expected, actual, sets={}), actual)
    assert same(applied, expected)
    assert same(actual, before)


@given(answers, answers, rulings)
@example(
    {"events": [{"associations": [{"type": "sku"}]}, {"error_code": "E1"}]},
    {"events": [{"error_code": "E1"}, {"error_message": "m", "associations": []}]},
    {},
)
def test_the_actual_with_its_differences_applied_compares_clean(expected, actual, rules):
    found = differences(expected, actual, rules)
    assert differences(expected, apply(found, actual), rules) == ()


@given(answers, answers, st.randoms())
def test_where_order_is_a_rule_applying_restores_it(expected, other, shuffle):
    rules = {"/events": "ordered", "/events/*/associations": "ordered"}
    actual = {"events": deepcopy(expected["events"][1:]) + other["events"][:2]}
    shuffle.shuffle(actual["events"])
    found = differences(expected, actual, rules)
    assert (found == ()) == same(expected, actual)
    assert same(apply(found, actual), expected)


@given(answers, answers, rulings, st.randoms())
def test_shuffling_the_actual_events_never_changes_the_verdict(expected, actual, rules, shuffle):
    verdict = bool(differences(expected, actual, rules))
    shuffle.shuffle(actual["events"])
    assert bool(differences(expected, actual, rules)) == verdict


@given(answers, rulings, st.randoms())
def test_an_answer_in_any_order_is_as_good(expected, rules, shuffle):
    actual = deepcopy(expected)
    shuffle.shuffle(actual["events"])
    for event in actual["events"]:
        shuffle.shuffle(event.get("associations", []))
    assert differences(expected, actual, rules) == ()


def test_what_moved_and_what_was_missing_find_their_places_together():
    expected, actual = {"events": [event("A"), event("B"), event("C")]}, {"events": [event("C"), event("A")]}
    rules = {"/events": "ordered"}
    found = differences(expected, actual, rules)
    assert [each.kind for each in found] == ["moved", "missing"]
    assert apply(found, actual) == expected


flat_events = st.lists(
    st.dictionaries(st.sampled_from(["id", "x", "y"]), st.integers(0, 1), max_size=3), max_size=6
)


def worth(pair):
    """How many items are equal, and what the rest costs, of one pair or of two items left alone."""
    expected, actual = pair
    alone = sum(len(each) or 1 for each in pair if each is not None)
    if expected is None or actual is None:
        return 0, alone
    if expected == actual:
        return -1, 0
    names = expected.keys() | actual.keys()
    wrong = [name for name in names if expected.get(name) != actual.get(name)]
    cost = sum(3 if name == "id" else 1 for name in wrong)
    return 0, min(cost, alone) if len(wrong) < len(names) else alone


def total(pairs):
    each = [worth(pair) for pair in pairs]
    return sum(equal for equal, _ in each), sum(cost for _, cost in each)


@given(flat_events, flat_events)
def test_no_permutation_aligns_better(expected, actual):
    root = aligning.align(expected, actual, whole_scope(NO_RULES, {"": ("id",)}))
    sides = [(child.expected, child.actual) for child in root.children]
    chosen = [tuple(side if isinstance(side, dict) else None for side in pair) for pair in sides]
    for ours, theirs in chosen:
        assert None in (ours, theirs) or ours == theirs or ours.items() & theirs.items()
    padding = max(len(expected), len(actual))
    ours = expected + [None] * (padding - len(expected))
    theirs = actual + [None] * (padding - len(actual))
    best = min(
        total(pair for pair in zip(ours, other, strict=True) if pair != (None, None))
        for other in permutations(theirs)
    )
    assert total(chosen) == best


distinct = st.lists(st.integers(0, 9).map(lambda code: {"error_code": f"E{code}", "s": 1}), max_size=5)


@given(distinct, st.sampled_from(["any", "ignore", {"type": "object"}]), st.randoms())
def test_a_wildcard_never_steals_the_match_of_an_exact_item(exact, rule, shuffle):
    expected = {"events": [{"error_code": "E0", "s": 1, "t": 2}, *exact]}
    actual = {"events": deepcopy(exact)}
    shuffle.shuffle(actual["events"])
    found = differences(expected, actual, {"/events/0": rule})
    assert [each.expected_pointer for each in found] == ([] if rule == "ignore" else ["/events/0"])
    actual["events"].insert(shuffle.randint(0, len(exact)), {"error_code": "other"})
    assert differences(expected, actual, {"/events/0": rule}) == ()


@given(st.lists(st.sampled_from("abc"), max_size=5), st.randoms())
def test_a_wildcard_in_an_ordered_array_never_steals_either(exact, place):
    at = place.randint(0, len(exact))
    expected = [*exact[:at], place.choice("abcd"), *exact[at:]]
    found = differences(expected, exact, {f"/{at}": "any"})
    assert [(each.kind, each.expected_pointer) for each in found] == [("missing", f"/{at}")]
    assert differences(expected, [*exact[:at], "z", *exact[at:]], {f"/{at}": "any"}) == ()


@given(documents, documents)
def test_pointers_lead_to_the_values_they_name(expected, actual):
    for found in differences(expected, actual, sets={}):
        if found.expected_pointer is not None:
            assert same(pointer.resolve(expected, found.expected_pointer), found.expected)
        if found.actual_pointer is not None:
            assert same(pointer.resolve(actual, found.actual_pointer), found.actual)
        if found.kind in ("missing", "unexpected"):
            lacking = actual if found.kind == "missing" else expected
            assert isinstance(pointer.resolve(lacking, found.within), (dict, list))


# --- Bounded work -------------------------------------------------------------------------------------


def work(monkeypatch, expected, actual, rules=None):
    """How many values were aligned to compare two answers, and what the comparison found."""
    done = 0
    align = aligning.Aligner.align

    def counted(self, *arguments):
        nonlocal done
        done += 1
        return align(self, *arguments)

    monkeypatch.setattr(aligning.Aligner, "align", counted)
    found = comparing.compare({"events": expected}, {"events": actual}, compile_rules(rules or {}), SETS)
    monkeypatch.setattr(aligning.Aligner, "align", align)
    return done, found


def numbered(first, count, **more):
    return [{"error_code": f"E{number}", "n": number, **more} for number in range(first, first + count)]


def test_equal_events_are_paired_without_comparing_them(monkeypatch):
    shuffled = numbered(0, 20_000)
    random.Random(1).shuffle(shuffled)
    done, found = work(monkeypatch, numbered(0, 20_000), shuffled)
    assert (done, found.differences) == (2, ())
    assert len(found.notes) == 1


def test_events_that_are_equal_as_far_as_the_rules_go_are_paired_in_linear_work(monkeypatch):
    rules = {"/events/*/at": "datetime", "/events/*/x": "ignore"}
    expected = numbered(0, 3_000, at="2024-01-01T00:00:00Z", x=1)
    actual = numbered(0, 3_000, at="2025-01-01T00:00:00Z", y=1)[::-1]
    for event in actual:
        del event["y"]
    done, found = work(monkeypatch, expected, actual, rules)
    assert found.differences == ()
    assert done <= 5 * 3_000


def test_when_every_event_differs_the_work_still_grows_with_their_number_only(monkeypatch):
    small, _ = work(monkeypatch, numbered(0, 1_000), numbered(5_000, 1_000, x=1))
    large, found = work(monkeypatch, numbered(0, 4_000), numbered(5_000, 4_000, x=1))
    assert large <= 4 * small + 100_000
    assert "paired by identity, then by position" in found.notes[0]
    assert len(found.differences) == difference_list.MOST_DIFFERENCES
    assert found.notes[-1] == "7,000 more differences are not listed"


def test_beyond_64_the_rest_is_paired_greedily_and_a_note_says_so():
    expected = [{"error_code": f"E{number}", "m": "a", "k": number} for number in range(70)]
    actual = [{**event, "m": "b"} for event in reversed(expected)]
    found = comparing.compare({"events": expected}, {"events": actual}, sets=SETS)
    assert {each.expected_pointer.rpartition("/")[2] for each in found.differences} == {"m"}
    assert len(found.differences) == 70
    assert "70 expected and 70 actual items without an equal are paired greedily" in found.notes[0]


def test_exactly_64_are_assigned_optimally():
    expected = numbered(0, pairing.MOST_ASSIGNED)
    actual = [{**event, "x": 1} for event in reversed(expected)]
    found = comparing.compare({"events": expected}, {"events": actual}, sets=SETS)
    assert {each.kind for each in found.differences} == {"unexpected"}
    assert not any("paired" in note for note in found.notes)


def test_sets_within_sets_share_one_budget():
    def answer(letter):
        refs = [{"type": f"{letter}{number}", "identity": "x"} for number in range(60)]
        return {"events": [{"error_code": f"{letter}{number}", "associations": refs} for number in range(60)]}

    found = comparing.compare(answer("a"), answer("b"), sets=SETS)
    assert any("paired by identity" in note for note in found.notes)


def test_beyond_64_extra_members_that_a_rule_allows_still_find_their_owners():
    expected = [{"error_code": "E", "k": number} for number in range(70)]
    actual = [{"error_code": "E", "k": number, "at": number} for number in range(70)]
    random.Random(2).shuffle(actual)
    assert differences({"events": expected}, {"events": actual}, {"/events/*": {"extra": "allow"}}) == ()


def test_beyond_64_no_item_is_left_over_because_another_was_satisfied_too_lavishly():
    expected, actual = [], []
    for group in range(35):
        expected += [{"g": group, "a": 1, "b": 1}, {"g": group, "a": 1, "c": 1}]
        actual += [{"g": group, "a": 1, "b": 1, "c": 1, "d": 1}, {"g": group, "a": 1, "b": 1, "z": 1}]
    assert differences({"events": expected}, {"events": actual}, {"/events/*": {"extra": "allow"}}) == ()


def test_long_sequences_are_aligned_past_what_was_put_in():
    expected = list(range(5_000))
    actual = [-1, *expected[:2_000], -2, *expected[2_000:4_000], *expected[4_001:], -3]
    found = differences(expected, actual, sets={})
    assert [(each.kind, each.expected_pointer, each.actual_pointer) for each in found] == [
        ("unexpected", None, "/0"),
        ("unexpected", None, "/2001"),
        ("missing", "/4000", None),
        ("unexpected", None, "/5001"),
    ]


def test_sequences_too_long_to_align_are_paired_by_position_and_a_note_says_so(monkeypatch):
    monkeypatch.setattr(pairing, "LONGEST_SEQUENCES", 10_000)
    found = comparing.compare(list(range(200)), list(range(200, 400)))
    assert found.notes == (
        "the whole document: 200 expected and 200 actual items are too many to align: paired by position",
    )
    assert {each.kind for each in found.differences} == {"changed"}


def test_rules_for_a_position_hold_in_long_sequences_too():
    expected, actual = list(range(100)), [1000, *range(1, 100), 7]
    assert [each.actual_pointer for each in differences(expected, actual, {"/0": "any"})] == ["/100"]


@pytest.mark.parametrize("levels", [39, 40, 41, 199])
def test_deep_documents_are_compared(levels):
    def nested(value, wrap):
        for _ in range(levels):
            value = wrap(value)
        return value

    for wrap in (lambda inner: [inner], lambda inner: {"a": inner}, lambda inner: [{"x": 1}, inner]):
        rules = compile_rules({"/*" * (DEEPEST - 1): "unordered"})
        sets = {"/*" * level: () for level in range(DEEPEST)}
        for found in (
            comparing.compare(nested(1, wrap), nested(2, wrap)),
            comparing.compare(nested(1, wrap), nested(2, wrap), rules, sets),
        ):
            assert found.differences


def test_what_is_nested_too_deep_is_compared_as_a_whole_and_a_note_says_so():
    expected, actual = 1, 2
    for _ in range(DEEPEST):
        expected, actual = {"a": expected}, {"a": actual}
    assert told(expected, actual) == [("changed", "/a" * DEEPEST, "/a" * DEEPEST)]
    assert comparing.compare(expected, actual).notes == ()
    found = comparing.compare({"a": expected}, {"a": actual})
    assert [each.expected_pointer for each in found.differences] == ["/a" * DEEPEST]
    assert "nested deeper than 40 levels" in found.notes[0]
    assert same(apply(found.differences, {"a": actual}), {"a": expected})


# --- What differences say -----------------------------------------------------------------------------


def event(code="ERR1", message="not found", **more):
    return {"status": "error", "error_code": code, "error_message": message, **more}


def told(expected, actual, rules=None, sets=SETS):
    found = comparing.compare(expected, actual, compile_rules(rules or {}), sets)
    return [(each.kind, each.expected_pointer, each.actual_pointer) for each in found.differences]


def test_a_new_event_in_front_is_one_unexpected_event():
    expected = {"events": [event(f"ERR{number}") for number in range(5)]}
    actual = {"events": [event("NEW", "other"), *expected["events"]]}
    assert told(expected, actual) == [("unexpected", None, "/events/0")]


def test_numbers_are_compared_by_value_and_types_are_told():
    expected = {"a": 35, "b": 1, "c": None, "d": "1"}
    actual = {"a": Number("35.0"), "b": True, "c": 0, "d": "2"}
    assert told(expected, actual) == [("type", "/b", "/b"), ("type", "/c", "/c"), ("changed", "/d", "/d")]


def test_members_missing_and_unexpected_name_what_would_hold_them():
    expected, actual = {"events": [event(), event("B", extra=1)]}, {"events": [event("B", other=2), event()]}
    one, two = differences(expected, actual)
    assert (one.kind, one.expected_pointer, one.actual_pointer, one.within) == (
        "missing",
        "/events/1/extra",
        None,
        "/events/0",
    )
    assert (two.kind, two.expected_pointer, two.actual_pointer, two.within) == (
        "unexpected",
        None,
        "/events/0/other",
        "/events/1",
    )


def test_items_that_share_nothing_stay_unpaired():
    assert told({"events": [{"error_code": "A"}]}, {"events": [{"error_code": "B"}]}) == [
        ("unexpected", None, "/events/0"),
        ("missing", "/events/0", None),
    ]


@pytest.mark.parametrize(
    ("expected", "actual", "rules"),
    [
        ({"m": "a", "n": 1}, {"m": "b", "n": 2}, {}),
        ("a", "b", {}),
        ({"m": "a", "any": 1}, {"m": "b", "any": 2}, {"/events/*/any": "any"}),
        ({"m": "a", "no": 1}, {"m": "b", "no": 1}, {"/events/*/no": "ignore"}),
    ],
)
def test_what_a_rule_waves_through_is_not_shared(expected, actual, rules):
    kinds = [kind for kind, _, _ in told({"events": [expected]}, {"events": [actual]}, rules)]
    assert kinds == ["unexpected", "missing"]


def test_equal_items_are_paired_even_where_two_changed_ones_would_cost_less():
    equal, other, foreign = {"p": 1, "q": 2}, {"p": 1, "q": 1}, {"p": 2, "q": 2}
    for rules in ({}, {"/events/0/none": "ignore"}):
        assert told({"events": [equal, other]}, {"events": [equal, foreign]}, rules) == [
            ("unexpected", None, "/events/1"),
            ("missing", "/events/1", None),
        ]


def test_a_rule_for_one_position_and_one_for_all_leave_room_for_each_other():
    rules = {"/events/*/at": "ignore", "/events/0/at": {"type": "string"}}
    expected = {"events": [{"code": 1, "at": "x"}, {"code": 1, "at": "x"}]}
    assert told(expected, {"events": [{"code": 1, "at": "x"}, {"code": 1, "at": 5}]}, rules) == []
    assert told(expected, {"events": [{"code": 1, "at": 5}, {"code": 1, "at": "x"}]}, rules) == []


def test_among_pairs_that_are_as_good_position_decides():
    expected = {"events": [{"s": 1, "x": 1, "n": 0}, {"s": 1, "x": 1, "n": 1}]}
    actual = {"events": [{"s": 1, "x": 0, "n": 10}, {"s": 1, "x": 1, "n": 11}]}
    places = {(one[:9], other[:9]) for _, one, other in told(expected, actual)}
    assert places == {("/events/0", "/events/0"), ("/events/1", "/events/1")}


def test_items_equal_in_every_value_come_before_those_that_a_rule_makes_equal():
    expected = {"events": [{"code": 1, "at": 1}, {"code": 1, "at": 2}]}
    found = comparing.compare(
        expected, {"events": expected["events"][::-1]}, compile_rules({"/events/*/at": "ignore"}), SETS
    )
    assert found.notes == ("/events: 1 item is in another place than expected",)


def test_an_item_that_lacks_what_any_demands_is_not_preferred():
    actual = {"events": [{"code": 1}, {"code": 1, "ref": 2}]}
    assert told({"events": [{"code": 1}]}, actual, {"/events/*/ref": "any"}) == [
        ("unexpected", None, "/events/0")
    ]


def test_a_rule_for_a_position_within_an_item_decides_which_item_is_right():
    actual = {"events": [{"refs": ["a"]}, {"refs": ["b"]}]}
    rules = {"/events/*/refs/0": {"one_of": ["b"]}, "/events/*/refs": "unordered"}
    assert told({"events": [{"refs": ["a"]}]}, actual, rules) == [("unexpected", None, "/events/0")]


def test_identity_weighs_more_than_other_fields():
    expected = {"events": [event("A", "one", n=1)]}
    actual = {"events": [event("B", "one", n=1), event("A", "two", n=2)]}
    assert told(expected, actual) == [
        ("unexpected", None, "/events/0"),
        ("changed", "/events/0/error_message", "/events/1/error_message"),
        ("changed", "/events/0/n", "/events/1/n"),
    ]


def test_repeats_are_legal_and_each_satisfies_one_expectation():
    twice = {"events": [event(), event()]}
    assert told(twice, twice) == []
    (missing,) = differences(twice, {"events": [event()]})
    assert (missing.kind, missing.expected_pointer) == ("missing", "/events/1")
    assert (
        missing.hint == "nearest is /events/0, which would do; it already answers to the expected /events/0"
    )
    assert told({"events": [event()]}, twice) == [("unexpected", None, "/events/1")]


def test_a_missing_event_names_its_nearest_candidate_and_what_spoiled_it():
    expected = {"events": [event("ERR1", n=1), event("ERR2", n=2)]}
    actual = {"events": [event("ERR1", n=1)]}
    (missing,) = differences(expected, actual)
    assert missing.hint == (
        'nearest is /events/0, but error_code is "ERR1" instead of "ERR2" (and 1 more)'
        "; it already answers to the expected /events/0"
    )


def test_the_nearest_candidate_is_the_one_with_the_fewest_differences():
    far, lost, near = event("FAR", "other"), event("LOST"), event("NEAR")
    (missing,) = differences({"events": [far, lost, near]}, {"events": [far, near]})
    assert missing.expected_pointer == "/events/1"
    assert missing.hint.startswith('nearest is /events/1, but error_code is "NEAR" instead of "LOST"')


def test_a_free_candidate_is_named_before_one_that_is_taken():
    sets = {"/events": ("a", "b", "c")}
    expected = {"events": [{"a": 1, "b": 1, "c": 1, "d": 1}]}
    actual = {"events": [{"a": 2, "b": 2, "c": 2, "d": 1}]}
    missing = next(each for each in differences(expected, actual, sets=sets) if each.kind == "missing")
    assert missing.hint == "nearest is /events/0, but a is 2 instead of 1 (and 2 more)"


def test_what_moved_is_a_note_and_under_ordered_a_difference():
    expected, actual = {"events": [event("A"), event("B")]}, {"events": [event("B"), event("A")]}
    found = comparing.compare(expected, actual, sets=SETS)
    assert found.differences == ()
    assert found.notes == ("/events: 1 item is in another place than expected",)
    (moved,) = differences(expected, actual, {"/events": "ordered"})
    assert (moved.kind, moved.expected_pointer, moved.actual_pointer) == ("moved", "/events/0", "/events/1")
    assert (moved.rule, moved.rule_path) == ("ordered", "/events")
    assert comparing.compare(expected, actual, compile_rules({"/events": "ordered"}), SETS).notes == ()


def test_an_insertion_does_not_make_its_neighbours_moved():
    expected = {"events": [event("A"), event("B")]}
    actual = {"events": [event("NEW", "x"), event("A"), event("B")]}
    assert told(expected, actual, {"/events": "ordered"}) == [("unexpected", None, "/events/0")]


def test_unordered_makes_a_set_of_any_array():
    assert told([1, 2, 3], [3, 1, 2], {"": "unordered"}) == []
    assert told([1, 2], [2, 1]) != []
    assert told({"a": [[1, 2]]}, {"a": [[2, 1]]}, {"/a/*": "unordered"}) == []


def test_an_array_in_order_is_aligned_not_compared_by_position():
    assert told({"a": [1, 2, 3]}, {"a": [0, 1, 2, 4]}) == [
        ("unexpected", None, "/a/0"),
        ("changed", "/a/2", "/a/3"),
    ]


def test_an_unexpected_member_is_allowed_by_a_rule_there_or_on_its_object():
    expected, actual = {"a": {"x": 1}}, {"a": {"x": 1, "y": 5}}
    assert told(expected, actual) == [("unexpected", None, "/a/y")]
    for rules in (
        {"/a": {"extra": "allow"}},
        {"/a/y": "ignore"},
        {"/a/*": "any"},
        {"/a/y": {"range": [0, 5]}},
    ):
        assert told(expected, actual, rules) == [], rules
    assert told(expected, actual, {"/a": {"extra": "allow"}, "/a/y": {"range": [0, 4]}}) != []
    assert told(expected, {"a": {"y": 5}}, {"/a": {"extra": "allow"}}) == [("missing", "/a/x", None)]


def test_any_wants_the_member_even_where_nothing_is_expected():
    (missing,) = differences({}, {}, {"/token": "any"})
    assert (missing.kind, missing.expected_pointer, missing.rule) == ("missing", "/token", "any")
    assert differences({}, apply((missing,), {}), {"/token": "any"}) == ()
    assert differences({}, {"token": None}, {"/token": "any"}) == ()
    assert differences({"token": "x"}, {}, {"/token": "any"}) != ()


def test_a_missing_member_may_be_ignored_but_not_matched_away():
    assert told({"a": 1}, {}, {"/a": "ignore"}) == []
    assert told({"a": 1}, {}, {"/a": {"type": "number"}}) == [("missing", "/a", None)]


def test_ignoring_all_items_forgives_missing_and_unexpected_ones():
    assert told({"events": [event()]}, {"events": []}, {"/events/*": "ignore"}) == []
    assert told({"events": []}, {"events": [event()]}, {"/events/*": "ignore"}) == []
    assert told({"events": []}, {"events": [event()]}, {"/events/*": "any"}) == [
        ("unexpected", None, "/events/0")
    ]


def test_a_difference_names_the_rule_that_refused():
    (found,) = differences({"code": "ERR1"}, {"code": "x"}, {"/code": {"regex": "^ERR"}})
    assert (found.kind, found.rule, found.rule_path) == ("changed", {"regex": "^ERR"}, "/code")
    assert found.hint == ""


def test_a_rule_that_the_expected_value_breaks_itself_is_pointed_out():
    (found,) = differences({"code": "nope"}, {"code": "x"}, {"/code": {"regex": "^ERR"}})
    assert "does not satisfy this rule either" in found.hint


def test_equality_does_not_save_a_value_that_its_rule_refuses():
    assert told({"code": "nope"}, {"code": "nope"}, {"/code": {"regex": "^ERR"}}) == [
        ("changed", "/code", "/code")
    ]


@pytest.mark.parametrize(
    ("members", "told_of"),
    [
        ({"error_code": "B"}, ["/events/2"]),
        ({"error_code": {"one_of": ["B", "C"]}}, []),
        ({"error_code": "B", "status": "info"}, ["/events/1", "/events/2"]),
    ],
)
def test_items_that_an_array_may_have_besides_are_no_differences(members, told_of):
    found = differences(
        {"events": [event("A")]},
        {"events": [event("A"), event("B"), event("C")]},
        {"/events": {"besides": members}},
    )
    assert [each.actual_pointer for each in found] == told_of


def test_an_item_that_an_array_may_have_besides_takes_the_place_of_no_expected_one():
    rules = {"/events": {"besides": {"error_code": "B"}}}
    assert differences({"events": [event("A")]}, {"events": [event("B")]}, rules)


@pytest.mark.parametrize(
    ("rule", "value"), [("unordered", {"a": 1}), ({"extra": "allow"}, [1]), ("ordered", 5)]
)
def test_a_rule_for_the_other_kind_of_container_is_noted(rule, value):
    found = comparing.compare({"v": value, "w": 1}, {"v": value, "w": 2}, compile_rules({"/v": rule}))
    assert any("/v: the rule" in note for note in found.notes)


def test_indices_in_rules_are_positions_in_the_expected_array():
    rules = {"/events/1/error_message": "ignore"}
    expected = {"events": [event("A"), event("B")]}
    actual = {"events": [event("B", "anything"), event("A")]}
    assert told(expected, actual, rules) == []
    actual = {"events": [event("B"), event("A", "anything")]}
    assert told(expected, actual, rules) == [
        ("changed", "/events/0/error_message", "/events/1/error_message"),
    ]


def test_differences_of_other_parts_are_not_applied():
    from retailops_sandbox.model import Difference

    status = Difference(kind="changed", part="status", expected=200, actual=500)
    assert apply((status,), {"a": 1}) == {"a": 1}
