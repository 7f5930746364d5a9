"""Rules: which path wins, what the rules say of a place, matchers of headers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retailops_sandbox.comparing import matchers
from retailops_sandbox.comparing.rules import NO_RULES, compile_headers, compile_rules, whole_scope

UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


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
        compile_rules({path: "any"})
    assert (caught.value.path, caught.value.mend) == (path, mend)


def ruling(rules, *tokens):
    scope = whole_scope(compile_rules(rules))
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
    assert compile_rules({}) is NO_RULES
    assert not NO_RULES
    assert whole_scope(NO_RULES, {}) is None


def test_set_like_arrays_and_rules_share_one_scope():
    sets = {"/events": ("code",), "/events/*/refs": ("type", "id")}
    scope = whole_scope(compile_rules({"/events/*/code": "any"}), sets)
    events = scope.child("events")
    assert (events.identity, events.set_like, events.ruled) == (("code",), True, True)
    refs = events.items.child("refs")
    assert (refs.identity, refs.ruled) == (("type", "id"), False)
    assert not scope.set_like
    assert whole_scope(compile_rules({"": "unordered"})).set_like


def test_any_demands_the_members_that_it_names():
    rules = compile_rules({"/a/x": "any", "/a/*": "any", "/a/y": "ignore"})
    assert whole_scope(rules).child("a").demanded == ("x",)


def test_headers_are_texts_or_matchers_and_their_names_have_no_case():
    headers = compile_headers(
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
        compile_headers({"X-Id": rule})
    assert caught.value.path == "X-Id"
