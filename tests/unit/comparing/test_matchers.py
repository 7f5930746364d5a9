"""Rules: which are understood, what each accepts, and which one wins."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.comparing import matchers
from retailops_sandbox.model import Number

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
]


@pytest.mark.parametrize(("rule", "accepted", "refused"), ACCEPTED)
def test_a_matcher_accepts_exactly_what_it_says(rule, accepted, refused):
    accepts = matchers.matcher(rule).accepts
    assert [value for value in accepted if not accepts(value)] == []
    assert [value for value in refused if accepts(value)] == []


@pytest.mark.parametrize("rule", ["ordered", "unordered", {"extra": "allow"}])
def test_what_compares_containers_differently_judges_no_value(rule):
    assert matchers.matcher(rule).accepts is None


def test_every_matcher_is_tried_here():
    tried = {rule if isinstance(rule, str) else next(iter(rule)) for rule, _, _ in ACCEPTED}
    assert tried | {"ordered", "unordered", "extra"} == set(matchers.MATCHERS)


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
        ({"regex": "a{99999999999}"}, "is not a regular expression", "for example"),
        ({"regex": 1}, "the pattern must be a string", "for example"),
        ({"one_of": []}, "at least one value", "for example"),
        ({"one_of": "a"}, "at least one value", "for example"),
        ({"range": [1]}, "needs [least, most]", "for example"),
        ({"range": [None, None]}, "at most one of them null", "for example"),
        ({"range": [True, 1]}, "needs numbers", "for example"),
        ({"range": [2, 1]}, "2 is more than 1", "for example"),
        ({"extra": "deny"}, '"deny" is not "allow"', '{"extra": "allow"}'),
    ],
)
def test_a_bad_matcher_is_named_with_a_mend(rule, what, mend):
    with pytest.raises(matchers.RuleError) as caught:
        matchers.compile({"/ok": "any", "/a/*": rule})
    assert caught.value.path == "/a/*"
    assert what in caught.value.what
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("path", "mend"),
    [
        ("events/*/code", 'write "/events/*/code"'),
        ("$.events[*].error_code", 'write "/events/*/error_code"'),
        ("$['events'][0]", 'write "/events/0"'),
        ("/a~b", "write ~0 for ~ and ~1 for /"),
        ("/a" * 40, "put the rule further up"),
    ],
)
def test_a_bad_path_is_named_with_a_mend(path, mend):
    with pytest.raises(matchers.RuleError) as caught:
        matchers.compile({path: "any"})
    assert (caught.value.path, caught.value.mend) == (path, mend)


def test_a_pattern_that_python_warns_about_is_no_mistake():
    assert matchers.matcher({"regex": "[[a]"}).accepts("[")


def ruling(rules, *tokens):
    scope = matchers.scope(matchers.compile(rules))
    for token in tokens:
        scope = scope.child(token) if scope is not None else None
    return scope.matcher.path if scope is not None and scope.matcher is not None else None


@pytest.mark.parametrize(
    ("rules", "tokens", "winner"),
    [
        ({"/a/*": "any", "/a/b": "ignore"}, ("a", "b"), "/a/b"),
        ({"/a/b": "ignore", "/a/*": "any"}, ("a", "b"), "/a/b"),
        ({"/a/b": "ignore", "/a/*": "any"}, ("a", "c"), "/a/*"),
        ({"/a/*": "any", "/*/b": "ignore"}, ("a", "b"), "/*/b"),
        ({"/*/b": "any", "/a/*": "ignore"}, ("a", "b"), "/a/*"),
        ({"/*/*": "any", "/*/b": "ignore"}, ("a", "b"), "/*/b"),
        ({"/*": "any"}, ("a", "b"), None),
        ({"/*/*": "any"}, ("a",), None),
        ({"": "any"}, (), ""),
        ({"/a~1b/~0": "any"}, ("a/b", "~"), "/a~1b/~0"),
        ({"/events/0/x": "any"}, ("events", "1", "x"), None),
    ],
)
def test_the_more_exact_path_wins_then_the_later_one(rules, tokens, winner):
    assert ruling(rules, *tokens) == winner


tokens = st.lists(st.sampled_from("ab"), max_size=3)
patterns = st.lists(st.sampled_from(["a", "b", "*"]), max_size=3).map(
    lambda each: "".join(f"/{t}" for t in each)
)


@given(st.lists(patterns, unique=True, min_size=1), tokens)
def test_the_winner_is_the_one_that_trying_every_path_finds(paths, place):
    reaching = [
        (-path.count("*"), order, path)
        for order, path in enumerate(paths)
        if re.fullmatch(path.replace("*", "[ab]"), "".join(f"/{token}" for token in place))
    ]
    expected = max(reaching)[2] if reaching else None
    assert ruling(dict.fromkeys(paths, "any"), *place) == expected


def test_without_rules_there_is_no_scope_to_look_into():
    assert matchers.compile({}) is matchers.NO_RULES
    assert not matchers.NO_RULES
    assert matchers.scope(matchers.NO_RULES, {}) is None


def test_set_like_arrays_and_rules_share_one_scope():
    sets = {"/events": ("code",), "/events/*/refs": ("type", "id")}
    scope = matchers.scope(matchers.compile({"/events/*/code": "any"}), sets)
    events = scope.child("events")
    assert (events.identity, events.set_like, events.ruled) == (("code",), True, True)
    refs = events.items.child("refs")
    assert (refs.identity, refs.ruled) == (("type", "id"), False)
    assert not scope.set_like
    assert matchers.scope(matchers.compile({"": "unordered"})).set_like


def test_any_demands_the_members_that_it_names():
    rules = matchers.compile({"/a/x": "any", "/a/*": "any", "/a/y": "ignore"})
    assert matchers.scope(rules).child("a").demanded == ("x",)


def test_headers_are_texts_or_matchers_and_their_names_have_no_case():
    headers = matchers.compile_headers(
        {"X-Id": "uuid", "Content-Type": "application/json", "X-N": {"regex": "^[0-9]$"}}
    )
    assert list(headers) == ["x-id", "content-type", "x-n"]
    assert headers["content-type"].accepts("application/json")
    assert not headers["content-type"].accepts("application/JSON")
    assert headers["x-id"].accepts(UUID)
    assert headers["x-n"].accepts("7")


@pytest.mark.parametrize(
    "rule", [{"type": "number"}, {"range": [0, 1]}, {"extra": "allow"}, "ordered", {"regx": "x"}]
)
def test_a_header_takes_only_matchers_of_text(rule):
    with pytest.raises(matchers.RuleError) as caught:
        matchers.compile_headers({"X-Id": rule})
    assert caught.value.path == "X-Id"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (35, Number("35.0"), True),
        (Number("35.00"), Number("35"), True),
        (10**30, Number("1e30"), True),
        (True, 1, False),
        (1, True, False),
        (False, 0, False),
        (Number("1"), True, False),
        (True, True, True),
        (None, False, False),
        ("1", 1, False),
        ([], {}, False),
        ([1, [True]], [1, [1]], False),
        ({"a": 1, "b": [2]}, {"b": [Number("2.0")], "a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": None}, {}, False),
        ([1], [1, 2], False),
    ],
)
def test_values_are_the_same_as_json_says(one, other, equal):
    assert matchers.same(one, other) is equal
    assert matchers.same(other, one) is equal


def test_a_search_without_end_is_given_up_and_the_hint_says_so():
    matcher = matchers.matcher({"regex": "^(a|aa)+$"})
    assert matcher.accepts is not None
    assert matcher.accepts("a" * 60)
    assert not matcher.accepts("a" * 60 + "b")
    assert "given up" in matcher.hint("a" * 60 + "b")
    assert not matcher.accepts("a"), "once is enough"
