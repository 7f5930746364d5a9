"""Matchers: which are understood, and what each accepts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_rules, may_wait
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.model import Expectation, Mark, Number

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

ACCEPTED = [
    ("ignore", [None, 1, "x", [], {}], []),
    ("any", [None, 1, "x", [], {}], []),
    ("datetime", ["2024-02-29T23:59:60Z", "2024-01-01t00:00:00.5+01:30", "0001-01-01T00:00:00-00:00"], []),
    (
        "datetime",
        [],
        ["2023-02-29T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01 00:00:00Z", "2024-01-01", 1],
    ),
    ("datetime", [], ["2024-01-01T00:00:00", "2024-01-01T00:00:00Z\n", "٢٠٢٤-01-01T00:00:00Z", None]),
    ("uuid", [UUID, UUID.upper()], [UUID[:-1], f"{UUID}0", UUID.replace("-", ""), f"{UUID}\n", 7]),
    ({"type": "string"}, ["", "x"], [None, 1, [], {}]),
    ({"type": "number"}, [1, Number("1.5")], [True, "1", None]),
    (
        {"type": "integer"},
        [1, Number("1.0"), Number("1E9999")],
        [Number("1.5"), True, "1", Number("1E-9999")],
    ),
    ({"type": "boolean"}, [True, False], [0, 1, None]),
    ({"type": "null"}, [None], [0, False, "", [], {}]),
    ({"type": "array"}, [[]], [{}, "[]"]),
    ({"type": "object"}, [{}], [[], None]),
    ({"regex": "^ERR[0-9]{4}$"}, ["ERR1234"], ["ERR123", "xERR1234", 1234, None]),
    ({"regex": "not found"}, ["order not found"], ["order notfound"]),
    ({"one_of": [1, "a", None]}, [1, Number("1.0"), "a", None], [True, "1", 2, []]),
    ({"one_of": [[1]]}, [[1]], [1, [True]]),
    ({"range": [0, 10]}, [0, 10, Number("9.99")], [-1, 11, Number("10.01"), True, "5", None]),
    ({"range": [None, Number("0.5")]}, [Number("0.5"), -9], [1]),
    ({"range": [3, None]}, [3, 10**40], [2]),
    (
        {"contains": "cancel"},
        ["was cancelled", ["x", "cancel"]],
        ["CANCEL", ["cancelled"], None, {"cancel": 1}],
    ),
    ({"contains": 1}, [[Number("1.0")]], ["1", [True], [[1]], 1]),
    (
        {"none": {"status": "error"}},
        [[], None, [{"status": "info"}, {}, 1, "error"]],
        [[{"status": "info"}, {"status": "error", "error_code": "E"}], {"status": "error"}, "", 0],
    ),
    (
        {"some": {"status": "error"}},
        [[{}, {"status": "error"}], [1, {"status": "error", "more": []}]],
        [[], None, [{"status": "info"}, "error"], {"status": "error"}, "error"],
    ),
    (
        {"each": {"status": {"one_of": ["info", "warning"]}}},
        [[], None, [{"status": "info"}, {"status": "warning", "more": 1}]],
        [[{"status": "info"}, {}], [{"status": "info"}, "info"], {"status": "info"}, 1],
    ),
    (
        {"some": {"at": "datetime", "note": "ignore", "code": {"regex": "^E"}, "id": "any"}},
        [[{"at": "2024-01-01T00:00:00Z", "code": "E1", "id": None}]],
        [[{"at": "2024-01-01T00:00:00Z", "code": "E1"}], [{"at": "now", "code": "E1", "id": 1}]],
    ),
    (
        {"none": {"parts": {"some": {"type": "sku"}}, "list": [1]}},
        [[{"parts": [{"type": "id"}], "list": [1]}, {"parts": [{"type": "sku"}], "list": []}]],
        [[{"parts": [{"type": "id"}, {"type": "sku"}], "list": [Number("1.0")]}]],
    ),
    ({"none": {"a": 1, "b": 2}}, [[{"a": 1}, {"b": 2}, {"a": 1, "b": 3}]], [[{"a": Number("1.0"), "b": 2}]]),
]


@pytest.mark.parametrize(("rule", "accepted", "refused"), ACCEPTED)
def test_a_matcher_accepts_exactly_what_it_says(rule, accepted, refused):
    accepts = matchers.matcher(rule).accepts
    assert [value for value in accepted if not accepts(value)] == []
    assert [value for value in refused if accepts(value)] == []


@pytest.mark.parametrize("rule", ["ordered", "unordered", {"besides": {"a": 1}}, {"extra": "allow"}])
def test_what_compares_containers_differently_judges_no_value(rule):
    assert matchers.matcher(rule).accepts is None


def test_what_was_struck_out_may_be_what_must_not_occur():
    mark = Mark("«redacted:token»", "token", "string")
    none = matchers.matcher({"none": {"status": "error"}})
    assert none.decides([{"status": "info", "error_message": mark}])
    assert not none.decides([{"status": mark}])
    assert not none.decides([mark])


def test_what_was_struck_out_need_not_be_what_must_occur():
    mark = Mark("«redacted:token»", "token", "string")
    some = matchers.matcher({"some": {"status": "error"}})
    each = matchers.matcher({"each": {"status": "error", "code": {"type": "string"}}})
    assert some.decides([{"status": mark}, {"status": "error"}])
    assert not some.decides([{"status": mark}])
    assert each.decides([{"status": "error", "code": mark}])
    assert not each.decides([{"status": mark, "code": "E"}])
    assert not each.decides([mark])


def test_a_regex_in_an_argument_is_searched_within_the_same_bounds():
    some = matchers.matcher({"some": {"code": {"regex": r"^(?!x)(a|aa)+$"}}})
    assert some.accepts is not None
    assert not some.accepts([{"code": "a" * 60 + "b"}])
    assert [search.gave_up for search in some.searches] == [True]
    assert may_wait(Expectation(rules={"/events": some.rule}))
    assert not may_wait(Expectation(rules={"/events": {"some": {"code": {"regex": "^E"}}}}))


@pytest.mark.parametrize(
    ("rule", "path", "value", "hint"),
    [
        (
            {"none": {"status": "error"}},
            "/events",
            [{"status": "info"}, {"status": "error", "error_code": "ERR1409"}],
            'no event with status "error" was expected; event 2 is {"status":"error","error_code":"ERR1409"}',
        ),
        (
            {"each": {"code": {"regex": "^E"}, "a": 1}},
            "/lines",
            [{"code": "X"}],
            'only lines whose code is {"regex":"^E"} and with a 1 were expected; line 1 is {"code":"X"}',
        ),
        (
            {"some": {"status": "error"}},
            "/events",
            [],
            'an event with status "error" was expected, and there is none',
        ),
        (
            {"some": {"status": "error"}},
            "/data/status",
            [1, 2],
            'an item with status "error" was expected, and none of 2 items is one',
        ),
        ({"none": {"status": "error"}}, "/events", "error", ""),
        ({"none": {"status": "error"}}, "/events", [], ""),
    ],
)
def test_the_hint_says_which_item_spoils_an_array(rule, path, value, hint):
    assert matchers.matcher(rule, path).hint(value) == hint


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "b", "uuid", UUID]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
_WANTED = st.dictionaries(
    st.sampled_from("abc"),
    st.sampled_from([0, 1, "a", "any", "ignore", "uuid", {"type": "array"}, {"range": [0, 1]}]),
    min_size=1,
    max_size=2,
)


@given(members=_WANTED, items=st.lists(_JSON, max_size=5), others=st.lists(_JSON, max_size=3))
def test_each_some_and_none_are_about_the_same_items(members, items, others):
    each, some, none = (matchers.matcher({word: members}).accepts for word in ("each", "some", "none"))
    has = [some([item]) for item in items]
    assert (each(items), some(items), none(items)) == (all(has), any(has), not any(has))
    assert some(items + others) == some(others + items) == (some(items) or some(others))
    assert each(items + others) == (each(items) and each(others))
    for word in ("each", "some", "none"):
        found = matchers.matcher({word: members}, "/events")
        assert found.accepts is not None
        assert bool(found.hint(items)) == (not found.accepts(items))


def test_every_matcher_is_tried_here():
    tried = {rule if isinstance(rule, str) else next(iter(rule)) for rule, _, _ in ACCEPTED}
    assert tried | {"ordered", "unordered", "besides", "extra"} == set(matchers.MATCHERS)


def test_a_matcher_takes_its_own_example():
    for name, kind in matchers.MATCHERS.items():
        assert matchers.matcher(kind.example_rule).name == name


def test_a_record_reads_as_a_sentence_and_applies_to_types_of_json():
    known = {type_name(value) for value in (None, True, 1, "", [], {})} | {matchers.HEADER}
    for kind in matchers.MATCHERS.values():
        assert kind.sentence[0].isupper()
        assert kind.sentence.count(".") == 1
        assert set(kind.applies_to) <= known


def test_the_matchers_of_one_format_are_those_of_text_that_take_no_argument():
    assert matchers.FORMATS == ("datetime", "uuid")


def test_a_long_subject_is_not_searched_and_the_hint_says_so():
    matcher = matchers.matcher({"regex": "x"})
    assert matcher.accepts("x" * matchers.MAX_SUBJECT)
    assert not matcher.accepts("x" * (matchers.MAX_SUBJECT + 1))
    assert matcher.hint("x" * matchers.MAX_SUBJECT) == ""
    assert "10,001 characters" in matcher.hint("x" * (matchers.MAX_SUBJECT + 1))


@pytest.mark.parametrize(
    ("rule", "what", "mend"),
    [
        ("ignor", '"ignor" is not a matcher: did you mean ignore?', "the matchers are ignore"),
        ("string", '"string" is not a matcher', 'write {"type": "string"}'),
        ("int", '"int" is not a matcher', 'write {"type": "integer"}'),
        ("ERR1234", '"ERR1234" is not a matcher', "belongs in the body"),
        ("regex", "regex needs an argument", '{"regex": "^ERR'),
        ({"regexp": "x"}, '"regexp" is not a matcher: did you mean regex?', "there are ignore"),
        ({"ignore": True}, "ignore takes no argument", 'write "ignore"'),
        ({}, "{} is not a rule", "for example"),
        ({"type": "string", "regex": "x"}, "is not a rule, which is one matcher", "for example"),
        (7, "7 is not a rule", "for example"),
        (
            {"type": "strng"},
            'type: "strng" is not a type of JSON: did you mean string?',
            '{"type": "string"}',
        ),
        (
            {"type": "float"},
            'type: "float" is not a type of JSON: did you mean number?',
            '{"type": "string"}',
        ),
        ({"type": ["string"]}, 'type: ["string"] is not the name of a type', '{"type": "string"}'),
        ({"regex": "("}, "'(' is not a regular expression: missing )", "for example"),
        ({"regex": "a" * 2_001}, "regex: the pattern has 2,001 characters; 2,000 are the most", "shorten it"),
        ({"regex": "a{99999999999}"}, "regex: the pattern repeats up to 99,999,999,999 times", "shorten it"),
        ({"regex": 1}, "the pattern must be a string", "for example"),
        ({"one_of": []}, "at least one value", "for example"),
        ({"one_of": "a"}, "at least one value", "for example"),
        ({"range": [1]}, "needs [least, most]", "for example"),
        ({"range": [None, None]}, "at most one of them null", "for example"),
        ({"range": [True, 1]}, "needs numbers", "for example"),
        ({"range": [2, 1]}, "2 is more than 1", "for example"),
        ({"none": {}}, "an object of at least one member", '{"none": {"status": "error"}}'),
        ({"none": "error"}, "an object of at least one member", "for example"),
        (
            {"some": {"a": {"regx": "x"}}},
            'some: a: "regx" is not a matcher: did you mean regex?',
            "for example",
        ),
        ({"each": {"a": {"b": 1, "c": 2}}}, "each: a: {", "for example"),
        ({"each": {"a": "unordered"}}, "each: a: unordered does not judge a member", "for example"),
        ({"each": {"a": {"regex": "("}}}, "each: a: regex: '(' is not a regular expression", "for example"),
        ({"extra": "deny"}, '"deny" is not "allow"', '{"extra": "allow"}'),
    ],
)
def test_a_bad_matcher_is_named_with_a_mend(rule, what, mend):
    with pytest.raises(matchers.RuleError) as caught:
        compile_rules({"/ok": "any", "/a/*": rule})
    assert caught.value.path == "/a/*"
    assert what in caught.value.what
    assert mend in caught.value.mend


def test_a_pattern_that_python_warns_about_is_no_mistake():
    assert matchers.matcher({"regex": "[[a]"}).accepts("[")


def test_a_search_without_end_is_given_up_and_the_hint_says_so():
    matcher = matchers.matcher({"regex": r"^(?!x)(a|aa)+$"})
    assert matcher.accepts is not None
    assert matcher.accepts("a" * 60)
    assert not matcher.accepts("a" * 60 + "b")
    assert "given up" in matcher.hint("a" * 60 + "b")
    assert not matcher.accepts("a"), "once is enough"
