"""Matchers: which are understood, and what each accepts."""

from __future__ import annotations

import pytest

from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import compile_rules
from retailops_sandbox.comparing.values import type_name
from retailops_sandbox.model import Mark, Number

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
    ({"none": {"a": 1, "b": 2}}, [[{"a": 1}, {"b": 2}, {"a": 1, "b": 3}]], [[{"a": Number("1.0"), "b": 2}]]),
]


@pytest.mark.parametrize(("rule", "accepted", "refused"), ACCEPTED)
def test_a_matcher_accepts_exactly_what_it_says(rule, accepted, refused):
    accepts = matchers.matcher(rule).accepts
    assert [value for value in accepted if not accepts(value)] == []
    assert [value for value in refused if accepts(value)] == []


@pytest.mark.parametrize("rule", ["ordered", "unordered", {"extra": "allow"}])
def test_what_compares_containers_differently_judges_no_value(rule):
    assert matchers.matcher(rule).accepts is None


def test_what_was_struck_out_may_be_what_must_not_occur():
    mark = Mark("«redacted:token»", "token", "string")
    none = matchers.matcher({"none": {"status": "error"}})
    assert none.decides([{"status": "info", "error_message": mark}])
    assert not none.decides([{"status": mark}])
    assert not none.decides([mark])


def test_every_matcher_is_tried_here():
    tried = {rule if isinstance(rule, str) else next(iter(rule)) for rule, _, _ in ACCEPTED}
    assert tried | {"ordered", "unordered", "extra"} == set(matchers.MATCHERS)


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
